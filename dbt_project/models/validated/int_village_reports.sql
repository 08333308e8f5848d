{{
    config(
        indexes=[
            {'columns': ['village_report_id'], 'unique': true},
        ],
    )
}}

with

released as (
    select * from {{ ref('int_village_reports_judged') }}
    where outcome = 'released'
),

reports as (
    select
        {{
            joined_key(['partner', 'district', 'village', 'report_year::text', 'report_quarter::text'])
        }} as village_report_id,
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
    from released
)

select * from reports
