-- name: begin_erasure
-- One that was interrupted, or that left something, is gone on with.
with
unfinished as (
    update ops.erasures
    set
        requested_by = %(requested_by)s,
        reason = %(reason)s
    where household_hash = %(household_hash)s and finished_at is null
    returning erasure_id
),

begun as (
    insert into ops.erasures (household_hash, requested_by, reason)
    select
        %(household_hash)s,
        %(requested_by)s,
        %(reason)s
    where not exists (select 1 from unfinished)
    returning erasure_id
)

select erasure_id from unfinished
union all
select erasure_id from begun;

-- name: is_erased
select exists (
    select 1
    from ops.erasures
    where household_hash = %(household_hash)s
) as is_erased;

-- name: end_erasure
update ops.erasures
set
    finished_at = case when %(is_complete)s then clock_timestamp() end,
    report = %(report)s
where erasure_id = %(erasure_id)s;

-- name: submissions_of_household
select
    {key} as submission_key,
    ingestion_id,
    row_number
from {table}
where upper(btrim({identifier}, %(spaces)s)) in (select upper(name) from unnest(%(names)s::text[]) as name);

-- name: submissions_under_keys
select {key} as submission_key
from {table}
where {key} = any(%(keys)s);

-- name: conflicts_of_household
select
    submission_key,
    ingestion_id,
    row_number
from review.conflicts
where
    form = any(%(forms)s)
    and (
        upper(btrim(content ->> %(identifier)s, %(spaces)s)) in (select upper(name) from unnest(%(names)s::text[]) as name)
        or (content ->> %(identifier)s is null and submission_key = any(%(keys)s))
    );

-- name: tables
-- What the audit says of who looked cannot be changed, and is left out; so is the record of erasures, a keyed hash.
select
    namespaces.nspname as schema,
    relations.relname as name,
    coalesce(
        array_agg(columns.attname::text) filter (
            where columns.attname in ('household_id', 'submission_id', 'submission_key', 'corrected_by', 'form')
            and format_type(columns.atttypid, null) = 'text'
        ),
        '{}'
    ) as columns
from pg_class as relations
inner join pg_namespace as namespaces on relations.relnamespace = namespaces.oid
inner join pg_attribute as columns on relations.oid = columns.attrelid and columns.attnum > 0
where
    relations.relkind in ('r', 'p', 'm')
    and namespaces.nspname !~ '^(pg_|information_schema)'
    and (namespaces.nspname, relations.relname) not in (
        ('ops', 'audit_log'), ('ops', 'audit_chains'), ('ops', 'audit_heads'), ('ops', 'erasures')
    )
group by
    namespaces.nspname,
    relations.relname
order by
    namespaces.nspname,
    relations.relname;

-- name: count_personal
select count(*) as rows
from raw.personal
inner join unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as gone (ingestion_id, row_number)
    on
        personal.ingestion_id = gone.ingestion_id
        and personal.row_number = gone.row_number;

-- name: note_erased
update raw.ingestions
set erased_rows = erased_rows + erased.rows
from (
    select
        ingestion_id,
        count(*) as rows
    from unnest(%(ingestion_ids)s::text[]) as gone (ingestion_id)
    group by ingestion_id
) as erased
where ingestions.ingestion_id = erased.ingestion_id;

-- name: delete_personal
delete from raw.personal
using unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as gone (ingestion_id, row_number)
where
    personal.ingestion_id = gone.ingestion_id
    and personal.row_number = gone.row_number;

-- name: delete_repeated
delete from raw.repeated_rows
where identity in (
    select submission_keys.identity
    from raw.submission_keys
    inner join unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as gone (ingestion_id, row_number)
        on
            submission_keys.ingestion_id = gone.ingestion_id
            and submission_keys.row_number = gone.row_number
);

-- name: note_erased_identities
insert into raw.erased_identities (identity)
select distinct submission_keys.identity
from raw.submission_keys
inner join unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as gone (ingestion_id, row_number)
    on
        submission_keys.ingestion_id = gone.ingestion_id
        and submission_keys.row_number = gone.row_number
on conflict do nothing;

-- name: resent_rows
select
    ingestion_id,
    array_agg(row_number) as row_numbers
from raw.resent_rows
group by ingestion_id
order by ingestion_id;

-- name: waiting_body
select
    ingestions.form,
    ingestions.content_type,
    bodies.body
from raw.bodies
inner join raw.ingestions on bodies.ingestion_id = ingestions.ingestion_id
where bodies.ingestion_id = %(ingestion_id)s
for update of bodies;

-- name: original_of_upload
select object_key
from raw.ingestions
where ingestion_id = %(ingestion_id)s;

-- name: forget_resent
delete from raw.resent_rows
where ingestion_id = %(ingestion_id)s;

-- name: delete_conflicts
delete from review.conflicts
using unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as gone (ingestion_id, row_number)
where
    conflicts.ingestion_id = gone.ingestion_id
    and conflicts.row_number = gone.row_number;

-- name: rejected_texts
select
    personal.ingestion_id,
    personal.row_number,
    personal.token
from raw.personal
inner join raw.rejected_rows
    on
        personal.ingestion_id = rejected_rows.ingestion_id
        and personal.row_number = rejected_rows.row_number;

-- name: waiting_bodies
select
    bodies.ingestion_id,
    ingestions.form,
    ingestions.content_type,
    bodies.body
from raw.bodies
inner join raw.ingestions on bodies.ingestion_id = ingestions.ingestion_id
where ingestions.form = any(%(forms)s);

-- name: delete_body
delete from raw.bodies
where ingestion_id = %(ingestion_id)s;

-- name: replace_body
update raw.bodies
set body = %(body)s
where ingestion_id = %(ingestion_id)s;

-- name: attachments_of
select distinct object_key
from raw.attachments
where
    form = any(%(forms)s)
    and submission_key = any(%(keys)s)
    and object_key is not null
    and not exists (
        select 1
        from raw.attachments as others
        where
            others.object_key = attachments.object_key
            and not (others.form = any(%(forms)s) and others.submission_key = any(%(keys)s))
    );

-- name: take_out_of_requests
with
asked as (
    select
        requests.request_id,
        asked.answer,
        requests.features -> (asked.place - 1)::integer as features,
        asked.place,
        upper(btrim(asked.answer ->> 'household_id', %(spaces)s)) in (select upper(name) from unnest(%(names)s::text[]) as name) as is_its
    from ml.prediction_requests as requests
    cross join jsonb_array_elements(requests.answers) with ordinality as asked (answer, place)
),

others as (
    select
        request_id,
        count(*) filter (where not is_its) as households,
        coalesce(jsonb_agg(answer order by place) filter (where not is_its), '[]') as answers,
        coalesce(jsonb_agg(features order by place) filter (where not is_its), '[]') as features
    from asked
    group by request_id
    having bool_or(is_its)
)

update ml.prediction_requests as requests
set
    households = others.households,
    answers = others.answers,
    features = others.features
from others
where requests.request_id = others.request_id;

-- name: delete_empty_requests
delete from ml.prediction_requests
where households = 0;

-- name: blank_uploads
update raw.ingestions
set
    filename = case when filename ~* %(pattern)s then 'erased' else filename end,
    device = case when device ~* %(pattern)s then 'erased' else device end,
    idempotency_key = case when idempotency_key ~* %(pattern)s then null else idempotency_key end
where filename ~* %(pattern)s or device ~* %(pattern)s or idempotency_key ~* %(pattern)s;

-- name: blank_decisions
update review.decisions
set reason = 'erased'
where submission_id = any(%(keys)s) or corrected_by = any(%(keys)s);

-- name: upload_of_original
select
    form,
    filename,
    options
from raw.ingestions
where object_key = %(key)s
order by ingestion_id
limit 1;

-- name: replace_original
update raw.ingestions
set
    object_key = %(new_key)s,
    sha256 = case when %(is_bundle)s then sha256 else %(sha256)s end,
    size_bytes = case when %(is_bundle)s then size_bytes else %(size_bytes)s end,
    options = coalesce(%(options)s, options)
where object_key = %(key)s;

-- name: replace_exported
update raw.exported_rows
set
    object_key = %(new_key)s,
    rows = exported_rows.rows - erased.rows
from (
    select
        uploads.ingestion_id,
        (
            select count(*)
            from unnest(%(ingestion_ids)s::text[]) as gone (ingestion_id)
            where gone.ingestion_id = uploads.ingestion_id
        ) as rows
    from raw.exported_rows as uploads
    where uploads.object_key = %(key)s
) as erased
where exported_rows.ingestion_id = erased.ingestion_id;

-- name: forget_emptied
delete from raw.exported_rows
where object_key = %(key)s and rows <= (
    select count(*)
    from unnest(%(ingestion_ids)s::text[]) as gone (ingestion_id)
    where gone.ingestion_id = exported_rows.ingestion_id
);
