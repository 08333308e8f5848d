{#- Reads the one row of the run's quality, so that a run which its gates stop does not come this far. Only households
    of several accepted submissions need ranks; they are found by a hash. -#}
{{
    config(
        indexes=[
            {'columns': ['submission_id'], 'unique': true},
        ],
    )
}}

with

judged as (
    select * from {{ ref('int_submissions_judged') }}
),

batches as (
    select * from {{ ref('int_batch_quality') }}
),

run_quality as (
    select * from {{ ref('int_run_quality') }}
),

sorted as not materialized (
    select
        judged.*,
        hashtextextended(judged.household_id || judged.survey_round, 0) as household_hash,
        case
            when judged.corrected_by is not null then 'superseded'
            when judged.failed_rules <> '{}' or judged.decision = 'discard' then 'quarantined'
            when batches.gate_status = 'held' then 'held'
        end as reason_to_stay
    from judged
    inner join batches on judged.ingestion_id = batches.ingestion_id
    cross join run_quality
),

shared as (
    select household_hash
    from sorted
    where reason_to_stay is null
    group by household_hash
    having count(*) > 1
),

ranked as (
    select
        sorted.submission_id,
        row_number() over (
            partition by sorted.household_id, sorted.survey_round
            order by sorted.stated_at desc, sorted.received_at desc, sorted.row_number desc, sorted.submission_id desc
        ) as recency
    from sorted
    inner join shared on sorted.household_hash = shared.household_hash
    where sorted.reason_to_stay is null
),

outcomes as (
    select
        sorted.submission_id,
        sorted.ingestion_id,
        sorted.row_number,
        sorted.household_id,
        sorted.survey_round,
        sorted.district,
        sorted.cluster,
        sorted.village,
        sorted.enumerator_id,
        sorted.device_id,
        sorted.failed_rules,
        sorted.waived_rules,
        sorted.flagged_rules,
        sorted.corrected_by,
        sorted.decision,
        coalesce(sorted.reason_to_stay, case when ranked.recency > 1 then 'superseded' else 'released' end) as outcome,
        sorted.survey_date,
        sorted.stated_at,
        sorted.received_at
    from sorted
    left join ranked on sorted.submission_id = ranked.submission_id
)

select * from outcomes
