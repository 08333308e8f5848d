-- name: lock_versions
select pg_advisory_xact_lock(hashtextextended('ml.models ' || %(model_name)s, 0));

-- name: next_version
select coalesce(max(model_version), 0) + 1
from ml.models
where model_name = %(model_name)s;

-- name: select_feature_set_version
select left(encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 16)
from pg_proc
where oid = to_regprocedure('features.household_features(jsonb)');

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
    feature_set_version,
    artifact_kind,
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
    %(feature_set_version)s,
    %(artifact_kind)s,
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
    feature_set_version,
    artifact_kind,
    mlflow_run_id,
    metrics,
    metadata,
    trained_at,
    run_id;

-- name: insert_event
insert into ml.model_events (
    track,
    model_name,
    model_version,
    event,
    actor,
    reason,
    details,
    run_id
)
values (
    %(track)s,
    %(model_name)s,
    %(model_version)s,
    %(event)s,
    %(actor)s,
    %(reason)s,
    %(details)s,
    %(run_id)s
);

-- name: copy_evaluations
copy ml.evaluations (
    model_name,
    model_version,
    split,
    segment_kind,
    segment,
    metric,
    value,
    lower_bound,
    upper_bound
)
from stdin;

-- name: copy_training_rows
copy ml.training_rows (model_name, model_version, submission_id) from stdin;

-- name: select_models
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
    feature_set_version,
    artifact_kind,
    mlflow_run_id,
    metrics,
    metadata,
    trained_at,
    run_id
from ml.models
where %(track)s::text is null or track = %(track)s
order by track desc, model_version desc;

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
    feature_set_version,
    artifact_kind,
    mlflow_run_id,
    metrics,
    metadata,
    trained_at,
    run_id
from ml.champion_models
order by track desc;

-- name: select_challengers
select distinct on (models.track)
    models.model_name,
    models.model_version,
    models.track,
    models.algorithm,
    models.object_key,
    models.sha256,
    models.size_bytes,
    models.feature_names,
    models.training_fingerprint,
    models.feature_set_version,
    models.artifact_kind,
    models.mlflow_run_id,
    models.metrics,
    models.metadata,
    models.trained_at,
    models.run_id
from ml.models
left join ml.champion_models as champions on models.track = champions.track
where
    models.model_version > coalesce(champions.model_version, 0)
    and not exists (
        select 1
        from ml.model_events
        where
            model_events.track = models.track
            and model_events.event = 'retired'
            and model_events.model_version >= models.model_version
    )
order by models.track desc, models.model_version desc;

-- name: create_rows_to_score
create temporary table rows_to_score on commit drop as
with
policy as (
    select
        policy_version,
        default_threshold,
        thresholds
    from ml.policies
    where track = %(track)s
    order by policy_version desc
    limit 1
),

standing as (
    select
        prediction_id,
        household_id,
        survey_round,
        submission_id,
        model_version,
        feature_set_version,
        policy_version
    from ml.predictions
    where superseded_at is null and track = %(track)s and model_role = %(model_role)s
)

select
    row_number() over (order by mart.ctid) as place,
    mart.ctid as mart_row,
    standing.prediction_id as standing_id,
    training_rows.submission_id is not null as is_training_row,
    coalesce((policy.thresholds ->> mart.district)::double precision, policy.default_threshold, 0.5) as threshold
from features.fct_household_features as mart
left join policy on true
left join standing on mart.household_id = standing.household_id and mart.survey_round = standing.survey_round
left join ml.training_rows
    on
        training_rows.model_name = %(model_name)s
        and training_rows.model_version = %(model_version)s
        and mart.submission_id = training_rows.submission_id
where
    (not %(labelled_only)s or mart.is_vulnerable is not null)
    and (
        standing.submission_id, standing.model_version, standing.feature_set_version, standing.policy_version
    ) is distinct from (
        mart.submission_id, %(model_version)s, %(feature_set_version)s, policy.policy_version
    );

-- name: index_rows_to_score
alter table pg_temp.rows_to_score add primary key (place);

-- name: count_rows_to_score
select
    (select count(*) from pg_temp.rows_to_score) as to_score,
    (
        select count(*)
        from features.fct_household_features
        where not %(labelled_only)s or is_vulnerable is not null
    ) as scorable;

-- name: select_rows_to_score
select
    rows_to_score.threshold,
    rows_to_score.is_training_row::integer::double precision,
    {features},
    mart.household_id,
    mart.survey_round,
    mart.submission_id
from pg_temp.rows_to_score
inner join features.fct_household_features as mart on rows_to_score.mart_row = mart.ctid
where
    rows_to_score.place between {first} and {last}
    and mart.ctid >= (select mart_row from pg_temp.rows_to_score where place = {first})
    and mart.ctid <= (select mart_row from pg_temp.rows_to_score where place = {last});

-- name: select_what_is_alike
select
    {track}::text,
    {model_role}::text,
    {model_name}::text,
    {model_version}::integer,
    {feature_set_version}::text,
    (select max(policy_version) from ml.policies where track = {track}),
    (select max(received_at) from validated.fct_households)::timestamptz,
    {run_id}::text;

-- name: copy_predictions
copy ml.predictions (
    track,
    model_role,
    model_name,
    model_version,
    feature_set_version,
    policy_version,
    newest_received_at,
    run_id,
    prediction,
    probability,
    probability_below_125,
    probability_below_215,
    confidence,
    threshold,
    is_training_row,
    missing_features,
    predicted_status,
    risk_category,
    verdict,
    household_id,
    survey_round,
    submission_id,
    reasons
)
from stdin with (format binary);

-- name: supersede_predictions
update ml.predictions
set superseded_at = now()
from pg_temp.rows_to_score
where predictions.prediction_id = rows_to_score.standing_id;

-- name: withdraw_predictions
update ml.predictions
set superseded_at = now()
where
    superseded_at is null
    and track = %(track)s
    and (
        (
            model_role = %(model_role)s
            and not exists (
                select 1
                from features.fct_household_features as mart
                where
                    mart.household_id = predictions.household_id
                    and mart.survey_round = predictions.survey_round
                    and (not %(labelled_only)s or mart.is_vulnerable is not null)
            )
        )
        or (model_role = 'challenger' and %(model_role)s = 'champion' and model_version = %(model_version)s)
    );
