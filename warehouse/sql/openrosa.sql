-- name: insert_attachment
insert into raw.attachments (
    form,
    submission_key,
    name,
    sha256,
    content_type,
    size_bytes,
    is_expected,
    ingestion_id
)
values (
    %(form)s,
    %(submission_key)s,
    %(name)s,
    %(sha256)s,
    %(content_type)s,
    %(size_bytes)s,
    %(is_expected)s,
    %(ingestion_id)s
)
on conflict (form, submission_key, name, sha256) do nothing
returning attachment_id;

-- name: insert_piece
insert into raw.attachment_pieces (attachment_id, number, body)
values (%(attachment_id)s, %(number)s, %(body)s);

-- name: expect_attachments
insert into raw.expected_attachments (form, submission_key, name)
select
    %(form)s,
    %(submission_key)s,
    name
from unnest(%(names)s::text[]) as name
order by name
on conflict do nothing;

-- name: missing_attachments
select name
from review.attachment_flags
where flag = 'missing' and form = %(form)s and submission_key = %(submission_key)s
order by name;

-- name: is_stored
select exists (
    select 1
    from raw.submission_keys
    where identity = %(identity)s::uuid
);

-- name: next_attachment
select
    attachment_id,
    form,
    content_type,
    sha256
from raw.attachments
where
    object_key is null
    and deleted_at is null
    and attachment_id > %(after)s
order by attachment_id
limit 1
for update skip locked;

-- name: read_piece
select body
from raw.attachment_pieces
where attachment_id = %(attachment_id)s and number = %(number)s;

-- name: finish_move
update raw.attachments
set object_key = %(object_key)s
where attachment_id = %(attachment_id)s;

-- name: delete_pieces
delete from raw.attachment_pieces
where attachment_id = %(attachment_id)s;
