{#- Only households of several submissions are looked at: the others, nearly all, cannot collide. They are found by a
    hash, which is cheap, and told apart by their names afterwards. -#}
{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

with

submissions as not materialized (
    select
        submissions.submission_id,
        submissions.ingestion_id,
        submissions.row_number,
        submissions.household_id,
        {{ evaluated_round('submissions') }} as survey_round,
        hashtextextended(submissions.household_id || {{ evaluated_round('submissions') }}, 0) as household_hash,
        submissions.received_at
    from {{ ref('stg_household_survey__submissions') }} as submissions
    where submissions.household_id is not null
),

corrections as (
    select
        submission_id,
        deprecates
    from {{ ref('stg_household_survey__submissions') }}
    where deprecates is not null
),

uploads as (
    select * from {{ ref('stg_ledger__ingestions') }}
),

submission_keys as (
    select * from {{ ref('stg_ledger__submission_keys') }}
    where form = 'household_survey'
),

repeated_rows as (
    select * from {{ ref('stg_ledger__repeated_rows') }}
),

shared as (
    select household_hash
    from submissions
    group by household_hash
    having count(*) > 1
),

uncorrected as (
    select
        submissions.*,
        count(*) over (
            partition by submissions.household_id, submissions.survey_round
        ) as statements
    from submissions
    inner join shared on submissions.household_hash = shared.household_hash
    left join corrections
        on
            submissions.submission_id = corrections.deprecates
            and submissions.submission_id <> corrections.submission_id
    where corrections.submission_id is null
),

standing as (
    select * from uncorrected
    where statements > 1
),

repeats as (
    select
        standing.submission_id,
        repeated_rows.ingestion_id,
        standing.household_id,
        standing.survey_round,
        uploads.is_file and not uploads.is_resend as can_settle,
        uploads.received_at
    from repeated_rows
    inner join uploads on repeated_rows.ingestion_id = uploads.ingestion_id
    inner join submission_keys on repeated_rows.identity = submission_keys.identity
    inner join standing
        on
            submission_keys.ingestion_id = standing.ingestion_id
            and submission_keys.row_number = standing.row_number
),

mentions as (
    select
        submission_id,
        ingestion_id,
        household_id,
        survey_round,
        true as is_new,
        received_at
    from standing
    union all
    select
        submission_id,
        ingestion_id,
        household_id,
        survey_round,
        false as is_new,
        received_at
    from repeats
),

contested as (
    select
        ingestion_id,
        household_id,
        survey_round,
        bool_or(is_new) as has_news
    from mentions
    group by
        ingestion_id,
        household_id,
        survey_round
    having min(submission_id) <> max(submission_id)
),

collided as (
    select
        mentions.submission_id,
        max(mentions.received_at) as collided_at
    from mentions
    inner join contested
        on
            mentions.ingestion_id = contested.ingestion_id
            and mentions.household_id = contested.household_id
            and mentions.survey_round = contested.survey_round
    where contested.has_news
    group by mentions.submission_id
),

restated as (
    select
        repeats.submission_id,
        max(repeats.received_at) as restated_at
    from repeats
    inner join collided
        on
            repeats.submission_id = collided.submission_id
            and repeats.received_at > collided.collided_at
    left join contested
        on
            repeats.ingestion_id = contested.ingestion_id
            and repeats.household_id = contested.household_id
            and repeats.survey_round = contested.survey_round
    where repeats.can_settle and contested.ingestion_id is null
    group by repeats.submission_id
),

collisions as (
    select
        collided.submission_id,
        collided.collided_at,
        restated.restated_at
    from collided
    left join restated on collided.submission_id = restated.submission_id
)

select * from collisions
