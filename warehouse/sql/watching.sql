-- name: insert_reference_bin
insert into ml.reference_bins (
    model_name,
    model_version,
    feature,
    bin,
    kind,
    lower_bound,
    upper_bound,
    category,
    share
)
values (
    %(model_name)s,
    %(model_version)s,
    %(feature)s,
    %(number)s,
    %(kind)s,
    %(lower_bound)s,
    %(upper_bound)s,
    %(category)s,
    %(share)s
);

-- name: insert_reference_limit
insert into ml.reference_limits (model_name, model_version, measure, batch_size, lower_limit, upper_limit)
values (%(model_name)s, %(model_version)s, %(measure)s, %(batch_size)s, %(lower_limit)s, %(upper_limit)s);

-- name: select_reference_limits
select
    measure,
    batch_size,
    lower_limit,
    upper_limit
from ml.reference_limits
where
    model_name = %(model_name)s
    and model_version = %(model_version)s;

-- name: select_watched_models
select
    track,
    model_name,
    model_version
from ml.champion_models
order by track desc;

-- name: select_batch
with
said as not materialized (
    select
        prediction_id,
        run_id
    from ml.predictions
    where
        track = %(track)s
        and model_name = %(model_name)s
        and model_version = %(model_version)s
        and model_role = 'champion'
        and superseded_at is null
        and not is_training_row
),

newest as (
    select prediction_id
    from said
    order by prediction_id desc
    limit %(least)s
),

of_run as (
    select count(*) as newly_scored
    from said
    where run_id = %(run_id)s
)

select
    %(run_id)s as run_id,
    %(track)s as track,
    %(model_name)s as model_name,
    %(model_version)s as model_version,
    of_run.newly_scored,
    (select prediction_id from newest order by prediction_id limit 1) as oldest
from of_run
where of_run.newly_scored > 0;

-- name: select_reference_columns
select
    feature,
    bool_or(kind = 'other') as is_category,
    coalesce(array_agg(category order by bin) filter (where kind = 'category'), '{}') as categories,
    coalesce(
        array_agg(upper_bound order by bin) filter (where kind = 'range' and upper_bound is not null), '{}'
    ) as bounds
from ml.reference_bins
where
    model_name = %(model_name)s
    and model_version = %(model_version)s
group by feature
order by feature;

-- name: compare_with_reference
with
batch as (
    select
        {bins}
    from ml.predictions
    inner join features.fct_household_features as mart using (submission_id)
    where
        predictions.track = %(track)s
        and predictions.model_name = %(model_name)s
        and predictions.model_version = %(model_version)s
        and predictions.model_role = 'champion'
        and predictions.superseded_at is null
        and not predictions.is_training_row
        and (predictions.run_id = %(run_id)s or predictions.prediction_id >= %(oldest)s)
),

grouped as (
    select
        {names},
        count(*) as households
    from batch
    group by grouping sets ({sets})
),

counted as (
    select
        binned.feature,
        binned.bin,
        grouped.households,
        sum(grouped.households) over (partition by binned.feature) as of_households
    from grouped
    cross join lateral unnest(%(features)s::text[], array[{names}]) as binned (feature, bin)
    where binned.bin is not null
),

shares as (
    select
        reference_bins.feature,
        greatest(reference_bins.share, %(least_share)s) as expected,
        greatest(coalesce(counted.households / counted.of_households, 0), %(least_share)s)::double precision as seen,
        counted.of_households
    from ml.reference_bins
    left join counted using (feature, bin)
    where
        reference_bins.model_name = %(model_name)s
        and reference_bins.model_version = %(model_version)s
)

select
    feature,
    max(of_households)::integer as households,
    sum((seen - expected) * ln(seen / expected)) as psi
from shares
group by feature
having max(of_households) > 0
order by feature;

-- name: insert_drift_check
insert into ml.drift_checks (
    run_id,
    track,
    model_name,
    model_version,
    feature,
    households,
    psi,
    psi_limit,
    has_drifted
)
values (
    %(run_id)s,
    %(track)s,
    %(model_name)s,
    %(model_version)s,
    %(feature)s,
    %(households)s,
    %(psi)s,
    %(psi_limit)s,
    %(has_drifted)s
);

-- name: select_expected_performance
with
judged as (
    select probability
    from ml.predictions
    where
        track = %(track)s
        and model_name = %(model_name)s
        and model_version = %(model_version)s
        and model_role = 'champion'
        and superseded_at is null
        and not is_training_row
        and (run_id = %(run_id)s or prediction_id >= %(oldest)s)
),

scores as (
    select
        probability,
        count(*) as households,
        count(*) * probability as vulnerable,
        count(*) * (1 - probability) as others
    from judged
    group by probability
),

ranked as (
    select
        households,
        probability,
        vulnerable,
        others,
        sum(others) over (order by probability) - others / 2 as others_below
    from scores
)

select
    sum(households)::integer as households,
    sum(households * greatest(probability, 1 - probability)) / sum(households) as accuracy,
    (sum(vulnerable * others_below) - sum(vulnerable * (1 - probability)) / 2)
    / nullif(sum(vulnerable) * sum(others) - sum(vulnerable * (1 - probability)), 0) as auc
from ranked;

-- name: select_real_performance
with
judged as (
    select distinct on (mart.household_id, mart.survey_round)
        mart.district,
        mart.village,
        mart.is_vulnerable,
        predictions.probability,
        ((predictions.probability >= 0.5) = mart.is_vulnerable)::integer as is_right
    from ml.predictions
    inner join features.fct_household_features as mart using (household_id, survey_round)
    where
        predictions.track = %(track)s
        and predictions.model_name = %(model_name)s
        and predictions.model_version = %(model_version)s
        and predictions.model_role = 'champion'
        and mart.is_vulnerable is not null
        and not exists (
            select 1
            from ml.training_rows
            inner join ml.predictions as learnt using (submission_id)
            where
                training_rows.model_name = %(model_name)s
                and training_rows.model_version = %(model_version)s
                and learnt.household_id = mart.household_id
                and learnt.survey_round = mart.survey_round
        )
    order by mart.household_id, mart.survey_round, predictions.prediction_id desc
),

villages as (
    select
        count(*) as households,
        sum(is_right) as rights
    from judged
    group by district, village
),

scores as (
    select
        probability,
        count(*) filter (where is_vulnerable)::double precision as vulnerable,
        count(*) filter (where not is_vulnerable)::double precision as others
    from judged
    group by probability
),

ranked as (
    select
        vulnerable,
        others,
        sum(others) over (order by probability) - others / 2 as others_below
    from scores
),

overall as (
    select
        sum(households) as households,
        sum(rights) / sum(households) as accuracy,
        count(*) as villages
    from villages
),

spread as (
    select
        sqrt(sum((villages.rights - villages.households * overall.accuracy) ^ 2) * max(overall.villages)
        / nullif(max(overall.villages) - 1, 0)) / max(overall.households) as standard_error
    from villages
    cross join overall
),

curve as (
    select sum(vulnerable * others_below) / nullif(sum(vulnerable) * sum(others), 0) as auc
    from ranked
)

select
    overall.households::integer as households,
    overall.accuracy::double precision as accuracy,
    spread.standard_error::double precision as standard_error,
    curve.auc
from overall
cross join spread
cross join curve
where overall.households > 0;

-- name: insert_performance_check
insert into ml.performance_checks (
    run_id,
    track,
    model_name,
    model_version,
    kind,
    households,
    accuracy,
    lower_bound,
    upper_bound,
    auc
)
values (
    %(run_id)s,
    %(track)s,
    %(model_name)s,
    %(model_version)s,
    %(kind)s,
    %(households)s,
    %(accuracy)s,
    %(lower_bound)s,
    %(upper_bound)s,
    %(auc)s
);

-- name: select_newest_training
with
trained as (
    select
        models.model_name,
        models.model_version,
        models.feature_set_version,
        models.trained_at,
        count(*) as training_rows
    from ml.models
    inner join ml.training_rows using (model_name, model_version)
    where models.track = %(track)s
    group by models.model_id
)

select
    model_name,
    model_version,
    feature_set_version,
    trained_at,
    training_rows::integer as training_rows,
    (extract(epoch from now() - trained_at) / 86400)::double precision as age_days
from trained
order by trained_at desc, model_version desc
limit 1;

-- name: select_news
with
labelled as (
    select
        mart.survey_round,
        mart.district,
        mart.village,
        training_rows.submission_id is not null as is_trained
    from features.fct_household_features as mart
    left join ml.training_rows
        on
            mart.submission_id = training_rows.submission_id
            and training_rows.model_name = %(model_name)s
            and training_rows.model_version = %(model_version)s
    where mart.is_vulnerable is not null
),

villages as (
    select
        district,
        village,
        bool_or(is_trained) as is_trained,
        count(*) filter (where not is_trained) as new_rows
    from labelled
    group by survey_round, district, village
),

districts as (
    select
        district,
        count(distinct village) as villages
    from villages
    group by district
    having count(distinct village) filter (where is_trained) < %(enough_villages)s
),

newest_district as (
    select
        district,
        villages
    from districts
    order by villages desc, district
    limit 1
)

select
    coalesce(sum(villages.new_rows), 0)::integer as new_rows,
    count(*) filter (where not villages.is_trained)::integer as new_villages,
    (select district from newest_district) as new_district,
    coalesce((select villages from newest_district), 0)::integer as new_district_villages
from villages;

-- name: select_drift
with
checks as (
    select
        max(check_id) as check_id,
        bool_or(has_drifted) as has_drifted,
        (array_agg(feature order by psi / psi_limit desc) filter (where has_drifted))[1:5] as drifted_features
    from ml.drift_checks
    where
        track = %(track)s
        and checked_at > %(trained_at)s
        and households >= %(least)s
    group by run_id
    order by check_id desc
    limit %(drift_checks)s
)

select
    count(*) filter (where has_drifted)::integer as drifted_checks,
    (
        array_agg(array_to_string(drifted_features, ', ') order by check_id desc) filter (where has_drifted)
    )[1] as drifted_features
from checks;

-- name: select_kept_accuracy
select distinct on (checks.kind) checks.upper_bound / evaluations.value as kept_accuracy
from ml.performance_checks as checks
inner join ml.evaluations using (model_name, model_version)
where
    checks.track = %(track)s
    and checks.checked_at > %(trained_at)s
    and checks.households >= %(least)s
    and checks.upper_bound is not null
    and evaluations.split = 'village'
    and evaluations.segment_kind = 'all'
    and evaluations.metric = 'accuracy'
    and evaluations.value > 0
order by checks.kind, checks.check_id desc;

-- name: insert_retraining_check
insert into ml.retraining_checks (run_id, track, trigger, has_fired, observed, limit_value, detail)
values (%(run_id)s, %(track)s, %(trigger)s, %(has_fired)s, %(observed)s, %(limit_value)s, %(detail)s);
