-- name: select_standing
select
    champion_models.model_name,
    champion_models.model_version,
    newest.policy_version,
    coalesce(newest.default_threshold, 0.5) as default_threshold,
    coalesce(newest.thresholds, '{}') as thresholds
from ml.champion_models
left join lateral (
    select policies.policy_version, policies.default_threshold, policies.thresholds
    from ml.policies
    where policies.track = champion_models.track
    order by policies.policy_version desc
    limit 1
) as newest on true
where champion_models.track = %(track)s;

-- name: select_features
select made.*, making.xmin::text as making
from features.household_features(%(surveys)s) as made
cross join pg_proc as making
where making.oid = 'features.household_features(jsonb)'::regprocedure
order by made.row_number;

-- name: refusing_households
-- By the spelling that was asked for.
select asked.household_id
from unnest(%(household_ids)s::text[]) as asked (household_id)
inner join validated.int_withdrawn_consents as withdrawn
    on upper(btrim(asked.household_id, E' \t\r\n\u00a0')) = withdrawn.household_id;

-- name: select_making
select left(encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 16) as feature_set_version
from pg_proc
where oid = to_regprocedure('features.household_features(jsonb)') and xmin::text = %(making)s;

-- name: insert_request
insert into ml.prediction_requests (
    client,
    track,
    model_name,
    model_version,
    feature_set_version,
    policy_version,
    households,
    features,
    answers,
    milliseconds
)
values (
    %(client)s,
    %(track)s,
    %(model_name)s,
    %(model_version)s,
    %(feature_set_version)s,
    %(policy_version)s,
    %(households)s,
    %(features)s,
    %(answers)s,
    %(milliseconds)s
)
returning request_id;
