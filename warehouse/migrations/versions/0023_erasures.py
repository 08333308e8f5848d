"""What was erased because its household asked for it."""

from alembic import op

revision = "0023_erasures"
down_revision = "0022_personal"
branch_labels = None
depends_on = None

UPGRADE = """
alter table raw.ingestions
    add column erased_rows bigint not null default 0 check (erased_rows between 0 and stored_rows);
comment on column raw.ingestions.erased_rows is
    'How many of the stored rows are there no more, because their household was forgotten.';

create table raw.erased_identities (
    identity uuid primary key
);
comment on table raw.erased_identities is
    'Identities of submissions that were erased: the same survey sent again is not stored, nor is its original kept.';

create table raw.resent_rows (
    ingestion_id text not null,
    row_number bigint not null,
    primary key (ingestion_id, row_number)
);
comment on table raw.resent_rows is
    'Rows that arrived again after they were erased, until they are taken out of what they arrived in as well.';

create table ops.erasures (
    erasure_id bigint generated always as identity primary key,
    household_hash text not null,
    requested_by text not null,
    reason text not null,
    begun_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    report jsonb
);
comment on table ops.erasures is 'Each time that a household was forgotten: when, and what was found where.';
comment on column ops.erasures.erasure_id is 'Counts up.';
comment on column ops.erasures.household_hash is 'Keyed hash of the identifier, which itself is not kept.';
comment on column ops.erasures.requested_by is 'Who asked for it.';
comment on column ops.erasures.reason is 'Why.';
comment on column ops.erasures.begun_at is 'When.';
comment on column ops.erasures.finished_at is 'When a search found nothing any more; null where it was interrupted.';
comment on column ops.erasures.report is 'What was found in each place, and what was left.';
"""


def upgrade() -> None:
    """Create the record, know what was erased when it comes again, and count in the ledger what is gone."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ops.erasures, raw.resent_rows, raw.erased_identities")
    op.execute("alter table raw.ingestions drop column erased_rows")
