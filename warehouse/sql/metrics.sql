-- name: ingestions
with
totals as materialized (
    select
        form,
        count(*) as uploads,
        count(*) filter (where status = 'failed') as failed,
        count(*) filter (where status = 'refused') as refused,
        extract(epoch from max(received_at))::double precision as newest_at,
        sum(stored_rows) as stored_rows,
        sum(duplicate_rows) as duplicate_rows,
        sum(rejected_rows) as rejected_rows,
        sum(conflict_rows) as conflict_rows
    from raw.ingestions
    group by form
)

select
    totals.form,
    outcomes.outcome,
    outcomes.rows,
    outcomes.uploads,
    outcomes.failed,
    outcomes.refused,
    outcomes.newest_at
from totals
cross join lateral (
    values
    ('stored', totals.stored_rows, totals.uploads, totals.failed, totals.refused, totals.newest_at),
    ('duplicate', totals.duplicate_rows, null, null, null, null),
    ('rejected', totals.rejected_rows, null, null, null, null),
    ('conflict', totals.conflict_rows, null, null, null, null)
) as outcomes (outcome, rows, uploads, failed, refused, newest_at);

-- name: backlog
select
    count(*) as pending,
    coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0)::double precision as oldest_seconds
from raw.ingestions
where status = 'received';

-- name: queue
select
    task_name as task,
    status::text as status,
    count(*) as jobs
from jobs.procrastinate_jobs
group by task_name, status;

-- name: queue_age
select
    waiting.task_name as task,
    coalesce(
        extract(epoch from clock_timestamp() - min(coalesce(waiting.scheduled_at, event.at))), 0
    )::double precision as oldest_seconds
from jobs.procrastinate_jobs as waiting
inner join jobs.procrastinate_events as event on waiting.id = event.job_id
where
    waiting.status = 'todo'
    and event.type = 'deferred'
    and coalesce(waiting.scheduled_at <= clock_timestamp(), true)
group by waiting.task_name;

-- name: runs
select
    status,
    count(*) as runs,
    extract(epoch from max(finished_at))::double precision as newest_at
from ops.pipeline_runs
group by status;

-- name: last_run
select extract(epoch from finished_at - started_at)::double precision as seconds
from ops.pipeline_runs
where finished_at is not null
order by started_at desc
limit 1;

-- name: steps
select
    step,
    status,
    count(*) as attempts,
    extract(epoch from max(finished_at))::double precision as newest_at
from ops.pipeline_steps
group by step, status;

-- name: last_steps
select distinct on (step)
    step,
    seconds,
    rows_in,
    rows_out
from ops.pipeline_steps
where status = 'succeeded'
order by step, started_at desc;

-- name: rows_by_layer
select distinct on (form, detail)
    form,
    detail as layer,
    value
from ops.data_quality_metrics
where metric = 'rows_by_layer' and measured_at > now() - interval '7 days'
order by form, detail, metric_id desc;

-- name: data_quality
select distinct on (form, metric)
    form,
    metric,
    value
from ops.data_quality_metrics
where metric not in ('rows_by_layer', 'gate_closed', 'data_age_seconds') and measured_at > now() - interval '7 days'
order by form, metric, metric_id desc;

-- name: gates
select distinct on (form, detail)
    form,
    detail as gate,
    value
from ops.data_quality_metrics
where metric = 'gate_closed' and measured_at > now() - interval '7 days'
order by form, detail, metric_id desc;

-- name: models
select
    track,
    model_name,
    model_version::text as model_version,
    algorithm,
    1 as present,
    extract(epoch from clock_timestamp() - trained_at)::double precision as age_seconds
from ml.champion_models;

-- name: model_accuracy
select distinct on (metrics.track, metrics.metric)
    metrics.track,
    replace(metrics.metric, '_accuracy', '') as kind,
    metrics.value
from ops.model_performance_metrics as metrics
inner join ml.champion_models using (track, model_name, model_version)
where metrics.metric like '%%\_accuracy' and metrics.measured_at > now() - interval '7 days'
order by metrics.track, metrics.metric, metrics.metric_id desc;

-- name: model_performance
with
newest as (
    select distinct on (metrics.track, metrics.metric)
        metrics.track,
        metrics.metric,
        metrics.value
    from ops.model_performance_metrics as metrics
    inner join ml.champion_models using (track, model_name, model_version)
    where metrics.measured_at > now() - interval '7 days'
    order by metrics.track, metrics.metric, metrics.metric_id desc
)

select
    track,
    max(value) filter (where metric = 'accuracy_kept') as accuracy_kept,
    max(value) filter (where metric = 'drifted_features') as drifted_features,
    max(value) filter (where metric = 'coverage') as coverage,
    max(value) filter (where metric = 'undecided_share') as undecided_share
from newest
group by track;

-- name: drift
with
newest as (
    select
        checks.track,
        max(checks.check_id) as check_id
    from ml.drift_checks as checks
    inner join ml.champion_models using (track, model_name, model_version)
    group by checks.track
)

select
    checks.track,
    checks.feature,
    checks.psi,
    checks.psi_limit
from newest
inner join ml.drift_checks as last_check on newest.check_id = last_check.check_id
inner join ml.drift_checks as checks
    on
        last_check.run_id = checks.run_id
        and last_check.track = checks.track
        and last_check.checked_at = checks.checked_at;

-- name: health
select health_score
from ops.health
where health_score is not null;

-- name: health_components
select
    component,
    score
from ops.health_components
where score is not null;

-- name: heartbeats
select
    process,
    count(*) filter (where beat_at >= clock_timestamp() - interval '60 seconds') as alive,
    count(*) filter (where beat_at < clock_timestamp() - interval '60 seconds') as silent,
    extract(epoch from clock_timestamp() - max(beat_at))::double precision as newest_seconds
from ops.heartbeats
group by process;

-- name: schedules
select
    job,
    is_paused::integer as is_paused,
    extract(epoch from next_due_at)::double precision as next_due_at
from ops.schedules;

-- name: alerts
select
    severities.severity,
    count(alerts.alert_id) as alerts,
    count(alerts.alert_id) filter (where alerts.acknowledged_at is null) as unacknowledged
from unnest(array['info', 'warning', 'error', 'critical']) as severities (severity)
left join ops.alerts as alerts on severities.severity = alerts.severity and alerts.resolved_at is null
group by severities.severity;

-- name: system
select distinct on (host)
    host,
    cpu_share,
    memory_share,
    disk_share,
    memory_bytes,
    disk_free_bytes
from ops.system_metrics
where measured_at > now() - interval '1 hour'
order by host, metric_id desc;
