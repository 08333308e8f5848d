{{ config(materialized='view') }}

with

ingestions as (
    select * from {{ source('ledger', 'ingestions') }}
),

selected as (
    select
        ingestion_id,
        form,
        source,
        filename is not null as is_file,
        duplicate_of is not null as is_resend,
        received_at
    from ingestions
)

select * from selected
