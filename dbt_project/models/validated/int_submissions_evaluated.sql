{#- Rules that read a row alone are decided once; by another list of rules than the one before, all are again. -#}
{%- set rules = evaluated_rules() %}
{%- set dimensions = ['validity', 'consistency', 'timeliness'] %}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        pre_hook='{{ forget_other_rule_sets() }}',
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
    {% if is_incremental() %}
        where not exists (
            select 1
            from {{ this }} as evaluated
            where evaluated.ingestion_id = stg_household_survey__submissions.ingestion_id
        )
    {% endif %}
),

broken as (
    select
        submissions.submission_id,
        submissions.ingestion_id,
        submissions.row_number,
        submissions.household_id,
        {{ evaluated_round('submissions') }} as survey_round,
        submissions.district,
        submissions.cluster,
        submissions.village,
        submissions.enumerator_id,
        submissions.device_id,
        {{ broken_rules(rules, 'reject') }} as failed_rules,
        {{ broken_rules(rules, 'flag') }} as flagged_rules,
        submissions.cast_error_columns,
        {{ count_owed(rules) }} as completeness_checked,
        {{ count_owed(rules, filled=true) }} as completeness_passed,
        {% for dimension in dimensions %}
            {{ count_checked(rules, dimension) }} as {{ dimension }}_checked,
        {% endfor %}
        submissions.survey_date,
        submissions.received_at
    from submissions
    offset 0  {#- a fence: no rule is evaluated twice #}
),

evaluated as (
    select
        submission_id,
        ingestion_id,
        row_number,
        household_id,
        survey_round,
        district,
        cluster,
        village,
        enumerator_id,
        device_id,
        failed_rules,
        flagged_rules,
        cast_error_columns,
        '{{ rule_set() }}' as rule_set,
        completeness_passed,
        completeness_checked,
        {% for dimension in dimensions %}
            {{ dimension }}_checked
            - {{ count_broken(rules, dimension, 'failed_rules') }}
            - {{ count_broken(rules, dimension, 'flagged_rules') }} as {{ dimension }}_passed,
            {{ dimension }}_checked,
        {% endfor %}
        survey_date,
        received_at
    from broken
)

select * from evaluated
