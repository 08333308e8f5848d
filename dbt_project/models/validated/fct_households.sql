{{
    config(
        indexes=[
            {'columns': ['household_id', 'survey_round'], 'unique': true},
            {'columns': ['submission_id'], 'unique': true},
            {'columns': ['ingestion_id']},
        ],
    )
}}

{%- set own_columns = ['submission_id', 'household_id', 'survey_round', 'consent'] %}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

evaluated as (
    select * from {{ ref('int_submissions_evaluated') }}
),

accepted as (
    select
        submission_id,
        household_id,
        survey_round,
        flagged_rules,
        row_number() over (
            partition by household_id, survey_round
            order by stated_at desc, received_at desc, row_number desc, submission_id desc
        ) as recency
    from evaluated
    where failed_rules = '{}' and corrected_by is null
),

released as (
    select
        accepted.household_id,
        accepted.survey_round,
        accepted.submission_id,
        submissions.ingestion_id,
        {% for name in contract_field_names('household_survey', own_columns) %}
            submissions.{{ name }},
        {% endfor %}
        accepted.flagged_rules,
        submissions.cast_error_columns,
        submissions.received_at
    from accepted
    inner join submissions on accepted.submission_id = submissions.submission_id
    where accepted.recency = 1
)

select * from released
