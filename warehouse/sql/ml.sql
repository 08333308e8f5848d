-- name: lock_versions
select pg_advisory_xact_lock(hashtextextended('ml.models ' || %(model_name)s, 0));

-- name: next_version
select coalesce(max(model_version), 0) + 1
from ml.models
where model_name = %(model_name)s;

-- name: insert_model
insert into ml.models (
    model_name,
    model_version,
    track,
    algorithm,
    object_key,
    sha256,
    size_bytes,
    feature_names,
    training_fingerprint,
    metrics,
    metadata,
    run_id
)
values (
    %(model_name)s,
    %(model_version)s,
    %(track)s,
    %(algorithm)s,
    %(object_key)s,
    %(sha256)s,
    %(size_bytes)s,
    %(feature_names)s,
    %(training_fingerprint)s,
    %(metrics)s,
    %(metadata)s,
    %(run_id)s
)
returning
    model_name,
    model_version,
    track,
    algorithm,
    object_key,
    sha256,
    size_bytes,
    feature_names,
    training_fingerprint,
    metrics,
    metadata,
    trained_at,
    run_id;

-- name: select_champions
select
    model_name,
    model_version,
    track,
    algorithm,
    object_key,
    sha256,
    size_bytes,
    feature_names,
    training_fingerprint,
    metrics,
    metadata,
    trained_at,
    run_id
from ml.champion_models
order by track desc;

-- name: create_scored_rows
create temporary table scored_rows (
    household_id text not null,
    survey_round text not null,
    submission_id text not null,
    track text not null,
    prediction smallint not null check (prediction in (0, 1)),
    probability double precision not null check (probability between 0 and 1),
    confidence double precision not null check (confidence between 0.5 and 1),
    risk_category text not null,
    model_name text not null,
    model_version integer not null,
    primary key (household_id, survey_round, track)
) on commit drop;

-- name: copy_scored_rows
copy pg_temp.scored_rows (
    household_id,
    survey_round,
    submission_id,
    track,
    prediction,
    probability,
    confidence,
    risk_category,
    model_name,
    model_version
)
from stdin with (format csv, encoding 'UTF8');

-- name: count_scored_rows
select count(*) from pg_temp.scored_rows;

-- name: merge_scored_rows
with
changed as (
    select
        scored.household_id,
        scored.survey_round,
        scored.submission_id,
        scored.track,
        scored.prediction,
        scored.probability,
        scored.confidence,
        scored.risk_category,
        scored.model_name,
        scored.model_version
    from pg_temp.scored_rows as scored
    left join ml.predictions as existing
        using (household_id, survey_round, track, model_name, model_version)
    where
        existing.prediction_id is null
        or (
            existing.submission_id,
            existing.prediction,
            existing.probability,
            existing.confidence,
            existing.risk_category
        ) is distinct from (
            scored.submission_id,
            scored.prediction,
            scored.probability,
            scored.confidence,
            scored.risk_category
        )
),

merged as (
    insert into ml.predictions (
        household_id,
        survey_round,
        submission_id,
        track,
        prediction,
        probability,
        confidence,
        risk_category,
        model_name,
        model_version,
        run_id
    )
    select
        household_id,
        survey_round,
        submission_id,
        track,
        prediction,
        probability,
        confidence,
        risk_category,
        model_name,
        model_version,
        %(run_id)s
    from changed
    on conflict (household_id, survey_round, track, model_name, model_version) do update
    set
        submission_id = excluded.submission_id,
        prediction = excluded.prediction,
        probability = excluded.probability,
        confidence = excluded.confidence,
        risk_category = excluded.risk_category,
        scored_at = excluded.scored_at,
        run_id = excluded.run_id
    returning
        new.track,
        old.prediction_id is null as is_new
)

select
    track,
    count(*) filter (where is_new) as inserted,
    count(*) filter (where not is_new) as updated
from merged
group by track;
