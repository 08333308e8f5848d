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
    error_message,
    client,
    device,
    idempotency_key,
    options
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
            earlier.form = %(form)s
            and earlier.status in ('received', 'loaded')
            and earlier.sha256 = %(sha256)s
        order by earlier.received_at
        limit 1
    ),
    %(estimated_rows)s,
    %(error_code)s,
    %(error_message)s,
    %(client)s,
    %(device)s,
    %(idempotency_key)s,
    %(options)s
from numbered
returning ingestion_id, duplicate_of, received_at;

-- name: insert_surveys
with
arrived as (
    select
        survey.*,
        nextval('raw.ingestion_number')::text as number,
        row_number() over (partition by survey.identity order by survey.position) as occurrence
    from jsonb_to_recordset(%(surveys)s::jsonb) as survey (
        position integer,
        identity uuid,
        content_hash uuid,
        source text,
        content_type text,
        body text,
        size_bytes bigint,
        sha256 text,
        client text,
        device text,
        idempotency_key text,
        unknown_fields jsonb,
        personal_fields jsonb,
        names_request boolean
    )
),

numbered as (
    select
        *,
        'ing_' || to_char(now() at time zone 'utc', 'YYYYMMDD') || '_' || lpad(number, greatest(6, length(number)), '0')
            as ingestion_id
    from arrived
),

claimed as (
    insert into raw.submission_keys (identity, form, content_hash, ingestion_id, row_number)
    select
        identity,
        %(form)s,
        content_hash,
        ingestion_id,
        1
    from numbered
    where occurrence = 1
    order by identity
    on conflict (identity) do update
    set content_hash = submission_keys.content_hash
    returning new.identity, new.content_hash, new.ingestion_id
),

-- A survey that bears the name of its request is known by its content as well, for whoever sends it without.
known_by_content as (
    insert into raw.submission_keys (identity, form, content_hash, ingestion_id, row_number)
    select distinct on (numbered.content_hash)
        numbered.content_hash,
        %(form)s,
        numbered.content_hash,
        numbered.ingestion_id,
        1
    from numbered
    inner join claimed on numbered.ingestion_id = claimed.ingestion_id
    where numbered.identity <> numbered.content_hash and numbered.names_request
    order by numbered.content_hash
    on conflict do nothing
),

judged as (
    select
        numbered.*,
        claimed.ingestion_id as stored_by,
        case
            when numbered.ingestion_id = claimed.ingestion_id then 'stored'
            when numbered.content_hash = claimed.content_hash then 'duplicate'
            else 'conflict'
        end as outcome
    from numbered
    inner join claimed on numbered.identity = claimed.identity
),

ledger as (
    insert into raw.ingestions (
        ingestion_id,
        form,
        form_version,
        source,
        status,
        content_type,
        size_bytes,
        sha256,
        duplicate_of,
        estimated_rows,
        received_rows,
        stored_rows,
        duplicate_rows,
        conflict_rows,
        unknown_fields,
        personal_fields,
        attempts,
        loaded_at,
        load_seconds,
        client,
        device,
        idempotency_key
    )
    select
        ingestion_id,
        %(form)s,
        %(form_version)s,
        source,
        'loaded',
        content_type,
        size_bytes,
        sha256,
        case outcome when 'duplicate' then stored_by end,
        1,
        1,
        (outcome = 'stored')::int,
        (outcome = 'duplicate')::int,
        (outcome = 'conflict')::int,
        coalesce(unknown_fields, '{}'),
        case outcome when 'duplicate' then '[]' else coalesce(personal_fields, '[]') end,
        1,
        now(),
        0,
        client,
        device,
        idempotency_key
    from judged
),

bodies as (
    insert into raw.bodies (ingestion_id, body)
    select
        ingestion_id,
        body
    from judged
),

repeated as (
    insert into raw.repeated_rows (ingestion_id, row_number, identity)
    select
        ingestion_id,
        1,
        identity
    from judged
    where outcome = 'duplicate'
),

sent_again as (
    insert into raw.resent_rows (ingestion_id, row_number)
    select
        judged.ingestion_id,
        1
    from judged
    inner join raw.erased_identities on judged.identity = erased_identities.identity
    where judged.outcome = 'duplicate'
)

select
    position,
    ingestion_id,
    outcome,
    now() as received_at
from judged
order by position;

-- name: insert_body
insert into raw.bodies (ingestion_id, body)
values (%(ingestion_id)s, %(body)s);

-- name: claim_pending
select
    ingestion_id,
    form,
    source,
    object_key,
    filename,
    options,
    sha256,
    received_at
from raw.ingestions
where status = 'received' and (%(ingestion_id)s::text is null or ingestion_id = %(ingestion_id)s)
order by received_at
limit 1
for update skip locked;

-- name: copy_identities
copy raw.submission_keys (identity, form, content_hash, ingestion_id, row_number) from stdin (format csv);

-- name: claim_identities
insert into raw.submission_keys (identity, form, content_hash, ingestion_id, row_number)
select
    incoming.identity,
    %(form)s,
    incoming.content_hash,
    %(ingestion_id)s,
    incoming.row_number
from unnest(%(identities)s::uuid[], %(content_hashes)s::uuid[], %(row_numbers)s::bigint[])
    as incoming (identity, content_hash, row_number)
order by incoming.identity, incoming.row_number
on conflict do nothing
returning row_number;

-- name: note_repeated
with
repeated as (
    select
        incoming.row_number,
        incoming.identity,
        incoming.content_hash <> stored.content_hash as differs
    from unnest(%(identities)s::uuid[], %(content_hashes)s::uuid[], %(row_numbers)s::bigint[])
        as incoming (identity, content_hash, row_number)
    cross join lateral (
        select submission_keys.content_hash
        from raw.submission_keys
        where submission_keys.identity = incoming.identity
        limit 1
    ) as stored
),

noted as (
    insert into raw.repeated_rows (ingestion_id, row_number, identity)
    select
        %(ingestion_id)s,
        row_number,
        identity
    from repeated
    where not differs
),

sent_again as (
    insert into raw.resent_rows (ingestion_id, row_number)
    select
        %(ingestion_id)s,
        repeated.row_number
    from repeated
    inner join raw.erased_identities on repeated.identity = erased_identities.identity
    where not repeated.differs
)

select
    row_number,
    differs
from repeated;

-- name: copy_rejected
copy raw.rejected_rows (ingestion_id, row_number, reason_code, message) from stdin (format csv);

-- name: copy_personal
copy raw.personal (ingestion_id, row_number, key_id, token) from stdin (format csv);

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
    personal_fields = %(personal_fields)s,
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

-- name: set_progress
insert into raw.ingestion_progress (ingestion_id, landed_rows)
values (%(ingestion_id)s, %(landed_rows)s)
on conflict (ingestion_id) do update
set
    landed_rows = excluded.landed_rows,
    updated_at = clock_timestamp();

-- name: end_progress
delete from raw.ingestion_progress
where ingestion_id = %(ingestion_id)s;

-- name: get_ingestion
select
    ingestions.*,
    coalesce(progress.landed_rows, 0) as landed_rows
from raw.ingestions as ingestions
left join raw.ingestion_progress as progress on ingestions.ingestion_id = progress.ingestion_id
where ingestions.ingestion_id = %(ingestion_id)s;

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
    held_submissions,
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
    ingestions.content_type,
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
