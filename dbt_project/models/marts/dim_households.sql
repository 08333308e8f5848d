{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='household_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['household_id'], 'unique': true},
            {'columns': ['district', 'village']},
        ],
    )
}}

with

risk as (
    select * from {{ ref('fct_household_risk') }}
),

histories as (
    select
        household_id,
        (array_agg(survey_round order by {{ round_order('survey_round') }}))[1] as first_round,
        jsonb_agg(
            jsonb_build_object(
                'round', survey_round,
                'measured_status', measured_status,
                'risk', risk_category,
                'submission_id', submission_id
            )
            order by {{ round_order('survey_round') }}
        ) as history,
        count(*) as rounds_surveyed
    from risk
    group by household_id
),

latest as (
    select * from risk
    where is_latest_round
),

households as (
    select
        latest.household_id,
        latest.household_round_id,
        latest.submission_id,
        latest.district,
        latest.cluster,
        latest.village,
        histories.first_round,
        latest.survey_round as last_round,
        latest.head_sex,
        latest.measured_status,
        latest.progress,
        latest.risk_category,
        latest.top_reasons,
        histories.history,
        latest.household_size,
        histories.rounds_surveyed,
        latest.measured_income_usd_per_day,
        latest.measured_income_ugx_per_day,
        latest.vulnerability_probability,
        latest.is_measured_vulnerable,
        latest.is_predicted_vulnerable,
        latest.survey_date,
        latest.received_at
    from latest
    inner join histories on latest.household_id = histories.household_id
)

select * from households
