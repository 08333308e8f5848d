{#- A prediction that was made of an older submission of the household does not count. Households of which nothing
    changed are left alone; the rounds of one household are told together. What is read twice is not written down in
    between: at a million households that costs more than to read it again. -#}
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

households as not materialized (
    select * from {{ ref('fct_households') }}
),

predictions as not materialized (
    select * from {{ ref('stg_ml__predictions') }}
),

screening as not materialized (
    select * from predictions
    where track = 'screening'
),

assessment as not materialized (
    select * from predictions
    where track = 'assessment'
),

{% if is_incremental() %}
    standing as not materialized (
        select * from {{ this }}
    ),

    changed as (
        select features.household_id
        from features
        inner join households on features.household_round_id = households.household_round_id
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
        left join standing
            on
                features.household_round_id = standing.household_round_id
                and features.submission_id = standing.submission_id
                and households.flagged_rules = standing.quality_flags
                and (screening.model_version, screening.probability, screening.scored_at)
                is not distinct from (
                    standing.screening_model_version, standing.vulnerability_probability, standing.scored_at
                )
                and (assessment.model_version, assessment.probability)
                is not distinct from (standing.assessment_model_version, standing.assessment_probability)
        where standing.household_round_id is null
        union
        select standing.household_id
        from standing
        left join features on standing.household_round_id = features.household_round_id
        where features.household_round_id is null
    ),

{% endif %}
rounds as (
    select
        household_round_id,
        household_id,
        submission_id,
        survey_round,
        district,
        cluster,
        village,
        head_sex,
        progress_status,
        household_size,
        income_consumption_residues_per_day,
        is_vulnerable,
        lag(survey_round) over household_rounds as previous_round,
        lag(progress_status) over household_rounds as previous_status,
        {{ top_hardships() }} as top_reasons,
        lead(survey_round) over household_rounds is null as is_latest_round
    from features
    {% if is_incremental() %}
        where household_id in (select changed.household_id from changed)
    {% endif %}
    window household_rounds as (
        partition by household_id
        order by {{ round_order('survey_round') }}
    )
),

risk as (
    select
        rounds.household_round_id,
        rounds.household_id,
        rounds.submission_id,
        rounds.survey_round,
        rounds.district,
        rounds.cluster,
        rounds.village,
        rounds.head_sex,
        rounds.progress_status as measured_status,
        rounds.previous_round,
        rounds.previous_status,
        {{ progress_between('rounds.previous_status', 'rounds.progress_status') }} as progress,
        screening.risk_category,
        screening.predicted_status,
        screening.verdict,
        rounds.top_reasons,
        screening.prediction_reasons,
        households.flagged_rules as quality_flags,
        screening.model_name as screening_model_name,
        screening.model_version as screening_model_version,
        assessment.model_version as assessment_model_version,
        rounds.household_size,
        rounds.income_consumption_residues_per_day as measured_income_usd_per_day,
        rounds.income_consumption_residues_per_day * 365 as measured_income_usd_per_year,
        {{ usd_to_ugx('rounds.income_consumption_residues_per_day') }} as measured_income_ugx_per_day,
        {{ usd_to_ugx('rounds.income_consumption_residues_per_day * 365') }} as measured_income_ugx_per_year,
        screening.probability as vulnerability_probability,
        screening.confidence,
        assessment.probability as assessment_probability,
        rounds.is_latest_round,
        rounds.is_vulnerable as is_measured_vulnerable,
        screening.is_vulnerable as is_predicted_vulnerable,
        assessment.is_vulnerable as is_assessed_vulnerable,
        households.survey_date,
        screening.scored_at,
        households.received_at
    from rounds
    inner join households on rounds.household_round_id = households.household_round_id
    left join screening
        on
            rounds.submission_id = screening.submission_id
            and rounds.household_id = screening.household_id
            and rounds.survey_round = screening.survey_round
    left join assessment
        on
            rounds.submission_id = assessment.submission_id
            and rounds.household_id = assessment.household_id
            and rounds.survey_round = assessment.survey_round
)

select * from risk
