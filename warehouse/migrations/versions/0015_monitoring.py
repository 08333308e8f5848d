"""What is measured of machines, data and models, and how well it all is."""

from alembic import op

revision = "0015_monitoring"
down_revision = "0014_schedule"
branch_labels = None
depends_on = None

UPGRADE = """
create table ops.system_metrics (
    metric_id bigint generated always as identity primary key,
    host text not null,
    measured_at timestamptz not null default clock_timestamp(),
    cpu_share double precision not null check (cpu_share between 0 and 1),
    memory_share double precision not null check (memory_share between 0 and 1),
    disk_share double precision not null check (disk_share between 0 and 1),
    memory_bytes bigint not null,
    disk_free_bytes bigint not null
);
create index system_metrics_by_time on ops.system_metrics (measured_at desc);
comment on table ops.system_metrics is 'How busy the machines are, every HEALTH_CHECK_INTERVAL seconds.';
comment on column ops.system_metrics.metric_id is 'Counts up.';
comment on column ops.system_metrics.host is 'The machine.';
comment on column ops.system_metrics.measured_at is 'When.';
comment on column ops.system_metrics.cpu_share is 'Share of the processors that was busy since the measurement before.';
comment on column ops.system_metrics.memory_share is 'Share of the memory that is taken.';
comment on column ops.system_metrics.disk_share is 'Share of the disk under KYALO_HOME that is taken.';
comment on column ops.system_metrics.memory_bytes is 'Memory that is taken.';
comment on column ops.system_metrics.disk_free_bytes is 'Disk that is free.';

create table ops.data_quality_metrics (
    metric_id bigint generated always as identity primary key,
    run_id text,
    measured_at timestamptz not null default clock_timestamp(),
    form text not null,
    metric text not null,
    value double precision not null,
    rows bigint,
    detail text not null default ''
);
create index data_quality_metrics_by_metric on ops.data_quality_metrics (form, metric, measured_at desc);
comment on table ops.data_quality_metrics is 'How good the data is, after each run and each check of quality.';
comment on column ops.data_quality_metrics.metric_id is 'Counts up.';
comment on column ops.data_quality_metrics.run_id is 'The run that measured; null for a check of its own.';
comment on column ops.data_quality_metrics.measured_at is 'When.';
comment on column ops.data_quality_metrics.form is 'The form that the data came by.';
comment on column ops.data_quality_metrics.metric is
    'quality_score, released_share, completeness, tests_passed_share, rows_by_layer, ...';
comment on column ops.data_quality_metrics.value is 'The figure; shares are 0 to 1.';
comment on column ops.data_quality_metrics.rows is 'Rows that it is of.';
comment on column ops.data_quality_metrics.detail is 'What it is of, where there are several: a layer, a rule.';

create table ops.model_performance_metrics (
    metric_id bigint generated always as identity primary key,
    run_id text,
    measured_at timestamptz not null default clock_timestamp(),
    track text not null,
    model_name text not null,
    model_version integer not null,
    metric text not null,
    value double precision not null,
    households bigint
);
create index model_performance_metrics_by_metric
on ops.model_performance_metrics (track, metric, measured_at desc);
comment on table ops.model_performance_metrics is 'How well the champions do, after each run and each check.';
comment on column ops.model_performance_metrics.metric_id is 'Counts up.';
comment on column ops.model_performance_metrics.run_id is 'The run that measured; null for a check of its own.';
comment on column ops.model_performance_metrics.measured_at is 'When.';
comment on column ops.model_performance_metrics.track is 'Track of the model.';
comment on column ops.model_performance_metrics.model_name is 'The model, as in ml.models.';
comment on column ops.model_performance_metrics.model_version is 'Its version.';
comment on column ops.model_performance_metrics.metric is
    'expected_accuracy, real_accuracy, accuracy_kept, drifted_features, coverage, age_days, ...';
comment on column ops.model_performance_metrics.value is 'The figure; shares are 0 to 1.';
comment on column ops.model_performance_metrics.households is 'Households that it is of.';
"""


def upgrade() -> None:
    """Create the tables of measurements and the views that judge them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table ops.model_performance_metrics, ops.data_quality_metrics, ops.system_metrics")
