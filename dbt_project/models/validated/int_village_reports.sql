{{
    config(
        indexes=[
            {'columns': ['village_report_id'], 'unique': true},
        ],
    )
}}

{%- set rules = quarterly_report_rules() %}

with

reports as (
    select * from {{ ref('stg_quarterly_report__submissions') }}
),

corrected as (
    select distinct deprecates as submission_id
    from reports
    where deprecates <> submission_id
),

evaluated as (
    select
        concat_ws(' ', partner, district, village, report_year, 'Q' || report_quarter) as village_report_id,
        *,
        {{ broken_rules(rules, 'reject') }} as failed_rules,
        {{ broken_rules(rules, 'flag') }} as flagged_rules
    from reports
),

accepted as (
    select
        evaluated.*,
        row_number() over (
            partition by evaluated.village_report_id
            order by
                coalesce(evaluated.is_final, false) desc,
                evaluated.received_at desc,
                evaluated.row_number desc,
                evaluated.submission_id desc
        ) as recency
    from evaluated
    left join corrected on evaluated.submission_id = corrected.submission_id
    where
        evaluated.failed_rules = '{}'
        and corrected.submission_id is null
),

latest as (
    select
        village_report_id,
        submission_id,
        ingestion_id,
        partner,
        district,
        village,
        main_water_source,
        food_security,
        flagged_rules,
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
    from accepted
    where recency = 1
)

select * from latest
