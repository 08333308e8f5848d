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

conflicts as (
    select * from {{ ref('stg_review__conflicts') }}
),

ingestions as (
    select * from {{ ref('stg_ledger__ingestions') }}
),

corrected as (
    select deprecates as submission_id
    from submissions
    where deprecates <> submission_id
),

-- A refusal is heard even where it came under the name of a survey that is stored; a consent is not.
answers as (
    select
        household_id,
        consent,
        survey_date,
        received_at
    from submissions
    where
        consent is not null
        and not exists (
            select 1
            from corrected
            where corrected.submission_id = submissions.submission_id
        )
    union all
    select
        conflicts.household_id,
        conflicts.consent,
        conflicts.survey_date,
        ingestions.received_at
    from conflicts
    inner join ingestions on conflicts.ingestion_id = ingestions.ingestion_id
    where conflicts.consent is false
),

refusing as (
    select distinct household_id
    from answers
    where consent is false
),

stated as (
    select
        answers.household_id,
        answers.consent,
        row_number() over (
            partition by answers.household_id
            order by
                least(answers.survey_date, answers.received_at::date) desc,
                answers.received_at desc,
                answers.consent asc
        ) as recency
    from answers
    inner join refusing on answers.household_id = refusing.household_id
),

withdrawn as (
    select household_id
    from stated
    where recency = 1 and not consent
)

select * from withdrawn
