{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

{%- set rules = household_survey_rules() %}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

rounds as (
    select
        *,
        coalesce(survey_round, to_char(survey_date, 'YYYY'), 'undated') as evaluated_round
    from submissions
),

identified as (
    select
        *,
        count(*) over (
            partition by ingestion_id, household_id, evaluated_round
        ) as rows_with_identifier
    from rounds
),

evaluated as (
    select
        submission_id,
        ingestion_id,
        row_number,
        household_id,
        evaluated_round as survey_round,
        district,
        village,
        {{ broken_rules(rules, 'reject') }} as failed_rules,
        {{ broken_rules(rules, 'flag') }} as flagged_rules,
        cast_error_columns,
        received_at
    from identified
)

select * from evaluated
