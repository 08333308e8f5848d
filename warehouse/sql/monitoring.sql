-- name: existing_relations
select relation
from unnest(%(relations)s::text[]) as relation
where to_regclass(relation) is not null;

-- name: measure_ledger
with
ledger as (
    select
        form,
        sum(received_rows) as received_rows,
        sum(stored_rows) as stored_rows,
        sum(rejected_rows) as rejected_rows,
        max(received_at) as newest_at
    from raw.ingestions
    group by form
)

insert into ops.data_quality_metrics (run_id, form, metric, value, rows, detail)
select
    %(run_id)s,
    ledger.form,
    measured.metric,
    measured.value,
    measured.rows,
    measured.detail
from ledger
cross join lateral (
    values
    ('rows_by_layer', ledger.stored_rows, ledger.stored_rows, 'raw'),
    ('rejected_share', 1.0 * ledger.rejected_rows / nullif(ledger.received_rows, 0), ledger.received_rows, ''),
    ('data_age_seconds', extract(epoch from now() - ledger.newest_at), null, '')
) as measured (metric, value, rows, detail)
where measured.value is not null;

-- name: measure_outcomes
with
outcomes as (
    select
        form,
        1.0 * sum(released_submissions + superseded_submissions) / nullif(sum(staged_submissions), 0) as released_share,
        sum(staged_submissions) as staged,
        sum(released_submissions) as released,
        sum(superseded_submissions) as superseded,
        sum(held_submissions) as held,
        sum(quarantined_submissions) as quarantined,
        sum(predicted_households) filter (where form = 'household_survey') as predicted
    from marts.rpt_ingestions
    group by form
)

insert into ops.data_quality_metrics (run_id, form, metric, value, rows, detail)
select
    %(run_id)s,
    outcomes.form,
    measured.metric,
    measured.value,
    measured.rows,
    measured.detail
from outcomes
cross join lateral (
    values
    ('released_share', outcomes.released_share, outcomes.staged, ''),
    ('rows_by_layer', outcomes.staged, outcomes.staged, 'staging'),
    ('rows_by_layer', outcomes.released, outcomes.released, 'validated'),
    ('rows_by_layer', outcomes.superseded, outcomes.superseded, 'superseded'),
    ('rows_by_layer', outcomes.held, outcomes.held, 'held'),
    ('rows_by_layer', outcomes.quarantined, outcomes.quarantined, 'quarantined'),
    ('rows_by_layer', outcomes.predicted, outcomes.predicted, 'predicted')
) as measured (metric, value, rows, detail)
where measured.value is not null;

-- name: measure_quality
with
days as (
    select
        received_date,
        sum(submissions) as submissions,
        sum(submissions * quality_score) / (100 * sum(submissions)) as quality_score,
        sum(completeness_passed)::double precision / nullif(sum(completeness_checked), 0) as completeness,
        sum(validity_passed)::double precision / nullif(sum(validity_checked), 0) as validity,
        sum(uniqueness_passed)::double precision / nullif(sum(uniqueness_checked), 0) as uniqueness,
        sum(consistency_passed)::double precision / nullif(sum(consistency_checked), 0) as consistency,
        sum(timeliness_passed)::double precision / nullif(sum(timeliness_checked), 0) as timeliness
    from marts.rpt_data_quality
    group by received_date
),

counted as (
    select
        *,
        sum(submissions) over (order by received_date desc) - submissions < %(least_submissions)s as is_newest
    from days
),

scored as (
    select
        count(*) filter (where is_newest) as days,
        sum(submissions) filter (where is_newest) as newest,
        sum(submissions) as submissions,
        sum(submissions * quality_score) / sum(submissions) as overall_quality_score,
        sum(submissions * quality_score) filter (where is_newest) as quality_score,
        sum(submissions * completeness) filter (where is_newest) as completeness,
        sum(submissions * validity) filter (where is_newest) as validity,
        sum(submissions * uniqueness) filter (where is_newest) as uniqueness,
        sum(submissions * consistency) filter (where is_newest) as consistency,
        sum(submissions * timeliness) filter (where is_newest) as timeliness
    from counted
)

insert into ops.data_quality_metrics (run_id, form, metric, value, rows)
select
    %(run_id)s,
    'household_survey',
    measured.metric,
    measured.value,
    measured.rows
from scored
cross join lateral (
    values
    ('overall_quality_score', scored.overall_quality_score, scored.submissions),
    ('quality_score', scored.quality_score / scored.newest, scored.newest),
    ('completeness', scored.completeness / scored.newest, scored.newest),
    ('validity', scored.validity / scored.newest, scored.newest),
    ('uniqueness', scored.uniqueness / scored.newest, scored.newest),
    ('consistency', scored.consistency / scored.newest, scored.newest),
    ('timeliness', scored.timeliness / scored.newest, scored.newest)
) as measured (metric, value, rows)
where measured.value is not null;

-- name: measure_gates
insert into ops.data_quality_metrics (run_id, form, metric, value, rows, detail)
select
    %(run_id)s,
    'household_survey',
    'gate_closed',
    coalesce(measured.is_closed, false)::integer,
    quality.submissions,
    measured.gate
from validated.int_run_quality as quality
cross join lateral (
    values
    ('gate_held', quality.held_percent > quality.held_limit_percent),
    ('gate_rejected', quality.rejected_percent > quality.rejected_limit_percent),
    ('gate_completeness', quality.completeness_percent < quality.completeness_limit_percent)
) as measured (gate, is_closed);

-- name: measure_tests
insert into ops.data_quality_metrics (run_id, form, metric, value, rows)
select
    %(run_id)s,
    'all',
    'tests_passed_share',
    count(*) filter (where status in ('pass', 'warn'))::double precision / count(*),
    count(*)
from ops.dbt_results
where
    run_id = %(run_id)s
    and resource_type = 'test'
    and status <> 'skipped'
having count(*) > 0;

-- name: measure_households
with
households as (
    select
        count(*) as households,
        count(vulnerability_probability) as predicted,
        count(*) filter (where verdict = 'undecided') as undecided
    from marts.fct_household_risk
)

insert into ops.model_performance_metrics (
    run_id, track, model_name, model_version, metric, value, households
)
select
    %(run_id)s,
    models.track,
    models.model_name,
    models.model_version,
    measured.metric,
    measured.value,
    measured.households
from households
inner join ml.champion_models as models on models.track = 'screening'
cross join lateral (
    values
    ('coverage', households.predicted::double precision / nullif(households.households, 0), households.households),
    ('undecided_share', households.undecided::double precision / nullif(households.predicted, 0), households.predicted)
) as measured (metric, value, households)
where measured.value is not null;

-- name: measure_models
with
accuracies as (
    select distinct on (checks.track, checks.kind)
        checks.track,
        checks.kind,
        checks.accuracy,
        checks.households,
        case
            when checks.households >= %(least_households)s then coalesce(checks.upper_bound, checks.accuracy)
        end as at_most
    from ml.performance_checks as checks
    inner join ml.champion_models using (track, model_name, model_version)
    order by checks.track, checks.kind, checks.check_id desc
),

trained as (
    select
        models.track,
        evaluations.value as accuracy
    from ml.champion_models as models
    inner join ml.evaluations using (model_name, model_version)
    where
        evaluations.split = 'village'
        and evaluations.segment_kind = 'all'
        and evaluations.metric = 'accuracy'
        and evaluations.value > 0
),

kept as (
    select distinct on (accuracies.track)
        accuracies.track,
        accuracies.at_most / trained.accuracy as value,
        accuracies.households
    from accuracies
    inner join trained on accuracies.track = trained.track
    where accuracies.at_most is not null
    order by accuracies.track, accuracies.at_most
),

newest_drift as (
    select
        checks.track,
        max(checks.check_id) as check_id
    from ml.drift_checks as checks
    inner join ml.champion_models using (track, model_name, model_version)
    group by checks.track
),

drift as (
    select
        checks.track,
        count(*) filter (where checks.has_drifted) as drifted_features,
        max(checks.psi) filter (where checks.feature = 'score') as score_psi,
        max(checks.households) as households
    from newest_drift
    inner join ml.drift_checks as newest on newest_drift.check_id = newest.check_id
    inner join ml.drift_checks as checks
        on
            newest.run_id = checks.run_id
            and newest.track = checks.track
            and newest.checked_at = checks.checked_at
    group by checks.track
),

measured as (
    select
        track,
        'age_seconds' as metric,
        extract(epoch from now() - trained_at)::double precision as value,
        null::bigint as households
    from ml.champion_models
    union all
    select track, 'training_accuracy', accuracy, null from trained
    union all
    select track, kind || '_accuracy', accuracy, households from accuracies
    union all
    select track, 'accuracy_kept', value, households from kept
    union all
    select track, 'drifted_features', drifted_features, households from drift
    union all
    select track, 'score_psi', score_psi, households from drift where score_psi is not null
)

insert into ops.model_performance_metrics (
    run_id, track, model_name, model_version, metric, value, households
)
select
    %(run_id)s,
    models.track,
    models.model_name,
    models.model_version,
    measured.metric,
    measured.value,
    measured.households
from measured
inner join ml.champion_models as models on measured.track = models.track;

-- name: insert_sample
insert into ops.system_metrics (host, cpu_share, memory_share, disk_share, memory_bytes, disk_free_bytes)
values (%(host)s, %(cpu_share)s, %(memory_share)s, %(disk_share)s, %(memory_bytes)s, %(disk_free_bytes)s);

-- name: health
select
    health_score,
    status,
    worst_component,
    reason,
    unknown_components
from ops.health;

-- name: health_components
select
    component,
    weight,
    score,
    status,
    reason
from ops.health_components
order by weight desc;

-- name: monitoring
select
    health.health_score,
    (
        select extract(epoch from clock_timestamp() - max(measured_at))::double precision
        from ops.system_metrics
    ) as sample_age_seconds,
    (
        select count(*)
        from ops.heartbeats
        where process in ('worker', 'scheduler') and beat_at < clock_timestamp() - interval '60 seconds'
    ) as silent_processes
from ops.health as health;
