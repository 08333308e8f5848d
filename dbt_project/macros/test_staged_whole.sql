{# The test `staged_whole`. Of every upload that is staged all rows are, and every upload is that was loaded well before
   the run began. What is loaded while a run is under way may wait for the next. #}
{% test staged_whole(model, form) %}
    with

    ledger as (
        select
            ingestion_id,
            stored_rows - erased_rows as stored_rows,
            loaded_at
        from {{ source('ledger', 'ingestions') }}
        where form = '{{ form }}'
    ),

    staged as (
        select
            ingestion_id,
            count(*) as staged_rows
        from {{ model }}
        group by ingestion_id
    ),

    incomplete as (
        select
            coalesce(ledger.ingestion_id, staged.ingestion_id) as ingestion_id,
            ledger.stored_rows,
            staged.staged_rows
        from ledger
        full join staged on ledger.ingestion_id = staged.ingestion_id
        where
            coalesce(ledger.stored_rows, 0) <> coalesce(staged.staged_rows, 0)
            and (
                staged.ingestion_id is not null
                or ledger.loaded_at < '{{ run_started_at.isoformat() }}'::timestamptz - interval '10 minutes'
            )
    )

    select * from incomplete
{% endtest %}
