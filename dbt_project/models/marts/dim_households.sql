{#- What is read twice is not written down in between, see fct_household_risk. -#}
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

risk as not materialized (
    select * from {{ ref('fct_household_risk') }}
),

earlier as (
    select
        household_id,
        (array_agg(survey_round order by {{ round_order('survey_round') }}))[1] as first_round,
        jsonb_agg({{ round_in_history() }} order by {{ round_order('survey_round') }}) as history,
        count(*) as rounds_surveyed
    from risk
    where not is_latest_round
    group by household_id
),

latest as (
    select
        *,
        {{ round_in_history() }} as round_in_history
    from risk
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
        coalesce(earlier.first_round, latest.survey_round) as first_round,
        latest.survey_round as last_round,
        latest.head_sex,
        latest.measured_status,
        latest.progress,
        latest.risk_category,
        latest.top_reasons,
        coalesce(earlier.history, '[]') || latest.round_in_history as history,
        latest.household_size,
        coalesce(earlier.rounds_surveyed, 0) + 1 as rounds_surveyed,
        latest.measured_income_usd_per_day,
        latest.measured_income_ugx_per_day,
        latest.vulnerability_probability,
        latest.is_measured_vulnerable,
        latest.is_predicted_vulnerable,
        latest.survey_date,
        latest.received_at
    from latest
    left join earlier on latest.household_id = earlier.household_id
)

select * from households
