{{ config(materialized='view') }}

with

repeated as (
    select * from {{ source('ledger', 'repeated_rows') }}
),

renamed as (
    select
        ingestion_id,
        row_number,
        identity
    from repeated
)

select * from renamed
