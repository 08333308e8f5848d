"""Attachments: the files that phones send with a survey."""

from alembic import op

revision = "0007_openrosa"
down_revision = "0006_clients"
branch_labels = None
depends_on = None

UPGRADE = """
create table raw.attachments (
    attachment_id bigint generated always as identity primary key,
    form text not null,
    submission_key text not null,
    name text not null,
    sha256 text not null,
    content_type text not null,
    size_bytes bigint not null,
    is_expected boolean not null,
    object_key text,
    ingestion_id text not null references raw.ingestions,
    received_at timestamptz not null default now(),
    unique (form, submission_key, name, sha256)
);
create index attachments_waiting on raw.attachments (attachment_id) where object_key is null;
create index attachments_by_object on raw.attachments (object_key);
comment on table raw.attachments is 'Files that belong to submissions; the same bytes under the same name stand once.';
comment on column raw.attachments.submission_key is 'The submission; it may be one that is kept as a conflict.';
comment on column raw.attachments.name is 'The sender''s name of it, in Unicode normal form C; never a path.';
comment on column raw.attachments.is_expected is 'Whether the survey speaks of a file of that name.';
comment on column raw.attachments.object_key is 'Where it is in the object store; null while it waits in pieces.';

create table raw.attachment_pieces (
    attachment_id bigint not null references raw.attachments on delete cascade,
    number integer not null,
    body bytea not null,
    primary key (attachment_id, number)
);
alter table raw.attachment_pieces alter column body set storage external;
comment on table raw.attachment_pieces is 'The bytes of attachments, until they are moved to the object store.';

create table raw.expected_attachments (
    form text not null,
    submission_key text not null,
    name text not null,
    primary key (form, submission_key, name)
);
comment on table raw.expected_attachments is 'Files that a submission speaks of.';

create view review.attachment_flags as
select
    form,
    submission_key,
    name,
    'unexpected' as flag
from raw.attachments
group by form, submission_key, name
having not bool_or(is_expected)
union all
select
    form,
    submission_key,
    name,
    'conflicting' as flag
from raw.attachments
group by form, submission_key, name
having count(*) > 1
union all
select
    expected.form,
    expected.submission_key,
    expected.name,
    'missing' as flag
from raw.expected_attachments as expected
where not exists (
    select 1
    from raw.attachments as arrived
    where
        arrived.form = expected.form
        and arrived.submission_key = expected.submission_key
        and arrived.name = expected.name
);
comment on view review.attachment_flags is
    'Files that somebody should look at: unexpected, conflicting (one name, several contents) or missing.';
"""


def upgrade() -> None:
    """Create the tables of attachments and the view of what is wrong with them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them, with every file that was not moved yet."""
    op.execute("drop view review.attachment_flags")
    op.execute("drop table raw.expected_attachments, raw.attachment_pieces, raw.attachments")
