"""The landing zone: ledger, identities, rejected rows, bodies, conflicts."""

from alembic import op

revision = "0001_raw"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
create schema raw;
create schema review;

create sequence raw.ingestion_number;

create table raw.ingestions (
    ingestion_id text primary key,
    form text not null,
    form_version text not null,
    source text not null check (source in ('api', 'file', 'cli')),
    status text not null check (status in ('received', 'loaded', 'refused', 'failed')),
    filename text,
    content_type text not null,
    size_bytes bigint not null,
    sha256 text not null,
    object_key text,
    duplicate_of text,
    estimated_rows bigint not null default 0,
    received_rows bigint not null default 0,
    stored_rows bigint not null default 0,
    duplicate_rows bigint not null default 0,
    rejected_rows bigint not null default 0,
    conflict_rows bigint not null default 0,
    unknown_fields jsonb not null default '{}',
    notices jsonb not null default '[]',
    error_code text,
    error_message text,
    attempts integer not null default 0,
    received_at timestamptz not null default now(),
    loaded_at timestamptz,
    load_seconds double precision,
    constraint ledger_balances check (received_rows = stored_rows + duplicate_rows + rejected_rows + conflict_rows)
);
create index ingestions_pending on raw.ingestions (received_at) where status = 'received';
create index ingestions_by_content on raw.ingestions (sha256, form);
comment on table raw.ingestions is 'The ledger: one row for each upload, with the balance of its rows.';

create table raw.submission_keys (
    form text not null,
    submission_key text not null,
    content_hash text not null,
    ingestion_id text not null references raw.ingestions,
    row_number bigint not null,
    primary key (form, submission_key)
);
comment on table raw.submission_keys is
    'The identity of every stored submission; its primary key is what keeps a re-send from being stored twice.';

create table raw.rejected_rows (
    ingestion_id text not null references raw.ingestions,
    row_number bigint not null,
    reason_code text not null,
    message text not null,
    content text not null,
    primary key (ingestion_id, row_number)
);
comment on table raw.rejected_rows is 'Rows that could not be kept as submissions, each with its line and its reason.';

create table raw.bodies (
    ingestion_id text primary key references raw.ingestions,
    body text not null
);
comment on table raw.bodies is 'Single surveys as they came, until they are bundled into an object of the store.';

create table review.conflicts (
    form text not null,
    submission_key text not null,
    content_hash text not null,
    ingestion_id text not null references raw.ingestions,
    row_number bigint not null,
    content jsonb not null,
    primary key (ingestion_id, row_number)
);
comment on table review.conflicts is
    'Submissions whose identity is stored already with other content: kept here until somebody decides.';
"""


def upgrade() -> None:
    """Create the schemas raw and review."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them, with every survey in them."""
    op.execute("drop schema review cascade; drop schema raw cascade")
