-- name: begin_rotation
insert into ops.key_rotations (key_id, requested_by)
values (%(key_id)s, %(requested_by)s)
on conflict ((true)) where finished_at is null do update
set
    key_id = excluded.key_id,
    last_object = ''
returning rotation_id;

-- name: open_rotation
select
    rotation_id,
    key_id,
    last_object
from ops.key_rotations
where finished_at is null;

-- name: note_objects
update ops.key_rotations
set
    last_object = %(last_object)s,
    renewed_objects = renewed_objects + %(objects)s
where rotation_id = %(rotation_id)s;

-- name: note_tokens
update ops.key_rotations
set renewed_tokens = renewed_tokens + %(tokens)s
where rotation_id = %(rotation_id)s;

-- name: finish_rotation
update ops.key_rotations
set finished_at = clock_timestamp()
where rotation_id = %(rotation_id)s;

-- name: newest_rotations
select
    rotation_id,
    key_id,
    requested_by,
    started_at,
    renewed_tokens,
    renewed_objects,
    finished_at
from ops.key_rotations
order by rotation_id desc
limit 5;

-- name: old_tokens
select
    ingestion_id,
    row_number,
    token
from raw.personal
where key_id <> %(key_id)s and (ingestion_id, row_number) > (%(ingestion_id)s, %(row_number)s)
order by
    ingestion_id,
    row_number
limit %(limit)s
for update skip locked;

-- name: renew_tokens
update raw.personal
set
    key_id = %(key_id)s,
    token = renewed.token
from unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[], %(tokens)s::text[])
    as renewed (ingestion_id, row_number, token)
where
    personal.ingestion_id = renewed.ingestion_id
    and personal.row_number = renewed.row_number;

-- name: clear_rejected
select
    ingestion_id,
    row_number,
    content
from raw.rejected_rows
where content is not null
limit %(limit)s
for update skip locked;

-- name: seal_rejected
insert into raw.personal (ingestion_id, row_number, key_id, token)
select
    ingestion_id,
    row_number,
    %(key_id)s,
    token
from unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[], %(tokens)s::text[])
    as sealed (ingestion_id, row_number, token)
on conflict do nothing;

-- name: clear_sealed_rejected
update raw.rejected_rows
set content = null
from unnest(%(ingestion_ids)s::text[], %(row_numbers)s::bigint[]) as sealed (ingestion_id, row_number)
where
    rejected_rows.ingestion_id = sealed.ingestion_id
    and rejected_rows.row_number = sealed.row_number;

-- name: bodies_after
select
    ingestion_id,
    body
from raw.bodies
where ingestion_id > %(after)s
order by ingestion_id
limit %(limit)s
for update skip locked;

-- name: renew_body
update raw.bodies
set body = %(body)s
where ingestion_id = %(ingestion_id)s;

-- name: pieces_after
select
    attachment_id,
    number,
    body
from raw.attachment_pieces
where (attachment_id, number) > (%(attachment_id)s, %(number)s)
order by
    attachment_id,
    number
limit 1
for update skip locked;

-- name: renew_piece
update raw.attachment_pieces
set body = %(body)s
where attachment_id = %(attachment_id)s and number = %(number)s;

-- name: count_tokens
select
    key_id,
    count(*) as tokens
from raw.personal
group by key_id
order by key_id;

-- name: waiting_tokens
select convert_to(body, 'UTF8') as body
from raw.bodies
union all
select body
from raw.attachment_pieces;

-- name: writers_of_tokens
select distinct virtualtransaction as writer
from pg_locks
where
    database = (select oid from pg_database where datname = current_database())
    and relation in ('raw.personal'::regclass, 'raw.bodies'::regclass, 'raw.attachment_pieces'::regclass)
    and mode = 'RowExclusiveLock';

-- name: known_hash_key
select fingerprint
from ops.hash_key;

-- name: note_hash_key
insert into ops.hash_key (fingerprint)
values (%(fingerprint)s)
on conflict do nothing;
