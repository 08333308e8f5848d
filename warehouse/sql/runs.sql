-- name: new_run_id
select uuidv7()::text as run_id;

-- name: insert_run
insert into ops.pipeline_runs (
    run_id, status, requested_by, scope, resumes_run_id, host, process_id, log_reference
)
values (
    %(run_id)s, 'running', %(requested_by)s, %(scope)s, %(resumes_run_id)s, %(host)s, %(process_id)s, %(log_reference)s
);

-- name: close_abandoned_steps
update ops.pipeline_steps
set
    status = 'failed',
    finished_at = clock_timestamp(),
    error_code = %(code)s,
    error_message = 'The process ended before the step did.'
where status = 'running';

-- name: close_abandoned_runs
update ops.pipeline_runs
set
    status = 'failed',
    finished_at = clock_timestamp(),
    error_code = %(code)s,
    error_message = 'The process ended before the run did.'
where status = 'running'
returning run_id;

-- name: end_backends
select count(pg_terminate_backend(pid)) as ended
from pg_stat_activity
where application_name = any(%(names)s) and pid <> pg_backend_pid();

-- name: end_backends_of_run
select count(pg_terminate_backend(pid)) as ended
from pg_stat_activity
where application_name like '%% ' || %(run_id)s and pid <> pg_backend_pid();

-- name: finish_run
update ops.pipeline_runs
set
    status = %(status)s,
    finished_at = clock_timestamp(),
    changed_rows = %(changed_rows)s,
    changed_tables = %(changed_tables)s,
    error_code = %(error_code)s,
    error_message = %(error_message)s
where run_id = %(run_id)s;

-- name: skip_step
insert into ops.pipeline_steps (run_id, step, status, finished_at, did)
values (%(run_id)s, %(step)s, 'skipped', clock_timestamp(), %(did)s)
on conflict (run_id, step, attempt) do nothing;

-- name: begin_step
insert into ops.pipeline_steps (run_id, step, attempt, status, log_reference)
values (%(run_id)s, %(step)s, %(attempt)s, 'running', %(log_reference)s)
on conflict (run_id, step, attempt) do nothing;

-- name: finish_step
update ops.pipeline_steps
set
    status = %(status)s,
    finished_at = clock_timestamp(),
    rows_in = %(rows_in)s,
    rows_out = %(rows_out)s,
    did = %(did)s,
    error_code = %(error_code)s,
    error_message = %(error_message)s
where run_id = %(run_id)s and step = %(step)s and attempt = %(attempt)s;

-- name: newest_run
select
    run_id,
    status
from ops.pipeline_runs
where scope = ''
order by started_at desc
limit 1;

-- name: finished_steps
select step
from ops.pipeline_steps
where run_id = %(run_id)s and status in ('succeeded', 'skipped');

-- name: newest_tries
select distinct on (step)
    step,
    status
from ops.pipeline_steps
where status <> 'skipped'
order by
    step,
    started_at desc,
    attempt desc;

-- name: newest_run_of_step
select run_id
from ops.pipeline_steps
where step = %(step)s and status = 'succeeded'
order by started_at desc
limit 1;

-- name: forget_drift_checks
delete from ml.drift_checks
where run_id = %(run_id)s;

-- name: forget_performance_checks
delete from ml.performance_checks
where run_id = %(run_id)s;

-- name: run_under_way
select
    runs.run_id,
    steps.step,
    coalesce(steps.started_at, runs.started_at) as since,
    runs.host,
    runs.process_id
from ops.pipeline_runs as runs
left join ops.pipeline_steps as steps on runs.run_id = steps.run_id and steps.status = 'running'
where runs.run_id = %(run_id)s
order by since
limit 1;

-- name: lock_holder
select
    activity.application_name as holder,
    activity.backend_start as since
from pg_locks as locks
inner join pg_stat_activity as activity on locks.pid = activity.pid
where
    locks.locktype = 'advisory'
    and locks.granted
    and locks.objsubid = 1
    and locks.database = (select oid from pg_database where datname = current_database())
    and ((locks.classid::bigint << 32) | locks.objid::bigint) = hashtextextended(%(name)s, 0);

-- name: steps_of_last_run
select
    run_id,
    step as name,
    attempt,
    status,
    started_at,
    seconds,
    rows_in,
    rows_out,
    coalesce(error_message, did) as did
from ops.pipeline_steps
where run_id = (select run_id from ops.pipeline_runs order by started_at desc limit 1)
order by
    started_at,
    attempt;

-- name: insert_dbt_result
insert into ops.dbt_results (
    run_id, step, node_id, node_name, resource_type, status, seconds, rows_affected, failures, message
)
values (
    %(run_id)s, %(step)s, %(node_id)s, %(node_name)s, %(resource_type)s, %(status)s, %(seconds)s, %(rows_affected)s,
    %(failures)s, %(message)s
)
on conflict (run_id, step, node_id) do update set
    status = excluded.status,
    seconds = excluded.seconds,
    rows_affected = excluded.rows_affected,
    failures = excluded.failures,
    message = excluded.message,
    finished_at = excluded.finished_at;

-- name: server_start
select pg_postmaster_start_time() as started_at;

-- name: undecided_models
select
    models.track,
    models.model_version
from ml.models as models
where
    not exists (
        select 1
        from ml.models as newer
        where newer.track = models.track and newer.model_version > models.model_version
    )
    and not exists (
        select 1
        from ml.model_events as events
        where
            events.track = models.track
            and events.model_version = models.model_version
            and events.event <> 'registered'
    );

-- name: landed_rows
select
    coalesce(sum(received_rows), 0)::bigint as received,
    coalesce(sum(stored_rows), 0)::bigint as stored
from raw.ingestions
where ingestion_id = any(%(ingestion_ids)s);

-- name: tables_to_export
select
    table_schema,
    table_name
from information_schema.tables
where
    (table_schema = 'features' and table_name = 'fct_household_features')
    or (
        table_schema = 'marts'
        and table_type = 'BASE TABLE'
        and (table_name in ('dim_households', 'fct_household_risk') or starts_with(table_name, 'rpt_'))
    )
order by table_name;

-- name: current_predictions
select
    household_id,
    survey_round,
    submission_id,
    track,
    prediction,
    probability,
    probability_below_125,
    probability_below_215,
    predicted_status,
    confidence,
    risk_category,
    verdict,
    threshold,
    policy_version,
    reasons,
    missing_features,
    model_name,
    model_version,
    feature_set_version,
    is_training_row,
    scored_at,
    run_id
from ml.current_predictions
where track = {track};

-- name: fingerprint_rows
select
    count(*) as rows,
    bit_xor(hashtextextended(given::text, 0)) as hash
from ({query}) as given;

-- name: insert_export
insert into ops.exports (run_id, object_key, relation, sha256, bytes, rows)
values (%(run_id)s, %(object_key)s, %(relation)s, %(sha256)s, %(bytes)s, %(rows)s)
on conflict (object_key) do update set
    run_id = excluded.run_id,
    exported_at = excluded.exported_at;

-- name: last_runs
select
    run_id,
    status,
    scope,
    started_at,
    finished_at,
    changed_tables,
    error_code,
    error_message
from ops.pipeline_runs
order by started_at desc
limit %(limit)s;

-- name: ledger_totals
select
    coalesce(sum(received_rows) filter (where form = 'household_survey'), 0)::bigint as received,
    coalesce(sum(stored_rows) filter (where form = 'household_survey'), 0)::bigint as stored,
    coalesce(sum(duplicate_rows) filter (where form = 'household_survey'), 0)::bigint as duplicate,
    coalesce(sum(rejected_rows) filter (where form = 'household_survey'), 0)::bigint as rejected,
    coalesce(sum(conflict_rows) filter (where form = 'household_survey'), 0)::bigint as conflict,
    count(*) filter (where status = 'received') as pending_files,
    count(*) filter (where status = 'failed') as failed_files,
    count(*) filter (where status = 'refused') as refused_files
from raw.ingestions;

-- name: other_forms
select
    form,
    sum(received_rows)::bigint as received,
    sum(stored_rows)::bigint as stored,
    sum(duplicate_rows)::bigint as duplicate,
    sum(rejected_rows)::bigint as rejected,
    sum(conflict_rows)::bigint as conflict
from raw.ingestions
where form <> 'household_survey'
group by form
having sum(received_rows) > 0
order by form;

-- name: rejection_reasons
select
    ingestions.form,
    rejected_rows.reason_code as reason,
    count(*) as rows
from raw.rejected_rows as rejected_rows
inner join raw.ingestions as ingestions on rejected_rows.ingestion_id = ingestions.ingestion_id
group by
    ingestions.form,
    rejected_rows.reason_code
order by
    rows desc,
    ingestions.form,
    reason
limit 5;

-- name: quarantine_reasons
select
    reason ->> 'message' as reason,
    count(*) as rows
from marts.fct_quarantined_submissions,
    jsonb_array_elements(reasons) as reason
where status = 'open'
group by reason ->> 'message'
order by rows desc, reason
limit 5;

-- name: layer_counts
select
    outcomes.*,
    (select count(*) from marts.fct_quarantined_submissions where status = 'discarded') as discarded,
    (
        select count(*)
        from information_schema.columns
        where table_schema = 'features' and table_name = 'fct_household_features'
    ) as columns_of_features,
    (select count(vulnerability_probability) from marts.fct_household_risk) as predicted
from (
    select
        coalesce(sum(built.released_submissions), 0)::bigint as released,
        coalesce(sum(built.quarantined_submissions), 0)::bigint as quarantined,
        coalesce(sum(built.superseded_submissions), 0)::bigint as superseded,
        coalesce(sum(built.held_submissions), 0)::bigint as held
    from marts.rpt_ingestions as built
    inner join raw.ingestions as ingestions on built.ingestion_id = ingestions.ingestion_id
    where ingestions.form = 'household_survey'
) as outcomes;

-- name: district_risk
select
    district,
    households,
    households_predicted_vulnerable,
    households_critical,
    households_high,
    mean_vulnerability_probability,
    households_measured,
    households_measured_vulnerable
from marts.rpt_district_summary
where households > 0
order by mean_vulnerability_probability desc nulls last, district;

-- name: origins
select
    count(*) filter (where ingestions.sha256 = %(sample_file)s) as sample_files,
    count(*) filter (where coalesce(corrected.sha256, ingestions.sha256) <> all(%(sample)s)) as other_ingestions
from raw.ingestions as ingestions
left join raw.ingestions as corrected on ingestions.correction_of = corrected.ingestion_id
where ingestions.status in ('received', 'loaded');

-- name: sample_ingestions
select ingestions.ingestion_id
from raw.ingestions as ingestions
left join raw.ingestions as corrected on ingestions.correction_of = corrected.ingestion_id
where coalesce(corrected.sha256, ingestions.sha256) = any(%(sample)s);

-- name: forget_learnt
with
retired as (
    insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)
    select
        track,
        model_name,
        max(model_version),
        'retired',
        'kyalo',
        'It was trained on the made-up sample.',
        'manual'
    from ml.models
    group by track, model_name
)

delete from ml.predictions;

-- name: has_learnt
select exists (
    select 1
    from staging.stg_household_survey__submissions as staged
    inner join ml.training_rows as learnt on staged.submission_id = learnt.submission_id
    where staged.ingestion_id = any(%(ingestion_ids)s)
) as has_learnt;

-- name: has_staging
select to_regclass('staging.stg_household_survey__submissions') is not null as has_staging;

-- name: has_staged
select exists (
    select 1
    from staging.stg_household_survey__submissions
    where ingestion_id = any(%(ingestion_ids)s)
) as has_staged;

-- name: held_batches
select
    batches.ingestion_id,
    batches.submissions,
    batches.rejected_submissions,
    ingestions.held_submissions
from marts.fct_batch_quality as batches
inner join marts.rpt_ingestions as ingestions on batches.ingestion_id = ingestions.ingestion_id
where ingestions.held_submissions > 0
order by batches.ingestion_id;

-- name: run_quality
select
    batches,
    held_batches,
    submissions,
    held_submissions,
    rejected_submissions,
    held_percent,
    held_limit_percent,
    rejected_percent,
    rejected_limit_percent,
    completeness_percent,
    completeness_limit_percent
from validated.int_run_quality;

-- name: new_reasons
select
    rule,
    count(*) as rows
from validated.int_submissions_judged as judged
inner join validated.int_batch_quality as batches on judged.ingestion_id = batches.ingestion_id
left join ops.published_ingestions as published on judged.ingestion_id = published.ingestion_id,
    unnest(judged.failed_rules) as rule
where published.ingestion_id is null and judged.corrected_by is null and judged.decision is distinct from 'discard'
group by rule
order by rows desc, rule
limit 3;

-- name: has_marts
select to_regclass('marts.rpt_district_summary') is not null;
