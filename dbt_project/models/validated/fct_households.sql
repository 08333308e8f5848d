{#- What a submission says never changes: rows of households whose submission, its flags and waivers stay are left
    alone. -#}
{%- set own_columns = ['submission_id', 'household_id', 'survey_round', 'consent'] %}
{{
    config(
        materialized='incremental',
        incremental_strategy='reconcile',
        unique_key='household_round_id',
        on_schema_change='append_new_columns',
        indexes=[
            {'columns': ['household_round_id'], 'unique': true},
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

outcomes as (
    select * from {{ ref('int_submission_outcomes') }}
    where outcome = 'released'
),

released as (
    select
        {{ joined_key(['outcomes.household_id', 'outcomes.survey_round']) }} as household_round_id,
        outcomes.submission_id,
        outcomes.household_id,
        outcomes.survey_round,
        outcomes.waived_rules,
        outcomes.flagged_rules
    from outcomes
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as standing
            where
                standing.submission_id = outcomes.submission_id
                and standing.waived_rules = outcomes.waived_rules
                and standing.flagged_rules = outcomes.flagged_rules
        )
    {% endif %}
),

households as (
    select
        released.household_round_id,
        released.submission_id,
        submissions.ingestion_id,
        released.household_id,
        released.survey_round,
        {% for name in contract_field_names('household_survey', own_columns) %}
            submissions.{{ name }},
        {% endfor %}
        released.waived_rules,
        released.flagged_rules,
        submissions.cast_error_columns,
        submissions.received_at
    from released
    inner join submissions on released.submission_id = submissions.submission_id
)

select * from households
