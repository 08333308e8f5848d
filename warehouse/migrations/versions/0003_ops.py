"""The record of pipeline runs."""

from alembic import op

revision = "0003_ops"
down_revision = "0002_ml"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.pipeline_runs (
    run_id text primary key,
    status text not null check (status in ('running', 'succeeded', 'failed')),
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    steps jsonb not null default '[]',
    fingerprints jsonb not null default '{}',
    changed_tables text[] not null default '{}',
    error_code text,
    error_message text
);
create index pipeline_runs_by_time on ops.pipeline_runs (started_at desc);
comment on table ops.pipeline_runs is 'One row for each run of the pipeline: its steps, seconds and result.';
comment on column ops.pipeline_runs.fingerprints is 'A hash of the rows of every published table after the run.';
comment on column ops.pipeline_runs.changed_tables is 'Published tables whose rows differ from the run before.';
"""


def upgrade() -> None:
    """Create the table of runs."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it; alembic's own table stays in the schema."""
    op.execute("drop table ops.pipeline_runs")
