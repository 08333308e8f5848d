"""Objects of the store that want a copy, and receipts of the inbox that are to be completed."""

from alembic import op

revision = "0008_objects"
down_revision = "0007_openrosa"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.pending_copies (
    object_key text primary key,
    queued_at timestamptz not null default now()
);
create index pending_copies_in_turn on ops.pending_copies (queued_at);
comment on table ops.pending_copies is
    'Originals that the second store is not known to hold yet; they wait here also while there is no second store.';

insert into ops.pending_copies (object_key)
select object_key from raw.ingestions where object_key is not null
union
select object_key from raw.attachments where object_key is not null;

create function ops.queue_copy() returns trigger language plpgsql as $$
begin
    insert into ops.pending_copies (object_key) values (new.object_key) on conflict do nothing;
    return null;
end
$$;
create trigger queue_copy_of_new after insert on raw.ingestions
for each row when (new.object_key is not null) execute function ops.queue_copy();
create trigger queue_copy_of_moved after update of object_key on raw.ingestions
for each row when (new.object_key is not null) execute function ops.queue_copy();
create trigger queue_copy_of_new after insert on raw.attachments
for each row when (new.object_key is not null) execute function ops.queue_copy();
create trigger queue_copy_of_moved after update of object_key on raw.attachments
for each row when (new.object_key is not null) execute function ops.queue_copy();

create table ops.open_receipts (
    ingestion_id text primary key,
    receipt_key text not null
);
comment on table ops.open_receipts is
    'Receipts beside archived files of the inbox that do not say yet what became of the rows.';
"""


def upgrade() -> None:
    """Create the two lists, and the triggers that fill the first."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; no object is touched."""
    op.execute("drop function ops.queue_copy cascade")
    op.execute("drop table ops.open_receipts, ops.pending_copies")
