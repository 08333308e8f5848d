{#-
    received = stored + duplicate + rejected + conflict for every upload, and what the ledger
    calls stored is in the raw table of its form, was exported from it, or was
    erased because its household asked for it. Every form that has a contract is looked at.
-#}
-- depends_on: {{ source('household_survey', 'submissions') }}
with

ledger as (
    select * from {{ source('ledger', 'ingestions') }}
),

submissions as (
    {% for node in raw_forms() %}
        select
            '{{ node.source_name }}' as form,
            ingestion_id
        from {{ node.relation_name }}
        {{ 'union all' if not loop.last }}
    {% else %}
        select
            form,
            ingestion_id
        from ledger
    {% endfor %}
),

exported as (
    select * from {{ exported_rows() }}
),

counted as (
    select
        form,
        ingestion_id,
        count(*) as rows_in_raw
    from submissions
    group by
        form,
        ingestion_id
),

unbalanced as (
    select
        ledger.ingestion_id,
        ledger.form,
        ledger.received_rows,
        ledger.stored_rows,
        ledger.duplicate_rows,
        ledger.rejected_rows,
        ledger.conflict_rows,
        ledger.erased_rows,
        counted.rows_in_raw,
        exported.rows as rows_in_archive
    from ledger
    left join counted
        on
            ledger.ingestion_id = counted.ingestion_id
            and ledger.form = counted.form
    left join exported
        on
            ledger.ingestion_id = exported.ingestion_id
            and ledger.form = exported.form
    where
        ledger.received_rows
        <> ledger.stored_rows + ledger.duplicate_rows + ledger.rejected_rows + ledger.conflict_rows
        or ledger.stored_rows <> coalesce(counted.rows_in_raw, 0) + coalesce(exported.rows, 0) + ledger.erased_rows
)

select * from unbalanced
