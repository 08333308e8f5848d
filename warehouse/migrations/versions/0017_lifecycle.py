"""What was archived, exported or deleted, by which policy."""

from alembic import op

revision = "0017_lifecycle"
down_revision = "0016_alerts"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.lifecycle_actions (
    action_id bigint generated always as identity primary key,
    policy text not null,
    action text not null check (action in ('archived', 'exported', 'restored', 'deleted')),
    subject text not null,
    rows bigint,
    bytes bigint,
    object_key text,
    sha256 text,
    requested_by text not null,
    acted_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz default clock_timestamp()
);
create index lifecycle_actions_by_time on ops.lifecycle_actions (acted_at desc);
create index lifecycle_actions_open on ops.lifecycle_actions (action_id) where finished_at is null;
comment on table ops.lifecycle_actions is 'Everything that was archived, taken out or deleted; append-only.';
comment on column ops.lifecycle_actions.action_id is 'Counts up.';
comment on column ops.lifecycle_actions.policy is 'The policy that named it.';
comment on column ops.lifecycle_actions.action is 'What was done.';
comment on column ops.lifecycle_actions.subject is 'To what: an object, a partition, the rows of a table.';
comment on column ops.lifecycle_actions.rows is 'How many rows.';
comment on column ops.lifecycle_actions.bytes is 'How many bytes.';
comment on column ops.lifecycle_actions.object_key is 'Where it is kept now.';
comment on column ops.lifecycle_actions.sha256 is 'Hash of what is kept.';
comment on column ops.lifecycle_actions.requested_by is 'The schedule, or a person.';
comment on column ops.lifecycle_actions.acted_at is 'When.';
comment on column ops.lifecycle_actions.finished_at is
    'When its old place was empty as well; null until then, and the next archiving goes on from there.';

create table raw.exported_rows (
    ingestion_id text primary key references raw.ingestions on delete cascade,
    form text not null,
    month text not null,
    rows bigint not null check (rows > 0),
    object_key text not null,
    exported_at timestamptz not null default clock_timestamp()
);
create index exported_rows_by_month on raw.exported_rows (form, month);
comment on table raw.exported_rows is
    'Uploads whose raw rows left the database for a file of the store; `kyalo archive restore` brings them back.';
comment on column raw.exported_rows.ingestion_id is 'The upload, as in raw.ingestions.';
comment on column raw.exported_rows.form is 'Its form, whose raw table the rows were in.';
comment on column raw.exported_rows.month is 'The month, by Greenwich, that it was received in.';
comment on column raw.exported_rows.rows is 'How many rows.';
comment on column raw.exported_rows.object_key is 'The Parquet file that holds them.';
comment on column raw.exported_rows.exported_at is 'When.';
"""


def upgrade() -> None:
    """Create the record, and the list of what left the raw tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it; rows that were exported are in their files only."""
    op.execute("drop table raw.exported_rows, ops.lifecycle_actions")
