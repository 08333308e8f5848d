-- name: insert_ingestion
with numbered as (
    select nextval('raw.ingestion_number')::text as number
)

insert into raw.ingestions (
    ingestion_id,
    form,
    form_version,
    source,
    status,
    filename,
    content_type,
    size_bytes,
    sha256,
    object_key,
    duplicate_of,
    estimated_rows,
    error_code,
    error_message
)
select
    'ing_' || to_char(now() at time zone 'utc', 'YYYYMMDD') || '_' || lpad(number, greatest(6, length(number)), '0'),
    %(form)s,
    %(form_version)s,
    %(source)s,
    %(status)s,
    %(filename)s,
    %(content_type)s,
    %(size_bytes)s,
    %(sha256)s,
    %(object_key)s,
    (
        select earlier.ingestion_id
        from raw.ingestions as earlier
        where
            earlier.sha256 = %(sha256)s
            and earlier.form = %(form)s
            and earlier.status in ('received', 'loaded')
        order by earlier.received_at
        limit 1
    ),
    %(estimated_rows)s,
    %(error_code)s,
    %(error_message)s
from numbered
returning ingestion_id, duplicate_of, received_at;

-- name: insert_body
insert into raw.bodies (ingestion_id, body)
values (%(ingestion_id)s, %(body)s);

-- name: claim_pending
select
    ingestion_id,
    form,
    source,
    object_key,
    sha256,
    received_at
from raw.ingestions
where status = 'received' and (%(ingestion_id)s::text is null or ingestion_id = %(ingestion_id)s)
order by received_at
limit 1
for update skip locked;

-- name: create_incoming
create temporary table incoming (
    submission_key text not null,
    content_hash text not null,
    row_number bigint not null
) on commit drop;

-- name: copy_incoming
copy incoming (submission_key, content_hash, row_number) from stdin (format csv);

-- name: insert_keys
insert into raw.submission_keys (form, submission_key, content_hash, ingestion_id, row_number)
select
    %(form)s,
    submission_key,
    content_hash,
    %(ingestion_id)s,
    row_number
from incoming
order by submission_key, row_number
on conflict (form, submission_key) do nothing
returning row_number;

-- name: conflicting_rows
select incoming.row_number
from incoming
inner join raw.submission_keys as stored
    on
        stored.form = %(form)s
        and incoming.submission_key = stored.submission_key
        and incoming.content_hash <> stored.content_hash;

-- name: empty_incoming
truncate incoming;

-- name: copy_rejected
copy raw.rejected_rows (ingestion_id, row_number, reason_code, message, content) from stdin (format csv);

-- name: copy_conflicts
copy review.conflicts (form, submission_key, content_hash, ingestion_id, row_number, content) from stdin (format csv);

-- name: finish_ingestion
update raw.ingestions
set
    status = 'loaded',
    received_rows = %(received_rows)s,
    stored_rows = %(stored_rows)s,
    duplicate_rows = %(duplicate_rows)s,
    rejected_rows = %(rejected_rows)s,
    conflict_rows = %(conflict_rows)s,
    unknown_fields = %(unknown_fields)s,
    notices = %(notices)s,
    attempts = attempts + 1,
    loaded_at = clock_timestamp(),
    load_seconds = %(load_seconds)s
where ingestion_id = %(ingestion_id)s;

-- name: fail_ingestion
update raw.ingestions
set
    status = 'failed',
    attempts = attempts + 1,
    error_code = %(error_code)s,
    error_message = %(error_message)s
where ingestion_id = %(ingestion_id)s;

-- name: get_ingestion
select *
from raw.ingestions
where ingestion_id = %(ingestion_id)s;

-- name: rejected_rows
select
    row_number,
    reason_code,
    message
from raw.rejected_rows
where ingestion_id = %(ingestion_id)s
order by row_number
limit %(limit)s;

-- name: analyst_ingestion
select
    released_submissions,
    superseded_submissions,
    quarantined_submissions,
    predicted_households,
    vulnerable_households
from marts.rpt_ingestions
where ingestion_id = %(ingestion_id)s;

-- name: has_ingestion_mart
select to_regclass('marts.rpt_ingestions') is not null;

-- name: processing_times
select
    percentile_cont(0.25) within group (order by extract(epoch from finished_at - started_at)) as lower_seconds,
    percentile_cont(0.75) within group (order by extract(epoch from finished_at - started_at)) as upper_seconds
from (
    select
        started_at,
        finished_at
    from ops.pipeline_runs
    where status = 'succeeded'
    order by started_at desc
    limit 20
) as recent;

-- name: next_bodies
select
    ingestions.ingestion_id,
    ingestions.form,
    bodies.body
from raw.bodies as bodies
inner join raw.ingestions as ingestions on bodies.ingestion_id = ingestions.ingestion_id
where ingestions.form = %(form)s
order by ingestions.ingestion_id
limit 10000
for update of bodies skip locked;

-- name: bundle_bodies
with bundled as (
    delete from raw.bodies
    where ingestion_id = any(%(ingestion_ids)s)
    returning ingestion_id
)

update raw.ingestions
set object_key = %(object_key)s
from bundled
where ingestions.ingestion_id = bundled.ingestion_id;
