-- name: find_client
select
    name,
    role,
    generation,
    secret_hash,
    null::bytea as url_token_hash,
    created_at,
    null::timestamptz as rotated_at,
    revoked_at,
    null::timestamptz as last_used_at
from ops.find_client(%(name)s);

-- name: has_marts
select to_regclass('marts.rpt_district_summary') is not null as has_marts;

-- name: health
select
    health_score,
    status,
    worst_component,
    reason
from ops.health;

-- name: health_components
select
    component,
    weight,
    score,
    status,
    reason
from ops.health_components
order by weight desc, component;

-- name: freshness
select
    (
        select received_at
        from raw.ingestions
        order by ingestion_id desc
        limit 1
    ) as newest_received_at,
    (select max(published_at) from ops.published_ingestions) as newest_published_at,
    (
        select max(finished_at)
        from ops.pipeline_runs
        where status = 'succeeded' and scope = ''
    ) as newest_success_at,
    (
        select next_due_at
        from ops.schedules
        where job = 'pipeline' and not is_paused
    ) as next_run_at;

-- name: processes
select
    process,
    instance,
    host,
    doing,
    started_at,
    beat_at,
    beat_at > clock_timestamp() - interval '60 seconds' as is_alive
from ops.heartbeats
order by process, instance;

-- name: totals
select
    coalesce(sum(households), 0)::bigint as households,
    coalesce(sum(people), 0)::bigint as people,
    coalesce(sum(households_scored), 0)::bigint as households_scored,
    coalesce(sum(households_predicted_vulnerable), 0)::bigint as households_predicted_vulnerable,
    coalesce(sum(households_critical), 0)::bigint as households_critical,
    coalesce(sum(households_undecided), 0)::bigint as households_undecided,
    coalesce(sum(quarantined_submissions), 0)::bigint as quarantined_submissions,
    coalesce(sum(held_submissions), 0)::bigint as held_submissions
from marts.rpt_district_summary
where
    %(district)s::text is null
    or (
        district = %(district)s
        and exists (
            select 1
            from {marts}.rpt_district_summary as shown
            where shown.district = %(district)s and shown.households is not null
        )
    );

-- name: districts
select
    district,
    households,
    people,
    households_scored,
    households_predicted_vulnerable,
    households_undecided,
    expected_vulnerable_households,
    mean_vulnerability_probability,
    households_critical,
    households_high,
    households_medium,
    households_low,
    households_measured,
    households_measured_vulnerable,
    mean_income_usd_per_day
from {marts}.rpt_district_summary
where households > 0
order by mean_vulnerability_probability desc nulls last, district
limit 200;

-- name: priorities
select
    village_id,
    district,
    cluster,
    village,
    priority_rank,
    households,
    people,
    expected_vulnerable_households,
    households_critical,
    critical_percent,
    mean_minutes_to_water,
    households_unvisited,
    last_visited_quarter,
    (
        select count(*)
        from {marts}.rpt_village_priorities
        where %(district)s::text is null or district = %(district)s
    ) as villages
from {marts}.rpt_village_priorities
where %(district)s::text is null or district = %(district)s
order by expected_vulnerable_households desc nulls last, village_id
limit %(limit)s
offset %(offset)s;

-- name: priorities_file
copy (
    select
        district,
        cluster,
        village,
        priority_rank,
        households,
        people,
        expected_vulnerable_households,
        households_critical,
        critical_percent,
        mean_minutes_to_water,
        households_unvisited,
        last_visited_quarter
    from {marts}.rpt_village_priorities
    where %(district)s::text is null or district = %(district)s
    order by district, priority_rank
) to stdout;

-- name: locations
with
neediest as (
    select
        village_id,
        households,
        expected_vulnerable_households
    from {marts}.rpt_village_priorities
    where households is not null and (%(district)s::text is null or district = %(district)s)
    order by expected_vulnerable_households desc nulls last, village_id
    limit 500
)

select
    locations.district,
    locations.village,
    locations.village_latitude,
    locations.village_longitude,
    neediest.expected_vulnerable_households,
    neediest.expected_vulnerable_households / nullif(neediest.households, 0) as vulnerable_share
from neediest
inner join marts.rpt_village_locations as locations using (village_id)
order by neediest.expected_vulnerable_households desc nulls last, village_id;

-- name: received_totals
with
-- In one pass, which may run in parallel; grouping sets over the ledger itself would sort it.
received_sums as materialized (
    select
        (received_at at time zone %(timezone)s)::date as day,
        form,
        coalesce(client, source) as sender,
        coalesce(device, '') as device,
        count(*) as ingestions,
        sum(received_rows)::bigint as received,
        sum(stored_rows)::bigint as stored,
        sum(duplicate_rows)::bigint as duplicate,
        sum(rejected_rows)::bigint as rejected,
        sum(conflict_rows)::bigint as conflict,
        max(received_at) as newest_received_at
    from raw.ingestions
    where ingestion_id >= %(first_id)s and received_at >= %(since)s
    group by
        (received_at at time zone %(timezone)s)::date,
        form,
        coalesce(client, source),
        coalesce(device, '')
)

select
    day,
    form,
    sender,
    device,
    sum(ingestions)::bigint as ingestions,
    sum(received)::bigint as received,
    sum(stored)::bigint as stored,
    sum(duplicate)::bigint as duplicate,
    sum(rejected)::bigint as rejected,
    sum(conflict)::bigint as conflict,
    max(newest_received_at) as newest_received_at
from received_sums
group by
    grouping sets (
        (day),
        (form),
        (sender, device)
    )
order by day, received desc;

-- name: rejected_reasons
select
    ingestions.form,
    rejected_rows.reason_code,
    count(*) as rows,
    count(distinct rejected_rows.ingestion_id) as ingestions
from raw.rejected_rows as rejected_rows
inner join raw.ingestions as ingestions using (ingestion_id)
where
    rejected_rows.ingestion_id >= %(first_id)s
    and ingestions.ingestion_id >= %(first_id)s
    and ingestions.received_at >= %(since)s
group by
    ingestions.form,
    rejected_rows.reason_code
order by rows desc, reason_code
limit 20;

-- name: troubled_ingestions
select
    ingestion_id,
    form,
    status,
    filename,
    client,
    source,
    received_rows,
    rejected_rows,
    error_code,
    error_message,
    received_at
from raw.ingestions
where
    ingestion_id >= %(first_id)s
    and received_at >= %(since)s
    and (status in ('failed', 'refused') or rejected_rows > 0)
order by ingestion_id desc
limit 10;

-- name: quality_by_day
select
    received_date,
    sum(submissions)::bigint as submissions,
    sum(released_submissions)::bigint as released,
    sum(quarantined_submissions)::bigint as quarantined,
    sum(held_submissions)::bigint as held,
    sum(quality_score * submissions) / nullif(sum(submissions) filter (where quality_score is not null), 0) as score
from marts.rpt_data_quality
where received_date >= %(since)s
group by received_date
order by received_date;

-- name: quality_dimensions
select
    sum(completeness_passed) / nullif(sum(completeness_checked), 0) as completeness,
    sum(validity_passed) / nullif(sum(validity_checked), 0) as validity,
    sum(uniqueness_passed) / nullif(sum(uniqueness_checked), 0) as uniqueness,
    sum(consistency_passed) / nullif(sum(consistency_checked), 0) as consistency,
    sum(timeliness_passed) / nullif(sum(timeliness_checked), 0) as timeliness,
    sum(quality_score * submissions) / nullif(sum(submissions) filter (where quality_score is not null), 0) as score,
    sum(submissions)::bigint as submissions,
    sum(released_submissions)::bigint as released,
    sum(flagged_submissions)::bigint as flagged
from marts.rpt_data_quality
where received_date >= %(since)s;

-- name: quality_by_enumerator
select
    enumerator_id,
    sum(submissions)::bigint as submissions,
    sum(rejected_submissions)::bigint as rejected,
    sum(flagged_submissions)::bigint as flagged,
    sum(quality_score * submissions) / nullif(sum(submissions) filter (where quality_score is not null), 0) as score
from marts.rpt_data_quality
where received_date >= %(since)s and enumerator_id <> 'unknown'
group by enumerator_id
order by score nulls last, enumerator_id
limit 10;

-- name: broken_rules
select
    form,
    rule_id,
    dimension,
    severity,
    message,
    broken_submissions
from {marts}.dim_quality_rules
where broken_submissions is distinct from 0
order by broken_submissions desc nulls last, quality_rule_id
limit 20;

-- name: quarantine_counts
select
    status,
    count(*) as submissions
from marts.fct_quarantined_submissions
group by status;

-- name: quarantined
select
    quarantined.submission_id,
    quarantined.district,
    quarantined.village,
    quarantined.household_id,
    quarantined.status,
    quarantined.reasons,
    quarantined.age_days,
    quarantined.received_at,
    quarantined.decided_by,
    quarantined.decision_reason,
    latest.decision as newer_decision,
    latest.decided_by as newer_decided_by
from marts.fct_quarantined_submissions as quarantined
left join lateral (
    select
        decisions.decision,
        decisions.decided_by
    from review.decisions as decisions
    where
        decisions.submission_id = quarantined.submission_id
        and decisions.decided_at > coalesce(quarantined.decided_at, '-infinity')
    order by decisions.decision_id desc
    limit 1
) as latest on true
where
    quarantined.status = %(status)s
    and (%(district)s::text is null or quarantined.district = %(district)s)
    and (%(rule)s::text is null or %(rule)s = any(quarantined.failed_rules))
order by quarantined.received_at, quarantined.submission_id
limit %(limit)s
offset %(offset)s;

-- name: held_batches
select
    batches.ingestion_id,
    batches.submissions,
    batches.rejected_submissions,
    batches.rejected_percent,
    batches.quality_score,
    batches.received_at,
    ingestions.filename,
    ingestions.client,
    latest.decision as newer_decision,
    latest.decided_by as newer_decided_by,
    latest.decision_id as last_decision_id
from marts.fct_batch_quality as batches
inner join raw.ingestions as ingestions using (ingestion_id)
left join lateral (
    select
        decisions.decision_id,
        decisions.decision,
        decisions.decided_by
    from review.decisions as decisions
    where decisions.ingestion_id = batches.ingestion_id
    order by decisions.decision_id desc
    limit 1
) as latest on true
where batches.gate_status = 'held'
order by batches.received_at, batches.ingestion_id
limit 50;

-- name: champions
select
    track,
    model_name,
    model_version,
    algorithm,
    metadata ->> 'meaning' as meaning,
    trained_at,
    champion_since
from ml.champion_models
order by track desc;

-- name: evaluations
select
    split,
    segment_kind,
    segment,
    metric,
    value,
    lower_bound,
    upper_bound
from ml.evaluations
where
    model_name = %(model_name)s
    and model_version = %(model_version)s
    and metric = any(%(metrics)s);

-- name: drift
with
newest as (
    select run_id
    from ml.drift_checks
    where model_name = %(model_name)s and model_version = %(model_version)s
    order by check_id desc
    limit 1
)

select
    drift_checks.feature,
    drift_checks.households,
    drift_checks.psi,
    drift_checks.psi_limit,
    drift_checks.has_drifted,
    drift_checks.checked_at
from ml.drift_checks
inner join newest using (run_id)
where drift_checks.model_name = %(model_name)s and drift_checks.model_version = %(model_version)s
order by drift_checks.psi / drift_checks.psi_limit desc, drift_checks.feature
limit 12;

-- name: performance
select
    kind,
    households,
    accuracy,
    lower_bound,
    upper_bound,
    auc,
    checked_at
from ml.performance_checks
where model_name = %(model_name)s and model_version = %(model_version)s
order by check_id desc
limit 60;

-- name: model_events
select
    track,
    model_name,
    model_version,
    event,
    actor,
    reason,
    happened_at
from ml.model_events
order by event_id desc
limit 30;

-- name: policy
select
    default_threshold,
    thresholds,
    default_quota,
    quotas,
    actor,
    reason,
    decided_at
from ml.policies
order by policy_version desc
limit 1;

-- name: runs
select
    run_id,
    status,
    requested_by,
    scope,
    started_at,
    finished_at,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::double precision as seconds,
    cardinality(changed_tables) as changed_tables,
    error_code,
    error_message
from ops.pipeline_runs
order by started_at desc
limit %(limit)s;

-- name: run
select
    run_id,
    status,
    requested_by,
    scope,
    resumes_run_id,
    host,
    process_id,
    log_reference,
    changed_rows,
    started_at,
    finished_at,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::double precision as seconds,
    error_code,
    error_message
from ops.pipeline_runs
where run_id = %(run_id)s;

-- name: run_steps
select
    step,
    attempt,
    status,
    started_at,
    finished_at,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::double precision as seconds,
    rows_in,
    rows_out,
    did,
    error_code,
    error_message,
    log_reference
from ops.pipeline_steps
where run_id = %(run_id)s
order by started_at, step, attempt;

-- name: run_dbt_results
select
    step,
    node_name,
    resource_type,
    status,
    seconds,
    rows_affected,
    failures,
    message
from ops.dbt_results
where run_id = %(run_id)s
order by status in ('error', 'fail', 'warn') desc, seconds desc
limit 15;

-- name: run_exports
select
    relation,
    object_key,
    rows,
    bytes
from ops.exports
where run_id = %(run_id)s
order by relation, object_key
limit 50;

-- name: open_alerts
select
    alert_id,
    alert,
    subject,
    severity,
    message,
    runbook,
    opened_at,
    last_seen_at,
    acknowledged_at,
    acknowledged_by,
    times_sent
from ops.alerts
where resolved_at is null
order by array_position(array['critical', 'error', 'warning', 'info'], severity), opened_at;

-- name: past_alerts
select
    alert,
    subject,
    severity,
    message,
    runbook,
    opened_at,
    resolved_at,
    acknowledged_by,
    extract(epoch from resolved_at - opened_at)::double precision as seconds
from ops.alerts
where resolved_at is not null
order by opened_at desc
limit 50;
