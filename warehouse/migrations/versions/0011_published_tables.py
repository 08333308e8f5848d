"""Which tables of the schema marts are Kyalo's own."""

from alembic import op

revision = "0011_published_tables"
down_revision = "0010_publications"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.published_tables (
    table_name text primary key,
    published_at timestamptz not null default now()
);
comment on table ops.published_tables is
    'One row for each table of the schema marts that a publication made; others there are left alone.';
comment on column ops.published_tables.table_name is 'The table, without its schema.';
comment on column ops.published_tables.published_at is 'When it was published for the first time.';
"""


def upgrade() -> None:
    """Create the list; the next publication fills it."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop the list; what was published stays."""
    op.execute("drop table ops.published_tables")
