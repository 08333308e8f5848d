{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

{%- set rules = quarterly_report_rules() %}

with

reports as (
    select * from {{ ref('stg_quarterly_report__submissions') }}
),

corrected as (
    select
        deprecates as submission_id,
        max(submission_id) as corrected_by
    from reports
    where deprecates <> submission_id
    group by deprecates
),

evaluated as (
    select
        *,
        {{ broken_rules(rules, 'reject') }} as failed_rules,
        {{ broken_rules(rules, 'flag') }} as flagged_rules
    from reports
),

sorted as (
    select
        evaluated.*,
        corrected.corrected_by,
        case
            when corrected.submission_id is not null then 'superseded'
            when evaluated.failed_rules <> '{}' then 'quarantined'
        end as reason_to_stay
    from evaluated
    left join corrected on evaluated.submission_id = corrected.submission_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by reason_to_stay, partner, district, village, report_year, report_quarter
            order by
                coalesce(is_final, false) desc,
                received_at desc,
                row_number desc,
                submission_id desc
        ) as recency
    from sorted
),

judged as (
    select
        submission_id,
        ingestion_id,
        partner,
        district,
        village,
        main_water_source,
        food_security,
        failed_rules,
        flagged_rules,
        corrected_by,
        coalesce(reason_to_stay, case when recency > 1 then 'superseded' else 'released' end) as outcome,
        unreadable_values,
        row_number,
        report_year,
        report_quarter,
        households_in_village,
        households_visited,
        people_reached,
        women_reached,
        savings_groups,
        mean_savings_usd,
        mean_minutes_to_water,
        latrine_coverage_percent,
        is_final,
        report_date,
        received_at
    from ranked
)

select * from judged
