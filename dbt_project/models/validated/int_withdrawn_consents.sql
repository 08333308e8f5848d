{#- Few households ever refuse: only what was sent about those is looked at. -#}
{{
    config(
        indexes=[
            {'columns': ['household_id'], 'unique': true},
        ],
    )
}}

with

submissions as (
    select * from {{ ref('stg_household_survey__submissions') }}
),

corrected as (
    select deprecates as submission_id
    from submissions
    where deprecates <> submission_id
),

refusing as (
    select distinct household_id
    from submissions
    where consent is false
),

stated as (
    select
        submissions.household_id,
        submissions.consent,
        row_number() over (
            partition by submissions.household_id
            order by
                least(submissions.survey_date, submissions.received_at::date) desc,
                submissions.received_at desc,
                submissions.consent asc
        ) as recency
    from submissions
    inner join refusing on submissions.household_id = refusing.household_id
    where
        submissions.consent is not null
        and not exists (
            select 1
            from corrected
            where corrected.submission_id = submissions.submission_id
        )
),

withdrawn as (
    select household_id
    from stated
    where recency = 1 and not consent
)

select * from withdrawn
