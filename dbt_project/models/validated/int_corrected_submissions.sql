{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

with

corrections as (
    select
        deprecates,
        submission_id
    from {{ ref('stg_household_survey__submissions') }}
    where deprecates <> submission_id
),

corrected as (
    select
        deprecates as submission_id,
        max(submission_id) as corrected_by
    from corrections
    group by deprecates
)

select * from corrected
