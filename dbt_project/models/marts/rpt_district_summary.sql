{{ config(indexes=[{'columns': ['district'], 'unique': true}]) }}

with

households as (
    select * from {{ ref('dim_households') }}
),

risk as (
    select * from {{ ref('fct_household_risk') }}
),

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
),

kept_out as (
    select
        district,
        count(*) filter (where outcome = 'quarantined') as quarantined_submissions,
        count(*) filter (where outcome = 'held') as held_submissions
    from outcomes
    where
        outcome in ('quarantined', 'held')
        and district is not null
    group by district
),

undecided as (
    select
        district,
        count(*) as households_undecided
    from risk
    where
        is_latest_round
        and verdict = 'undecided'
    group by district
),

totals as (
    select
        district,
        {{ household_totals() }}
    from households
    group by district
),

summary as (
    select
        coalesce(totals.district, kept_out.district) as district,
        coalesce(totals.households, 0) as households,
        coalesce(totals.people, 0) as people,
        coalesce(totals.households_scored, 0) as households_scored,
        coalesce(totals.households_predicted_vulnerable, 0) as households_predicted_vulnerable,
        coalesce(undecided.households_undecided, 0) as households_undecided,
        totals.expected_vulnerable_households,
        totals.mean_vulnerability_probability,
        coalesce(totals.households_critical, 0) as households_critical,
        coalesce(totals.households_high, 0) as households_high,
        coalesce(totals.households_medium, 0) as households_medium,
        coalesce(totals.households_low, 0) as households_low,
        coalesce(totals.households_measured, 0) as households_measured,
        coalesce(totals.households_measured_vulnerable, 0) as households_measured_vulnerable,
        totals.mean_income_usd_per_day,
        totals.mean_income_ugx_per_day,
        coalesce(kept_out.quarantined_submissions, 0) as quarantined_submissions,
        coalesce(kept_out.held_submissions, 0) as held_submissions
    from totals
    full outer join kept_out on totals.district = kept_out.district
    left join undecided on totals.district = undecided.district
)

select * from summary
