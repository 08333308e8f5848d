"""What the ledger says of originals and attachments that were deleted for good, their time being over."""

from alembic import op

revision = "0024_retention"
down_revision = "0023_erasures"
branch_labels = None
depends_on = None

UPGRADE = """
alter table raw.ingestions
    add column original_deleted_at timestamptz;
comment on column raw.ingestions.original_deleted_at is
    'When its original was deleted for good by a policy; null while it is kept, or where there was none.';

alter table raw.attachments
    add column deleted_at timestamptz;
comment on column raw.attachments.object_key is
    'Where it is in the object store; null while it waits in pieces, and once it was deleted.';
comment on column raw.attachments.deleted_at is 'When it was deleted for good by a policy; null while it is kept.';
drop index raw.attachments_waiting;
create index attachments_waiting on raw.attachments (attachment_id) where object_key is null and deleted_at is null;
"""

DOWNGRADE = """
drop index raw.attachments_waiting;
create index attachments_waiting on raw.attachments (attachment_id) where object_key is null;
alter table raw.attachments
    drop column deleted_at;
alter table raw.ingestions
    drop column original_deleted_at;
comment on column raw.attachments.object_key is 'Where it is in the object store; null while it waits in pieces.';
"""


def upgrade() -> None:
    """Let the ledger say what was deleted, so that nothing calls it missing."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop what it says; nothing that was deleted comes back."""
    op.execute(DOWNGRADE)
