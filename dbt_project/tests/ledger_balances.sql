{#-
    received = stored + duplicate + rejected + conflict for every upload, and what the ledger
    calls stored is in raw.
-#}
with

ledger as (
    select * from {{ source('ledger', 'ingestions') }}
),

surveys as (
    select * from {{ source('raw', 'household_survey') }}
),

counted as (
    select
        ingestion_id,
        count(*) as rows_in_raw
    from surveys
    group by ingestion_id
),

unbalanced as (
    select
        ledger.ingestion_id,
        ledger.received_rows,
        ledger.stored_rows,
        ledger.duplicate_rows,
        ledger.rejected_rows,
        ledger.conflict_rows,
        counted.rows_in_raw
    from ledger
    left join counted on ledger.ingestion_id = counted.ingestion_id
    where
        ledger.form = 'household_survey'
        and (
            ledger.received_rows
            <> ledger.stored_rows + ledger.duplicate_rows + ledger.rejected_rows + ledger.conflict_rows
            or ledger.stored_rows <> coalesce(counted.rows_in_raw, 0)
        )
)

select * from unbalanced
