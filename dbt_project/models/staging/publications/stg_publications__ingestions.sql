{{ config(materialized='view') }}

with

ingestions as (
    select * from {{ source('publications', 'published_ingestions') }}
),

renamed as (
    select
        ingestion_id,
        published_at
    from ingestions
)

select * from renamed
