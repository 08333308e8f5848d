-- name: known_objects
select
    object_key,
    min(form) as form,
    min(ingestion_id) as ingestion_id,
    count(*) as references_count,
    min(content_type) as content_type
from (
    select
        object_key,
        form,
        ingestion_id,
        content_type
    from raw.ingestions
    union all
    select
        object_key,
        form,
        ingestion_id,
        content_type
    from raw.attachments
    union all
    select
        object_key,
        form,
        ingestion_id,
        'application/vnd.apache.parquet' as content_type
    from raw.exported_rows
) as reference
where starts_with(object_key, %(prefix)s)
group by object_key;

-- name: named_objects
select object_key from raw.ingestions
where object_key = any(%(keys)s)
union
select object_key from raw.attachments
where object_key = any(%(keys)s);

-- name: lock_object
-- Whoever writes an object whose key it may share with one that is deleted, and whoever deletes it, come one by one.
select pg_advisory_xact_lock(hashtextextended(%(key)s, 0));

-- name: pending_copies
select object_key
from ops.pending_copies
where queued_at <= %(until)s
order by queued_at
limit %(limit)s;

-- name: waiting_copies
select object_key from ops.pending_copies;

-- name: forget_copy
delete from ops.pending_copies
where object_key = %(key)s;

-- name: postpone_copy
update ops.pending_copies
set queued_at = clock_timestamp()
where object_key = %(key)s;

-- name: find_delivery
select
    ingestion_id,
    status,
    error_code,
    error_message,
    received_at
from raw.ingestions
where source = 'inbox' and client = %(client)s and idempotency_key = %(delivery)s
order by received_at
limit 1;

-- name: open_receipt
insert into ops.open_receipts (ingestion_id, receipt_key)
values (%(ingestion_id)s, %(receipt_key)s)
on conflict do nothing;

-- name: landed_receipts
select
    receipts.receipt_key,
    ingestions.*
from ops.open_receipts as receipts
inner join raw.ingestions as ingestions on receipts.ingestion_id = ingestions.ingestion_id
where ingestions.status <> 'received'
order by receipts.ingestion_id
limit 1000;

-- name: close_receipt
delete from ops.open_receipts
where ingestion_id = %(ingestion_id)s;
