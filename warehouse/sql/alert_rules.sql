-- name: late_run
with
last_success as (
    select max(finished_at) as finished_at
    from ops.ended_runs
    where result = 'succeeded'
),

waiting as (
    select coalesce(
        last_success.finished_at,
        (select received_at from raw.ingestions order by ingestion_id limit 1)
    ) as since
    from last_success
)

select
    '' as subject,
    date_trunc('minute', since)::text as since,
    floor(extract(epoch from %(now)s::timestamptz - since) / 3600)::integer as hours,
    %(late_run_hours)s as limit_hours
from waiting
where
    since < %(now)s::timestamptz - %(late_run_hours)s * interval '1 hour'
    and not exists (
        select 1 from ops.run_results
        where result <> 'interrupted' and scope = '' and (started_at >= since or finished_at > since)
    )
    and not exists (
        select 1 from ops.schedules
        where job = 'pipeline' and is_paused
    );

-- name: run_failed
select
    '' as subject,
    run_id,
    error_code,
    left(error_message, 500) as error_message
from ops.ended_runs
where recency = 1 and result = 'failed';

-- name: failure_rate
with
counted as (
    select
        count(*) filter (where result = 'failed')::integer as failed,
        count(*)::integer as runs
    from ops.ended_runs
    where recency <= %(judged_runs)s
)

select
    '' as subject,
    failed,
    runs,
    round(100 * %(alert_failure_rate)s)::integer as limit_percent
from counted
where
    runs = %(judged_runs)s
    and failed > %(alert_failure_rate)s * runs;

-- name: gate_closed
select
    '' as subject,
    run_id,
    left(error_message, 1000) as error_message
from ops.ended_runs
where recency = 1 and result = 'stopped';

-- name: batch_held
select
    '' as subject,
    count(*)::integer as batches,
    sum(ingestions.held_submissions)::integer as submissions,
    max(batches.ingestion_id) as newest
from marts.fct_batch_quality as batches
inner join marts.rpt_ingestions as ingestions on batches.ingestion_id = ingestions.ingestion_id
where batches.gate_status = 'held' and ingestions.held_submissions > 0
having count(*) > 0;

-- name: backlog
select
    '' as subject,
    count(*)::integer as uploads,
    floor(extract(epoch from %(now)s::timestamptz - min(received_at)) / 60)::integer as minutes,
    %(backlog_minutes)s as limit_minutes
from raw.ingestions
where
    status = 'received'
    and received_at < %(now)s::timestamptz - %(backlog_minutes)s * interval '1 minute'
having count(*) > 0;

-- name: upload_failed
select
    '' as subject,
    count(*)::integer as uploads,
    max(ingestion_id) as newest
from raw.ingestions
where
    status = 'failed'
    and received_at between %(now)s::timestamptz - interval '7 days' and %(now)s::timestamptz
having count(*) > 0;

-- name: rows_lost
select
    '' as subject,
    count(*)::integer as ingestions,
    sum(coalesce(marts.staged_submissions, 0))::bigint as staged,
    sum(ledger.stored_rows - ledger.erased_rows)::bigint as stored
from ops.published_ingestions as published
inner join raw.ingestions as ledger on published.ingestion_id = ledger.ingestion_id
left join marts.rpt_ingestions as marts on published.ingestion_id = marts.ingestion_id
where
    ledger.form = any(%(judged_forms)s)
    and ledger.stored_rows - ledger.erased_rows <> coalesce(marts.staged_submissions, 0)
    -- What was erased since the last publication leaves the totals with the next one.
    and not (
        coalesce(marts.staged_submissions, 0) between ledger.stored_rows - ledger.erased_rows and ledger.stored_rows
        and exists (
            select 1
            from ops.erasures
            where begun_at > (
                select max(started_at)
                from ops.pipeline_steps
                where step = 'publish' and status = 'succeeded'
            )
        )
    )
having count(*) > 0;

-- name: prediction_coverage
select
    '' as subject,
    sum(households - households_scored)::integer as missing,
    sum(households)::integer as households
from marts.rpt_district_summary
where
    exists (
        select 1 from ml.champion_models
        where
            track = 'screening'
            and champion_since < (
                select max(started_at) from ops.pipeline_steps
                where step = 'publish' and status = 'succeeded'
            )
    )
having sum(households - households_scored) > 0;

-- name: wrong_champion
with
last_scoring as (
    select max(started_at) as started_at
    from ops.pipeline_steps
    where step = 'score' and status = 'succeeded'
),

champions as (
    select
        models.track,
        models.model_name,
        models.model_version
    from ml.champion_models as models
    inner join last_scoring on models.champion_since < last_scoring.started_at
)

select
    champions.track as subject,
    champions.model_version as champion_version,
    others.model_version as scored_version
from champions
cross join
    lateral (
        select predictions.model_version
        from ml.current_predictions as predictions
        where
            predictions.track = champions.track
            and (predictions.model_name, predictions.model_version)
            <> (champions.model_name, champions.model_version)
        limit 1
    ) as others;

-- name: stale_model
select
    track as subject,
    model_version,
    floor(extract(epoch from %(now)s::timestamptz - trained_at) / 86400)::integer as days,
    %(retrain_after_days)s as limit_days
from ml.champion_models
where trained_at < %(now)s::timestamptz - %(retrain_after_days)s * interval '1 day';

-- name: accuracy_low
with
newest as (
    select distinct on (checks.track, checks.kind)
        checks.track,
        checks.kind,
        checks.upper_bound / evaluations.value as kept
    from ml.performance_checks as checks
    inner join ml.champion_models as champions
        on
            checks.model_name = champions.model_name
            and checks.model_version = champions.model_version
    inner join ml.evaluations as evaluations
        on
            checks.model_name = evaluations.model_name
            and checks.model_version = evaluations.model_version
    where
        checks.households >= %(least_batch)s
        and checks.upper_bound is not null
        and evaluations.split = 'village'
        and evaluations.segment_kind = 'all'
        and evaluations.metric = 'accuracy'
        and evaluations.value > 0
    order by
        checks.track,
        checks.kind,
        checks.check_id desc
)

select distinct on (track)
    track as subject,
    kind,
    round((100 * kept)::numeric, 1) as kept_percent,
    round(100 * %(alert_accuracy)s)::integer as limit_percent
from newest
where kept < %(alert_accuracy)s
order by
    track,
    kept;

-- name: model_drift
with
judged as (
    select
        checks.track,
        checks.run_id,
        checks.feature,
        checks.has_drifted,
        dense_rank() over (
            partition by checks.track
            order by checks.checked_at desc
        ) as place
    from ml.drift_checks as checks
    inner join ml.champion_models as champions
        on
            checks.model_name = champions.model_name
            and checks.model_version = champions.model_version
    where checks.households >= %(least_batch)s
),

lasting as (
    select
        track,
        feature
    from judged
    where place <= %(judged_checks)s
    group by
        track,
        feature
    having count(*) = %(judged_checks)s and bool_and(has_drifted)
)

select
    track as subject,
    %(judged_checks)s as checks,
    string_agg(feature, ', ' order by feature) as features
from lasting
group by track;

-- name: silent_process
with
heard_of as (
    select
        process,
        host,
        max(beat_at) as beat_at
    from ops.heartbeats
    where process <> 'pipeline' or exists (select 1 from ops.pipeline_runs where status = 'running')
    group by
        process,
        host
)

select
    process || ' on ' || host as subject,
    floor(extract(epoch from %(now)s::timestamptz - beat_at))::integer as seconds
from heard_of
where beat_at < %(now)s::timestamptz - %(silent_seconds)s * interval '1 second';

-- name: store_away
select
    '' as subject,
    %(store_problem)s::text as problem
where %(store_problem)s::text is not null;

-- name: quality_low
with
days as (
    select
        received_date,
        sum(submissions)::integer as submissions,
        round(sum(quality_score * submissions) / sum(submissions) / 100, 3) as score
    from marts.rpt_data_quality
    where received_date > (%(now)s::timestamptz at time zone 'utc')::date - %(judged_days)s
    group by received_date
    having sum(submissions) >= %(least_submissions)s
    order by received_date desc
    limit 1
)

select
    '' as subject,
    received_date::text as day,
    submissions,
    score,
    %(alert_quality)s as limit
from days
where score < %(alert_quality)s;

-- name: new_district
with
learnt as (
    select distinct evaluations.segment as district
    from ml.evaluations as evaluations
    inner join ml.champion_models as champions
        on
            evaluations.model_name = champions.model_name
            and evaluations.model_version = champions.model_version
    where evaluations.segment_kind = 'district'
)

select
    summary.district as subject,
    summary.households::integer as households
from marts.rpt_district_summary as summary
where
    summary.households >= %(least_district)s
    and exists (select 1 from learnt)
    and not exists (
        select 1 from learnt
        where learnt.district = summary.district
    );

-- name: duplicate_identifiers
select
    '' as subject,
    quality.ingestion_id,
    (quality.uniqueness_checked - quality.uniqueness_passed)::integer as collisions,
    quality.submissions::integer as submissions
from validated.int_batch_quality as quality
inner join raw.ingestions as ledger on quality.ingestion_id = ledger.ingestion_id
where
    ledger.received_at between %(now)s::timestamptz - interval '1 day' and %(now)s::timestamptz
    and quality.uniqueness_checked - quality.uniqueness_passed >= greatest(
        %(least_collisions)s,
        %(collision_share)s * quality.submissions
    )
order by collisions desc
limit 1;

-- name: unmarked_personal_data
with
found as (
    select
        ingestions.form,
        found.field,
        found.kind,
        sum(found.rows)::bigint as rows,
        max(ingestions.ingestion_id) as newest
    from raw.ingestions as ingestions
    cross join lateral jsonb_to_recordset(ingestions.personal_fields)
        as found (field text, kind text, rows bigint)
    where
        ingestions.personal_fields <> '[]'
        and ingestions.received_at between %(now)s::timestamptz - interval '7 days' and %(now)s::timestamptz
    group by
        ingestions.form,
        found.field,
        found.kind
),

fields as (
    select
        form,
        field,
        string_agg(kind || ' in ' || rows || ' rows', ', ' order by rows desc, kind) as kinds,
        max(newest) as newest,
        row_number() over (
            partition by form
            order by max(rows) desc, field
        ) as place
    from found
    group by
        form,
        field
)

select
    form as subject,
    string_agg(field || ' (' || kinds || ')', ', ' order by place) filter (where place <= 20)
    || case when count(*) > 20 then ' and ' || count(*) - 20 || ' more' else '' end as fields,
    max(newest) as newest
from fields
group by form;

-- name: empty_upload
select
    '' as subject,
    count(*)::integer as uploads,
    (array_agg(coalesce(filename, ingestion_id) order by received_at desc))[1] as newest
from raw.ingestions
where
    received_at between %(now)s::timestamptz - interval '1 day' and %(now)s::timestamptz
    and status = 'refused'
    and error_code in ('file.empty', 'file.no_rows')
having count(*) > 0;

-- name: cpu_high
with
measured as (
    select
        host,
        min(cpu_share) as least,
        avg(cpu_share) as share,
        floor(extract(epoch from max(measured_at) - min(measured_at)) / 60)::integer as minutes
    from ops.system_metrics
    where measured_at between %(now)s::timestamptz - interval '1 hour' and %(now)s::timestamptz
    group by host
)

select
    host as subject,
    minutes,
    round(100 * share)::integer as percent
from measured
where
    least > %(alert_cpu)s
    and minutes >= 30;

-- name: memory_high
with
newest as (
    select distinct on (host)
        host,
        memory_share
    from ops.system_metrics
    where measured_at between %(now)s::timestamptz - interval '1 hour' and %(now)s::timestamptz
    order by
        host,
        measured_at desc
)

select
    host as subject,
    round(100 * memory_share)::integer as percent,
    round(100 * %(alert_memory)s)::integer as limit_percent
from newest
where memory_share > %(alert_memory)s;

-- name: disk_full
with
newest as (
    select distinct on (host)
        host,
        disk_share,
        disk_free_bytes
    from ops.system_metrics
    where measured_at between %(now)s::timestamptz - interval '1 hour' and %(now)s::timestamptz
    order by
        host,
        measured_at desc
)

select
    host as subject,
    round(100 * disk_share)::integer as percent,
    round(disk_free_bytes / 1e9, 1) as gigabytes_free
from newest
where disk_share > %(alert_disk)s;

-- name: slow_answers
with
newest as (
    select
        milliseconds,
        requested_at
    from ml.prediction_requests
    order by request_id desc
    limit 1000
),

judged as (
    select percentile_cont(0.95) within group (order by milliseconds) / 1000 as seconds
    from newest
    where requested_at between %(now)s::timestamptz - interval '1 hour' and %(now)s::timestamptz
    having count(*) >= 20
)

select
    '' as subject,
    round(seconds::numeric, 1) as seconds,
    %(alert_response_seconds)s as limit_seconds
from judged
where seconds > %(alert_response_seconds)s;

-- name: answers_changed
with
days as (
    select received_date
    from validated.int_quality_field_counts
    where
        received_date between (%(now)s::timestamptz at time zone 'utc')::date - %(judged_days)s
        and (%(now)s::timestamptz at time zone 'utc')::date
    group by
        received_date,
        field
    having sum(counted) >= %(least_submissions)s
    order by received_date desc
    limit 1
),

compared as (
    select
        counts.received_date,
        counts.field,
        listed.place,
        sum(listed.seen) as seen,
        sum(
            counts.counted * (listed.known + 0.5)
            / (coalesce(districts.households, every.households) + 0.5 * cardinality(counts.bin_counts))
        ) as expected
    from validated.int_quality_field_counts as counts
    inner join days on counts.received_date = days.received_date
    inner join validated.int_field_baselines as every
        on
            counts.field = every.field
            and every.level = 'all'
    left join validated.int_field_baselines as districts
        on
            counts.field = districts.field
            and counts.district = districts.entity
            and districts.level = 'district'
    cross join
        lateral unnest(counts.bin_counts, coalesce(districts.bin_counts, every.bin_counts))
        with ordinality as listed (seen, known, place)
    group by
        counts.received_date,
        counts.field,
        listed.place
),

answered as (
    select
        received_date,
        field,
        place,
        seen,
        expected,
        sum(seen) over of_field as all_seen,
        sum(expected) over of_field as all_expected
    from compared
    where place > 1
    window of_field as (partition by field)
),

blank as (
    select
        field,
        sum(seen) filter (where place = 1) / sum(seen) as share,
        sum(expected) filter (where place = 1) / sum(expected) as usual_share
    from compared
    group by field
),

shifted as (
    select
        answered.received_date,
        answered.field,
        max(answered.all_seen) as all_seen,
        sum(bins.share * (answered.place - 1)) > sum(bins.usual_share * (answered.place - 1)) as is_higher,
        sum((bins.share - bins.usual_share) * ln(bins.share / bins.usual_share)) as stability_index
    from answered
    cross join
        lateral (
            select
                (answered.seen + 0.5) / (answered.all_seen + 6) as share,
                (answered.expected + 0.5) / (answered.all_expected + 6) as usual_share
        ) as bins
    group by
        answered.received_date,
        answered.field
),

changed as (
    select
        shifted.received_date,
        shifted.field,
        case
            when blank.share >= blank.usual_share + %(blank_rise)s then 'blank'
            when shifted.is_higher then 'higher'
            else 'lower'
        end as change
    from shifted
    inner join blank on shifted.field = blank.field
    where
        (shifted.all_seen >= %(least_submissions)s and shifted.stability_index >= %(stability_index)s)
        or (
            blank.share >= blank.usual_share + %(blank_rise)s
            and shifted.field <> all(%(income_fields)s)
        )
),

listed as (
    select
        received_date,
        change,
        string_agg(field, ', ' order by field) as fields
    from changed
    group by
        received_date,
        change
)

select
    '' as subject,
    received_date::text as day,
    string_agg(
        case change
            when 'blank' then 'Left blank by many: '
            when 'higher' then 'Higher: '
            else 'Lower: '
        end || fields || '.',
        ' ' order by change
    ) as changes
from listed
group by received_date;

-- name: income_missing
with
days as (
    select
        received_date,
        field,
        sum(bin_counts[1]) / sum(counted) as share
    from validated.int_quality_field_counts
    where
        received_date between (%(now)s::timestamptz at time zone 'utc')::date - %(judged_days)s
        and (%(now)s::timestamptz at time zone 'utc')::date
        and field = any(%(income_fields)s)
    group by
        received_date,
        field
    having sum(counted) >= %(least_submissions)s
),

compared as (
    select
        days.received_date,
        days.share,
        baselines.bin_counts[1]::numeric / baselines.households as usual_share
    from days
    inner join validated.int_field_baselines as baselines
        on
            days.field = baselines.field
            and baselines.level = 'all'
    where days.received_date = (select max(received_date) from days)
)

select
    '' as subject,
    received_date::text as day,
    round(100 * share)::integer as blank_percent,
    round(100 * usual_share)::integer as usual_percent
from compared
where share >= usual_share + %(blank_rise)s
order by share - usual_share desc
limit 1;

-- name: audit_changed
select
    '' as subject,
    newest.error_message
from (
    select
        error_code,
        left(error_message, 500) as error_message
    from ops.scheduled_starts
    where job = 'quality_check' and status in ('succeeded', 'failed')
    order by due_at desc
    limit 1
) as newest
where newest.error_code = 'audit.changed';
