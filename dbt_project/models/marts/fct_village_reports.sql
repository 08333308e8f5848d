{#- Partners and field teams write a village's name in different letter case. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='village_report_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['village_report_id'], 'unique': true},
        ],
    )
}}

with

reports as (
    select * from {{ ref('int_village_reports') }}
),

households as (
    select * from {{ ref('dim_households') }}
),

villages as (
    select
        lower(district) as district,
        lower(village) as village,
        count(*) as households_surveyed,
        count(*) filter (where is_predicted_vulnerable) as households_predicted_vulnerable,
        round(sum(vulnerability_probability::numeric), 1) as expected_vulnerable_households
    from households
    where village is not null
    group by
        lower(district),
        lower(village)
),

village_reports as (
    select
        reports.village_report_id,
        reports.submission_id,
        reports.ingestion_id,
        reports.partner,
        reports.district,
        reports.village,
        reports.main_water_source,
        reports.food_security,
        reports.flagged_rules as quality_flags,
        reports.report_year,
        reports.report_quarter,
        reports.households_in_village,
        reports.households_visited,
        reports.people_reached,
        reports.women_reached,
        reports.savings_groups,
        reports.mean_savings_usd,
        {{ usd_to_ugx('reports.mean_savings_usd') }} as mean_savings_ugx,
        reports.mean_minutes_to_water,
        reports.latrine_coverage_percent,
        coalesce(villages.households_surveyed, 0) as households_surveyed,
        coalesce(villages.households_predicted_vulnerable, 0) as households_predicted_vulnerable,
        villages.expected_vulnerable_households,
        {{ percentage('reports.households_visited', 'reports.households_in_village') }} as visit_coverage_percent,
        {{ percentage('villages.households_surveyed', 'reports.households_in_village') }} as survey_coverage_percent,
        villages.village is not null as has_survey,
        reports.is_final,
        reports.report_date,
        reports.received_at
    from reports
    left join villages
        on
            lower(reports.district) = villages.district
            and lower(reports.village) = villages.village
)

select * from village_reports
