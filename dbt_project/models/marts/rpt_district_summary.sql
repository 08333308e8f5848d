{#- Averages are taken of numerics: a sum of floats depends on the order that parallel workers add them in. -#}
with

risk as (
    select * from {{ ref('fct_household_risk') }}
),

quarantined as (
    select * from {{ ref('fct_quarantined_submissions') }}
),

held as (
    select
        district,
        count(*) as quarantined_submissions
    from quarantined
    where district is not null
    group by district
),

scored as (
    select
        district,
        count(*) as households,
        sum(household_size) as people,
        count(vulnerability_probability) as households_scored,
        count(*) filter (where is_predicted_vulnerable) as households_predicted_vulnerable,
        avg(vulnerability_probability::numeric)::double precision as mean_vulnerability_probability,
        count(*) filter (where risk_category = 'critical') as households_critical,
        count(*) filter (where risk_category = 'high') as households_high,
        count(*) filter (where risk_category = 'medium') as households_medium,
        count(*) filter (where risk_category = 'low') as households_low,
        count(is_measured_vulnerable) as households_measured,
        count(*) filter (where is_measured_vulnerable) as households_measured_vulnerable,
        avg(measured_income_usd_per_day::numeric)::double precision as mean_income_usd_per_day
    from risk
    group by district
),

summary as (
    select
        coalesce(scored.district, held.district) as district,
        coalesce(scored.households, 0) as households,
        coalesce(scored.people, 0) as people,
        coalesce(scored.households_scored, 0) as households_scored,
        coalesce(scored.households_predicted_vulnerable, 0) as households_predicted_vulnerable,
        scored.mean_vulnerability_probability,
        coalesce(scored.households_critical, 0) as households_critical,
        coalesce(scored.households_high, 0) as households_high,
        coalesce(scored.households_medium, 0) as households_medium,
        coalesce(scored.households_low, 0) as households_low,
        coalesce(scored.households_measured, 0) as households_measured,
        coalesce(scored.households_measured_vulnerable, 0) as households_measured_vulnerable,
        scored.mean_income_usd_per_day,
        coalesce(held.quarantined_submissions, 0) as quarantined_submissions
    from scored
    full outer join held on scored.district = held.district
)

select * from summary
