-- name: has_uploads
select exists (select 1 from raw.ingestions) as has_uploads;

-- name: uploads
select
    ingestion_id,
    form,
    form_version,
    source,
    filename,
    content_type,
    size_bytes,
    sha256,
    duplicate_rows,
    rejected_rows,
    client,
    device,
    attempts,
    received_at,
    loaded_at,
    load_seconds
from raw.ingestions
where status = 'loaded'
order by
    received_at,
    ingestion_id;

-- name: stored_rows
select
    ingestion_id,
    count(*) as stored_rows
from {raw_table}
group by ingestion_id;

-- name: rows_of_form
select *
from {raw_table};

-- name: keys
select
    identity,
    form,
    content_hash,
    ingestion_id,
    row_number
from raw.submission_keys;

-- name: repeats
select
    ingestion_id,
    row_number,
    identity
from raw.repeated_rows;

-- name: rejects
select
    ingestion_id,
    row_number,
    reason_code
from raw.rejected_rows;

-- name: copy_into
copy {table} ({columns}) from stdin;

-- name: continue_numbers
select setval('raw.ingestion_number', greatest(%(last)s, 1), %(last)s > 0);
