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

collisions as (
    select * from {{ ref('int_identifier_collisions') }}
),

corrected as (
    select * from {{ ref('int_corrected_submissions') }}
),

identified as (
    select
        submissions.*,
        {{ evaluated_round('submissions') }} as evaluated_round,
        collisions.submission_id is not null and collisions.restated_at is null as is_identifier_contested,
        coalesce(collisions.restated_at, submissions.received_at) as stated_at,
        corrected.corrected_by
    from submissions
    left join collisions on submissions.submission_id = collisions.submission_id
    left join corrected on submissions.submission_id = corrected.submission_id
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
        corrected_by,
        stated_at,
        received_at
    from identified
)

select * from evaluated
