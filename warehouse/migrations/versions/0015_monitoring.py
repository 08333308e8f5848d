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
    'quality_score, completeness, validity, uniqueness, consistency and timeliness (of the newest 100 submissions, by '
    'whole days), overall_quality_score, released_share, rejected_share, rows_by_layer, tests_passed_share (under the '
    'form all), gate_closed (0 or 1), data_age_seconds.';
comment on column ops.data_quality_metrics.value is 'The figure; shares are 0 to 1.';
comment on column ops.data_quality_metrics.rows is 'Rows that it is of.';
comment on column ops.data_quality_metrics.detail is 'What it is of, where there are several: a layer, a gate.';

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
    'expected_accuracy, real_accuracy, training_accuracy, accuracy_kept (what the newest checks of 500 households '
    'leave at most, as a share of training_accuracy), drifted_features, score_psi, coverage (households with a '
    'prediction), undecided_share, age_seconds.';
comment on column ops.model_performance_metrics.value is 'The figure; shares are 0 to 1.';
comment on column ops.model_performance_metrics.households is 'Households that it is of.';
"""


VIEWS = """
create function ops.health_status(score double precision) returns text language sql immutable parallel safe as $$
    select case
        when score is null then 'unknown'
        when score >= 0.9 then 'excellent'
        when score >= 0.8 then 'good'
        when score >= 0.7 then 'warning'
        else 'critical'
    end
$$;
comment on function ops.health_status(double precision) is 'A score of 0 to 1 in a word; unknown where there is none.';

create function ops.percent(share double precision) returns text language sql immutable parallel safe as $$
    select round((100 * share)::numeric, 1) || ' %'
$$;
comment on function ops.percent(double precision) is 'A share of 0 to 1 as people read it.';

create view ops.pipeline_health as
with
ended as (
    select
        count(*) as runs,
        count(*) filter (where result = 'succeeded') as successes,
        max(started_at) filter (where result = 'succeeded') as last_success,
        (array_agg(error_message order by started_at desc) filter (where result <> 'succeeded'))[1] as last_problem
    from ops.ended_runs
    where started_at > now() - interval '7 days'
),

missed as (
    select max(next_due_at) as due_at
    from ops.schedules
    where job = 'pipeline' and not is_paused and next_due_at < now() - interval '1 day'
),

judged as (
    select
        ended.*,
        missed.due_at,
        missed.due_at is not null and coalesce(ended.last_success < missed.due_at, true) as is_late
    from ended
    cross join missed
)

select
    case
        when is_late then 0
        when runs > 0 then successes::double precision / runs
    end as score,
    case
        when is_late then format('A run was due at %s, and none has succeeded since.', date_trunc('minute', due_at))
        when runs = 0 then 'No run has come to its end in the last seven days.'
        when successes = runs then format('Every run of the last seven days that nobody stopped succeeded: %s.', runs)
        else format(
            '%s of %s runs of the last seven days that nobody stopped failed, the last one with: %s',
            runs - successes,
            runs,
            last_problem
        )
    end as reason
from judged;
comment on view ops.pipeline_health is 'How well runs go: the share that succeeds, and nothing where one is overdue.';
comment on column ops.pipeline_health.score is
    'Share of the runs of the last seven days that succeeded; null where none has ended.';
comment on column ops.pipeline_health.reason is 'Why, in a sentence.';

create view ops.data_quality_health as
with
newest as (
    select distinct on (form, metric, detail)
        form,
        metric,
        detail,
        value,
        rows
    from ops.data_quality_metrics
    where
        metric in ('quality_score', 'tests_passed_share', 'gate_closed')
        and measured_at > now() - interval '7 days'
    order by form, metric, detail, metric_id desc
),

found as (
    select
        metric,
        value,
        case metric
            when 'quality_score'
                then format('The newest %s submissions of %s pass %s of their checks.', rows, form, ops.percent(value))
            when 'tests_passed_share' then format('%s of %s tests of the build passed.', ops.percent(value), rows)
            else format('%s is closed: of %s new submissions none is published.', detail, rows)
        end as reason
    from (
        select metric, detail, form, rows, case metric when 'gate_closed' then 1 - value else value end as value
        from newest
    ) as scored
    where metric <> 'gate_closed' or value = 0
),

worst as (
    select *
    from found
    order by value, metric
    limit 1
)

select
    worst.value as score,
    coalesce(worst.reason, 'The quality of no data was measured in the last seven days.') as reason
from (select) as always
left join worst on true;
comment on view ops.data_quality_health is
    'How good the newest data is: the worst of its quality score and the tests that passed; 0 at a closed gate.';
comment on column ops.data_quality_health.score is '0 to 1; null where nothing was measured in the last seven days.';
comment on column ops.data_quality_health.reason is 'Why, in a sentence.';

create view ops.model_performance_health as
with
newest as (
    select distinct on (metrics.track, metrics.metric)
        metrics.track,
        metrics.metric,
        metrics.value,
        metrics.households
    from ops.model_performance_metrics as metrics
    inner join ml.champion_models using (track, model_name, model_version)
    where
        metrics.metric in ('accuracy_kept', 'coverage')
        and metrics.measured_at > now() - interval '7 days'
    order by metrics.track, metrics.metric, metrics.metric_id desc
),

found as (
    select
        metric,
        least(value, 1) as value,
        case metric
            when 'accuracy_kept'
                then format(
                    'The %s model keeps %s of its accuracy at training, as %s households show.',
                    track,
                    ops.percent(least(value, 1)),
                    households
                )
            else format('%s of %s households have a prediction of the %s model.', ops.percent(value), households, track)
        end as reason
    from newest
    where metric = 'accuracy_kept' or value < 1
),

worst as (
    select *
    from found
    order by value, metric
    limit 1
)

select
    worst.value as score,
    case
        when worst.reason is not null then worst.reason
        when not exists (select from ml.champion_models) then 'No model scores yet.'
        else 'Too few households were scored that the models were not trained on.'
    end as reason
from (select) as always
left join worst on true;
comment on view ops.model_performance_health is
    'How well the champions do: the worst of the accuracy that one keeps and of the households with a prediction.';
comment on column ops.model_performance_health.score is
    '0 to 1; null where nothing tells yet. That all households have a prediction tells nothing of its worth.';
comment on column ops.model_performance_health.reason is 'Why, in a sentence.';

create view ops.system_resources_health as
with
samples as (
    select
        host,
        -- A moment of work says nothing: processors count from ten minutes of measurements on.
        case when max(measured_at) - min(measured_at) >= interval '10 minutes' then avg(cpu_share) end as cpu_share,
        (array_agg(memory_share order by metric_id desc))[1] as memory_share,
        (array_agg(disk_share order by metric_id desc))[1] as disk_share
    from ops.system_metrics
    where measured_at > now() - interval '30 minutes'
    group by host
),

-- From the share on that raises an alert by default, what is left counts: all of it 1, none of it 0.
found as (
    select
        samples.host,
        resources.resource,
        resources.share,
        least(1, (1 - resources.share) / (1 - resources.limit_share)) as value
    from samples
    cross join lateral (
        values
        ('processors', samples.cpu_share, 0.85),
        ('memory', samples.memory_share, 0.90),
        ('disk', samples.disk_share, 0.85)
    ) as resources (resource, share, limit_share)
    where resources.share is not null
),

worst as (
    select *
    from found
    order by value, share desc
    limit 1
)

select
    worst.value::double precision as score,
    case
        when worst.host is null then 'No machine was measured in the last half hour.'
        else format('%s of the %s of %s is in use.', ops.percent(worst.share), worst.resource, worst.host)
    end as reason
from (select) as always
left join worst on true;
comment on view ops.system_resources_health is
    'How much processors, memory and disk have to spare, on the machine that has least.';
comment on column ops.system_resources_health.score is
    '1 up to 85 % of processors and disk and 90 % of memory, from there down to 0; null where no machine was measured.';
comment on column ops.system_resources_health.reason is 'Why, in a sentence.';

create view ops.health_components as
select
    parts.component,
    parts.weight,
    parts.score,
    ops.health_status(parts.score) as status,
    parts.reason
from (
    select 'pipeline' as component, 0.4::double precision as weight, score, reason from ops.pipeline_health
    union all
    select 'data_quality', 0.3, score, reason from ops.data_quality_health
    union all
    select 'model_performance', 0.2, score, reason from ops.model_performance_health
    union all
    select 'system_resources', 0.1, score, reason from ops.system_resources_health
) as parts;
comment on view ops.health_components is 'The parts of health, each with its score and why.';
comment on column ops.health_components.component is 'pipeline, data_quality, model_performance or system_resources.';
comment on column ops.health_components.weight is 'What it counts in the whole; all weights are 1.';
comment on column ops.health_components.score is '0 to 1; null where there is no data.';
comment on column ops.health_components.status is
    'excellent from 0.9, good from 0.8, warning from 0.7, else critical; unknown without data.';
comment on column ops.health_components.reason is 'Why, in a sentence.';

create view ops.health as
with
parts as (
    select *
    from ops.health_components
),

whole as (
    select
        sum(weight * score) / sum(weight) filter (where score is not null) as health_score,
        coalesce(array_agg(component order by weight desc) filter (where score is null), '{}') as unknown_components
    from parts
),

worst as (
    select component, reason
    from parts
    where score is not null
    order by score, weight desc
    limit 1
)

select
    whole.health_score,
    ops.health_status(whole.health_score) as status,
    worst.component as worst_component,
    coalesce(worst.reason, 'Nothing was measured yet.') as reason,
    whole.unknown_components
from whole
left join worst on true;
comment on view ops.health is 'How well it all is, in one row: the mean of the parts that have data, by weight.';
comment on column ops.health.health_score is '0 to 1; null where no part has data.';
comment on column ops.health.status is
    'excellent from 0.9, good from 0.8, warning from 0.7, else critical; unknown without data.';
comment on column ops.health.worst_component is 'The part with the lowest score.';
comment on column ops.health.reason is 'Why that part is as it is.';
comment on column ops.health.unknown_components is 'Parts without data, which the score leaves out.';
"""

DOWNGRADE = """
drop view ops.health, ops.health_components, ops.system_resources_health, ops.model_performance_health,
    ops.data_quality_health, ops.pipeline_health;
drop function ops.percent(double precision), ops.health_status(double precision);
drop table ops.model_performance_metrics, ops.data_quality_metrics, ops.system_metrics;
"""


def upgrade() -> None:
    """Create the tables of measurements and the views that judge them."""
    op.execute(UPGRADE)
    op.execute(VIEWS)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
