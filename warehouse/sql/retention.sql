-- name: originals_to_delete
-- Only what was read to its end, and all of whose rows that are still there were staged.
with
uploads as (
    select
        object_key,
        ingestion_id,
        status,
        received_at,
        stored_rows - erased_rows as rows
    from raw.ingestions
    where
        form = %(form)s
        and object_key ~ '^(raw|archive/originals)/[^/]+/\d\d\d\d-\d\d-\d\d/'
        and (%(key)s::text is null or object_key = %(key)s)
        and not exists (
            select 1
            from raw.attachments
            where attachments.object_key = ingestions.object_key
        )
        -- Whoever makes the copy at this moment would make it of what is gone.
        and not (
            %(has_second_store)s
            and exists (
                select 1
                from ops.pending_copies
                where pending_copies.object_key = ingestions.object_key
            )
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

select uploads.object_key
from uploads
left join staged on uploads.ingestion_id = staged.ingestion_id
group by uploads.object_key
having
    max(uploads.received_at) < now() - make_interval(days => %(days)s)
    and bool_and(uploads.status = 'loaded')
    and bool_and(uploads.rows = coalesce(staged.rows, 0))
order by uploads.object_key;

-- name: attachments_to_delete
select attachments.object_key
from raw.attachments
inner join raw.ingestions on attachments.ingestion_id = ingestions.ingestion_id
where
    (%(key)s::text is null or attachments.object_key = %(key)s)
    and attachments.object_key is not null
    and not exists (
        select 1
        from raw.ingestions as uploads
        where uploads.object_key = attachments.object_key
    )
    and not (
        %(has_second_store)s
        and exists (
            select 1
            from ops.pending_copies
            where pending_copies.object_key = attachments.object_key
        )
    )
group by attachments.object_key
having
    max(attachments.received_at) < now() - make_interval(days => %(days)s)
    and bool_and(ingestions.status = 'loaded')
order by attachments.object_key;

-- name: forget_original
update raw.ingestions
set
    object_key = null,
    original_deleted_at = clock_timestamp()
where object_key = %(key)s;

-- name: forget_attachment
update raw.attachments
set
    object_key = null,
    deleted_at = clock_timestamp()
where object_key = %(key)s;

-- name: find_deletion
-- Of the object itself, or of the archived one that took its place.
select
    deletions.policy,
    deletions.acted_at
from ops.lifecycle_actions as deletions
where
    deletions.action = 'deleted'
    and (
        deletions.subject = %(key)s
        or deletions.subject in (
            select moves.object_key
            from ops.lifecycle_actions as moves
            where moves.subject = %(key)s and moves.action = 'archived'
        )
    )
order by deletions.action_id desc
limit 1;

-- name: count_personal
select count(*) as rows
from raw.personal
inner join raw.ingestions on personal.ingestion_id = ingestions.ingestion_id
where
    ingestions.received_at < now() - make_interval(days => %(days)s)
    and ingestions.status <> 'received';

-- name: delete_personal
delete from raw.personal
using raw.ingestions
where
    personal.ingestion_id = ingestions.ingestion_id
    and ingestions.received_at < now() - make_interval(days => %(days)s)
    and ingestions.status <> 'received';
