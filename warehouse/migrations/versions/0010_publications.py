"""Which uploads the published marts contain."""

from alembic import op

revision = "0010_publications"
down_revision = "0009_review"
branch_labels = None
depends_on = None

UPGRADE = """
drop schema if exists staging, validated, features, marts cascade;
create schema marts;
create table ops.published_ingestions (
    ingestion_id text primary key,
    published_at timestamptz not null default now()
);
comment on table ops.published_ingestions is 'One row for each upload that the published marts contain.';
comment on column ops.published_ingestions.ingestion_id is 'The upload; see raw.ingestions.';
comment on column ops.published_ingestions.published_at is 'When a publication contained it for the first time.';

alter table ops.pipeline_runs drop column fingerprints;
alter table ops.pipeline_runs add column changed_rows jsonb not null default '{}';
comment on column ops.pipeline_runs.changed_rows is
    'Rows that the run wrote to, or deleted from, each published table that it changed.';
"""


def upgrade() -> None:
    """Create the schema of the published marts; the next build makes what dbt made in another shape."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop the list; what was published stays."""
    op.execute("drop table ops.published_ingestions")
    op.execute("alter table ops.pipeline_runs drop column changed_rows")
    op.execute("alter table ops.pipeline_runs add column fingerprints jsonb")
