{{ config(materialized='view') }}

with

keys as (
    select * from {{ source('ledger', 'submission_keys') }}
),

renamed as (
    select
        identity,
        form,
        ingestion_id,
        row_number
    from keys
)

select * from renamed
