"""What was archived or deleted, by which policy."""

from alembic import op

revision = "0017_lifecycle"
down_revision = "0016_alerts"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.lifecycle_actions (
    action_id bigint generated always as identity primary key,
    policy text not null,
    action text not null check (action in ('archived', 'exported', 'detached', 'deleted')),
    subject text not null,
    rows bigint,
    bytes bigint,
    object_key text,
    sha256 text,
    requested_by text not null,
    acted_at timestamptz not null default clock_timestamp()
);
create index lifecycle_actions_by_time on ops.lifecycle_actions (acted_at desc);
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
"""


def upgrade() -> None:
    """Create the record."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table ops.lifecycle_actions")
