{#- Reads the one row of the run's quality, so that a run which its gates stop does not come this far. -#}
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

sorted as (
    select
        judged.*,
        case
            when judged.corrected_by is not null then 'superseded'
            when judged.failed_rules <> '{}' or judged.decision = 'discard' then 'quarantined'
            when batches.gate_status = 'held' then 'held'
        end as reason_to_stay
    from judged
    inner join batches on judged.ingestion_id = batches.ingestion_id
    cross join run_quality
),

ranked as (
    select
        sorted.*,
        row_number() over (
            partition by household_id, survey_round, reason_to_stay
            order by stated_at desc, received_at desc, row_number desc, submission_id desc
        ) as recency
    from sorted
),

outcomes as (
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
        waived_rules,
        flagged_rules,
        corrected_by,
        decision,
        coalesce(reason_to_stay, case when recency = 1 then 'released' else 'superseded' end) as outcome,
        survey_date,
        stated_at,
        received_at
    from ranked
)

select * from outcomes
