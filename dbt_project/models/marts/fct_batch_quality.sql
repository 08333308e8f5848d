{#- Reads the one row of the run's quality: a run that its gates stop does not come this far. -#}
{{ config(indexes=[{'columns': ['ingestion_id'], 'unique': true}]) }}

with

batches as (
    select * from {{ ref('int_batch_quality') }}
),

run_quality as (
    select * from {{ ref('int_run_quality') }}
),

uploads as (
    select * from {{ ref('stg_ledger__ingestions') }}
),

described as (
    select
        batches.ingestion_id,
        uploads.source,
        batches.gate_status,
        batches.submissions,
        batches.rejected_submissions,
        batches.flagged_submissions,
        batches.completeness_passed,
        batches.completeness_checked,
        batches.validity_passed,
        batches.validity_checked,
        batches.uniqueness_passed,
        batches.uniqueness_checked,
        batches.consistency_passed,
        batches.consistency_checked,
        batches.timeliness_passed,
        batches.timeliness_checked,
        uploads.received_at
    from batches
    inner join uploads on batches.ingestion_id = uploads.ingestion_id
    cross join run_quality
),

scored as (
    select
        ingestion_id,
        source,
        gate_status,
        submissions,
        rejected_submissions,
        flagged_submissions,
        completeness_passed,
        completeness_checked,
        validity_passed,
        validity_checked,
        uniqueness_passed,
        uniqueness_checked,
        consistency_passed,
        consistency_checked,
        timeliness_passed,
        timeliness_checked,
        {{ quality_score() }} as quality_score,
        round(100.0 * rejected_submissions / submissions, 2) as rejected_percent,
        received_at
    from described
)

select * from scored
