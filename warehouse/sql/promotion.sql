-- name: lock_track
select pg_advisory_xact_lock(hashtextextended('ml.model_events ' || %(track)s, 0));

-- name: select_events
select
    event_id,
    track,
    model_name,
    model_version,
    event,
    actor,
    reason,
    details,
    run_id,
    happened_at
from ml.model_events
where track = %(track)s
order by event_id;

-- name: select_policies
select
    policy_version,
    track,
    model_name,
    model_version,
    default_threshold,
    thresholds,
    default_quota,
    quotas,
    effects,
    actor,
    reason,
    decided_at
from ml.policies
order by policy_version desc;

-- name: insert_policy
insert into ml.policies (
    track,
    model_name,
    model_version,
    default_threshold,
    thresholds,
    default_quota,
    quotas,
    effects,
    actor,
    reason
)
values (
    'screening',
    %(model_name)s,
    %(model_version)s,
    %(default_threshold)s,
    %(thresholds)s,
    %(default_quota)s,
    %(quotas)s,
    %(effects)s,
    %(actor)s,
    %(reason)s
)
returning
    policy_version,
    track,
    model_name,
    model_version,
    default_threshold,
    thresholds,
    default_quota,
    quotas,
    effects,
    actor,
    reason,
    decided_at;

-- name: select_versions
with
last_events as (
    select distinct on (model_name, model_version)
        model_name,
        model_version,
        event,
        actor,
        reason,
        happened_at
    from ml.model_events
    order by model_name, model_version, event_id desc
),

village_scores as (
    select
        model_name,
        model_version,
        max(value) filter (where metric = 'auc') as auc,
        max(lower_bound) filter (where metric = 'auc') as auc_lower_bound,
        max(upper_bound) filter (where metric = 'auc') as auc_upper_bound,
        max(value) filter (where metric = 'accuracy') as accuracy,
        max(value) filter (where metric = 'calibration_error') as calibration_error
    from ml.evaluations
    where split = 'village' and segment_kind = 'all'
    group by model_name, model_version
)

select
    models.track,
    models.model_name,
    models.model_version,
    models.algorithm,
    models.artifact_kind,
    champions.champion_since,
    scores.auc,
    scores.auc_lower_bound,
    scores.auc_upper_bound,
    scores.accuracy,
    scores.calibration_error,
    events.event,
    events.actor,
    events.reason,
    events.happened_at,
    models.trained_at,
    models.mlflow_run_id
from ml.models as models
left join village_scores as scores using (model_name, model_version)
left join last_events as events using (model_name, model_version)
left join ml.champion_models as champions using (model_name, model_version)
where %(track)s::text is null or models.track = %(track)s
order by models.track desc, models.model_version desc;

-- name: select_evaluations
select
    split,
    segment_kind,
    segment,
    metric,
    value,
    lower_bound,
    upper_bound
from ml.evaluations
where model_name = %(model_name)s and model_version = %(model_version)s
order by split, segment_kind, segment, metric;

-- name: has_mlflow
select to_regclass('mlflow.registered_model_aliases') is not null as has_mlflow;

-- name: select_aliases
select
    name,
    alias,
    version
from mlflow.registered_model_aliases
where alias = any(%(roles)s);

-- name: create_mlflow
create schema if not exists mlflow;

-- name: set_mlflow_run
update ml.models
set mlflow_run_id = %(mlflow_run_id)s
where model_name = %(model_name)s and model_version = %(model_version)s;
