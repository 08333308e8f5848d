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
    sha256,
    duplicate_rows,
    rejected_rows,
    client,
    device,
    received_at
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

-- name: abouts
select distinct
    ingestion_id,
    {identifier} as about
from {raw_table}
where {identifier} is not null;

-- name: corrections
select distinct
    correcting.ingestion_id,
    corrected.ingestion_id as other_id
from {raw_table} as correcting
inner join {raw_table} as corrected on correcting.deprecates = corrected.submission_key;

-- name: resends
select distinct
    repeated_rows.ingestion_id,
    submission_keys.ingestion_id as other_id
from raw.repeated_rows
inner join raw.submission_keys on repeated_rows.identity = submission_keys.identity;

-- name: known_districts
select district
from marts.rpt_district_summary
where households >= 5;

-- name: rows_of_form
select survey.*
from {raw_table} as survey
inner join unnest(%(uploads)s::text[], %(names)s::text[]) as uploads (ingestion_id, copied_as)
    on survey.ingestion_id = uploads.ingestion_id
order by
    uploads.copied_as,
    survey.row_number;

-- name: keys
select
    submission_keys.identity,
    submission_keys.form,
    submission_keys.content_hash,
    submission_keys.ingestion_id,
    submission_keys.row_number
from raw.submission_keys
inner join unnest(%(uploads)s::text[], %(names)s::text[]) as uploads (ingestion_id, copied_as)
    on submission_keys.ingestion_id = uploads.ingestion_id
order by
    uploads.copied_as,
    submission_keys.row_number;

-- name: repeats
select
    repeated_rows.ingestion_id,
    repeated_rows.row_number,
    repeated_rows.identity
from raw.repeated_rows
inner join unnest(%(uploads)s::text[], %(names)s::text[]) as uploads (ingestion_id, copied_as)
    on repeated_rows.ingestion_id = uploads.ingestion_id
order by
    uploads.copied_as,
    repeated_rows.row_number;

-- name: rejects
select
    rejected_rows.ingestion_id,
    rejected_rows.row_number,
    rejected_rows.reason_code
from raw.rejected_rows
inner join unnest(%(uploads)s::text[], %(names)s::text[]) as uploads (ingestion_id, copied_as)
    on rejected_rows.ingestion_id = uploads.ingestion_id
order by
    uploads.copied_as,
    rejected_rows.row_number;

-- name: copy_into
copy {table} ({columns}) from stdin;

-- name: continue_numbers
select setval('raw.ingestion_number', greatest(%(last)s, 1), %(last)s > 0);
