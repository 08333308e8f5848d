-- name: originals_to_archive
select
    object_key,
    count(*) as uploads
from raw.ingestions
where
    object_key ~ '^raw/[^/]+/\d{4}-\d{2}-\d{2}/'
    -- Other keys may be given to new uploads as well, which would then speak of what was moved away.
    and not exists (
        select 1
        from raw.attachments
        where attachments.object_key = ingestions.object_key
    )
group by object_key
having
    max(received_at) < now() - make_interval(days => %(days)s)
    and bool_and(status <> 'received')
order by object_key;

-- name: move_references
update raw.ingestions
set object_key = %(archived_key)s
where object_key = %(key)s;

-- name: is_referred_to
select exists (
    select 1
    from raw.ingestions
    where object_key = %(key)s
    union all
    select 1
    from raw.attachments
    where object_key = %(key)s
) as is_referred_to;

-- name: insert_action
insert into ops.lifecycle_actions (
    policy,
    action,
    subject,
    rows,
    bytes,
    object_key,
    sha256,
    requested_by,
    finished_at
)
values (
    %(policy)s,
    %(action)s,
    %(subject)s,
    %(rows)s,
    %(bytes)s,
    %(object_key)s,
    %(sha256)s,
    %(requested_by)s,
    case when %(is_finished)s then clock_timestamp() end
)
returning action_id;

-- name: open_actions
select
    action_id,
    subject,
    object_key
from ops.lifecycle_actions
where finished_at is null and action = %(action)s
order by action_id;

-- name: finish_action
update ops.lifecycle_actions
set finished_at = clock_timestamp()
where action_id = %(action_id)s;

-- name: has_staging
select to_regclass('staging.' || quote_ident('stg_' || %(form)s || '__submissions')) is not null as has_staging;

-- name: months_to_export
-- A month goes as a whole, once it has ended so many days ago and all that was stored in it is staged.
with
uploads as (
    select
        ingestions.ingestion_id,
        ingestions.stored_rows - ingestions.erased_rows as stored_rows,
        ingestions.status,
        to_char(ingestions.received_at at time zone 'utc', 'YYYY-MM') as month
    from raw.ingestions
    where
        ingestions.form = %(form)s
        and ingestions.received_at
        < date_trunc('month', now() - make_interval(days => %(days)s), 'utc')
        and (ingestions.stored_rows > ingestions.erased_rows or ingestions.status = 'received')
        and not exists (
            select 1
            from raw.exported_rows
            where exported_rows.ingestion_id = ingestions.ingestion_id
        )
),

staged as (
    select
        ingestion_id,
        count(*) as rows
    from {staging}
    where ingestion_id in (select ingestion_id from uploads)
    group by ingestion_id
)

select
    uploads.month,
    sum(uploads.stored_rows)::bigint as rows,
    array_agg(uploads.ingestion_id order by uploads.ingestion_id) as ingestion_ids
from uploads
left join staged on uploads.ingestion_id = staged.ingestion_id
group by uploads.month
having
    bool_and(uploads.status <> 'received')
    and bool_and(uploads.stored_rows = coalesce(staged.rows, 0))
order by uploads.month;

-- name: rows_of_uploads
select *
from {raw_table}
where ingestion_id = any({ingestion_ids})
order by
    ingestion_id,
    row_number;

-- name: differing_rows
with
standing as (
    select {columns}
    from {raw_table}
    where ingestion_id = any(%(ingestion_ids)s)
),

missing as (
    select * from standing
    except all
    select {columns} from exported
),

surplus as (
    select {columns} from exported
    except all
    select * from standing
)

select (select count(*) from missing) + (select count(*) from surplus) as rows;

-- name: note_exported
insert into raw.exported_rows (
    ingestion_id,
    form,
    month,
    rows,
    object_key
)
select
    ingestion_id,
    %(form)s,
    %(month)s,
    count(*),
    %(object_key)s
from {raw_table}
where ingestion_id = any(%(ingestion_ids)s)
group by ingestion_id;

-- name: delete_uploads
delete from {raw_table}
where ingestion_id = any(%(ingestion_ids)s);

-- name: exported_files
select
    month,
    object_key,
    sum(rows)::bigint as rows
from raw.exported_rows
where
    form = %(form)s
    and (%(month)s::text is null or month = %(month)s)
group by
    month,
    object_key
order by
    month,
    object_key;

-- name: forget_exported
delete from raw.exported_rows
where object_key = %(object_key)s;

-- name: count_rows
select count(*) as rows
from {table}
where {clock} < now() - make_interval(days => %(days)s);

-- name: delete_rows
delete from {table}
where {clock} < now() - make_interval(days => %(days)s);
