{#- A prediction that was made of an older submission of the household does not count. What is read twice is not
    written down in between: at a million households that costs more than to read it again. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='household_round_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['household_round_id'], 'unique': true},
            {'columns': ['household_id']},
            {'columns': ['submission_id']},
            {'columns': ['district', 'risk_category']},
        ],
    )
}}

with

features as not materialized (
    select * from {{ ref('fct_household_features') }}
),

households as (
    select * from {{ ref('fct_households') }}
),

predictions as not materialized (
    select * from {{ ref('stg_ml__predictions') }}
),

rounds as (
    select
        household_round_id,
        lag(survey_round) over household_rounds as previous_round,
        lag(progress_status) over household_rounds as previous_status,
        {{ top_hardships() }} as top_reasons,
        lead(survey_round) over household_rounds is null as is_latest_round
    from features
    window household_rounds as (
        partition by household_id
        order by {{ round_order('survey_round') }}
    )
),

screening as (
    select * from predictions
    where track = 'screening'
),

assessment as (
    select * from predictions
    where track = 'assessment'
),

risk as (
    select
        features.household_round_id,
        features.household_id,
        features.submission_id,
        features.survey_round,
        features.district,
        features.cluster,
        features.village,
        features.head_sex,
        features.progress_status as measured_status,
        rounds.previous_round,
        rounds.previous_status,
        {{ progress_between('rounds.previous_status', 'features.progress_status') }} as progress,
        screening.risk_category,
        rounds.top_reasons,
        households.flagged_rules as quality_flags,
        screening.model_name as screening_model_name,
        screening.model_version as screening_model_version,
        assessment.model_version as assessment_model_version,
        features.household_size,
        features.income_consumption_residues_per_day as measured_income_usd_per_day,
        features.income_consumption_residues_per_day * 365 as measured_income_usd_per_year,
        {{ usd_to_ugx('features.income_consumption_residues_per_day') }} as measured_income_ugx_per_day,
        {{ usd_to_ugx('features.income_consumption_residues_per_day * 365') }} as measured_income_ugx_per_year,
        screening.probability as vulnerability_probability,
        screening.confidence,
        assessment.probability as assessment_probability,
        rounds.is_latest_round,
        features.is_vulnerable as is_measured_vulnerable,
        screening.is_vulnerable as is_predicted_vulnerable,
        assessment.is_vulnerable as is_assessed_vulnerable,
        households.survey_date,
        screening.scored_at,
        households.received_at
    from features
    inner join households on features.household_round_id = households.household_round_id
    inner join rounds on features.household_round_id = rounds.household_round_id
    left join screening
        on
            features.submission_id = screening.submission_id
            and features.household_id = screening.household_id
            and features.survey_round = screening.survey_round
    left join assessment
        on
            features.submission_id = assessment.submission_id
            and features.household_id = assessment.household_id
            and features.survey_round = assessment.survey_round
)

select * from risk
