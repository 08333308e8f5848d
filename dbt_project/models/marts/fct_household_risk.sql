{#- A prediction that was made of an older submission of the household does not count. -#}
{{
    config(
        indexes=[
            {'columns': ['household_id', 'survey_round'], 'unique': true},
            {'columns': ['district']},
        ],
    )
}}

with

features as (
    select * from {{ ref('fct_household_features') }}
),

households as (
    select * from {{ ref('fct_households') }}
),

predictions as (
    select * from {{ ref('stg_ml__predictions') }}
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
        features.household_id,
        features.survey_round,
        features.submission_id,
        features.district,
        features.cluster,
        features.village,
        features.household_size,
        features.head_sex,
        features.progress_status as measured_status,
        features.is_vulnerable as is_measured_vulnerable,
        features.income_consumption_residues_per_day as measured_income_usd_per_day,
        screening.is_vulnerable as is_predicted_vulnerable,
        screening.probability as vulnerability_probability,
        screening.confidence,
        screening.risk_category,
        screening.model_name as screening_model_name,
        screening.model_version as screening_model_version,
        assessment.is_vulnerable as is_assessed_vulnerable,
        assessment.probability as assessment_probability,
        assessment.model_version as assessment_model_version,
        households.flagged_rules as quality_flags,
        screening.scored_at,
        households.received_at
    from features
    inner join households
        on
            features.household_id = households.household_id
            and features.survey_round = households.survey_round
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
