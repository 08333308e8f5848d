{{ config(materialized='view') }}

with

decisions as (
    select * from {{ source('review', 'decisions') }}
),

numbered as (
    select
        decision_id,
        submission_id,
        ingestion_id,
        corrected_by,
        decision,
        rules,
        decided_by,
        reason,
        row_number() over (partition by submission_id, ingestion_id order by decision_id desc) = 1 as is_latest,
        decided_at
    from decisions
)

select * from numbered
