"""Models that are promoted, predictions that keep their history, and what watches them."""

from alembic import op

revision = "0012_models"
down_revision = "0011_published_tables"
branch_labels = None
depends_on = None

APPEND_ONLY = """
create function ml.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'ml.% is append-only: add a row that says what is so now', tg_table_name
        using errcode = 'restrict_violation';
end
$$;
comment on function ml.refuse_change() is 'Keeps append-only tables as they are.';
"""

EVENTS = """
create table ml.model_events (
    event_id bigint generated always as identity primary key,
    track text not null check (track in ('screening', 'assessment')),
    model_name text not null,
    model_version integer not null,
    event text not null check (event in ('registered', 'imported', 'promoted', 'refused', 'rolled_back', 'retired')),
    actor text not null,
    reason text not null,
    details jsonb not null default '{}',
    run_id text not null,
    happened_at timestamptz not null default clock_timestamp(),
    constraint model_events_model_fkey foreign key (model_name, model_version)
        references ml.models (model_name, model_version)
);
create index model_events_by_track on ml.model_events (track, event_id desc);
create trigger model_events_are_kept before update or delete or truncate on ml.model_events
    execute function ml.refuse_change();
comment on table ml.model_events is
    'What became of the models, append-only: who was champion when, by whose word and why; refusals, too.';
comment on column ml.model_events.event_id is
    'Counts up; the last promotion or rollback of a track names its champion.';
comment on column ml.model_events.track is 'Track of the model.';
comment on column ml.model_events.model_name is 'The model, as in ml.models.';
comment on column ml.model_events.model_version is
    'Its version, as in ml.models; of a rollback the version that is champion again.';
comment on column ml.model_events.event is
    'registered, imported: there is a new version; promoted, rolled_back: it is the champion from now on; refused: the '
    'gate kept it from that; retired: it is no longer, and nothing is in its place.';
comment on column ml.model_events.actor is 'Who did it: a login name, or kyalo where a run did.';
comment on column ml.model_events.reason is 'Why, in a sentence.';
comment on column ml.model_events.details is 'The figures behind it: the paired test, exclusion by district, checks.';
comment on column ml.model_events.run_id is 'The run that did it; manual outside one.';
comment on column ml.model_events.happened_at is 'When.';
"""

MODELS = """
alter table ml.models
    add column feature_set_version text,
    add column artifact_kind text not null default 'joblib' check (artifact_kind in ('joblib', 'terms', 'skops')),
    add column mlflow_run_id text;
alter table ml.models alter column artifact_kind drop default;
comment on column ml.models.feature_set_version is
    'Hash of the SQL that makes the features; a model scores only features of that making.';
comment on column ml.models.artifact_kind is
    'terms: a plain table of the fitted numbers; skops: a pipeline trained elsewhere; joblib: of an earlier Kyalo, no '
    'longer loaded.';
comment on column ml.models.mlflow_run_id is 'The run that tells of the training in MLflow.';
comment on column ml.models.model_version is 'Counts up from 1 under its name.';

create table ml.training_rows (
    model_name text not null,
    model_version integer not null,
    submission_id text not null,
    primary key (model_name, model_version, submission_id)
);
comment on table ml.training_rows is 'The submissions that a model was trained on.';
comment on column ml.training_rows.model_name is 'The model, as in ml.models.';
comment on column ml.training_rows.model_version is 'Its version, as in ml.models.';
comment on column ml.training_rows.submission_id is 'A submission among its training rows.';

create table ml.evaluations (
    model_name text not null,
    model_version integer not null,
    split text not null check (split in ('random', 'village', 'cluster', 'district')),
    segment_kind text not null check (segment_kind in ('all', 'district', 'head_sex', 'baseline', 'candidate')),
    segment text not null,
    metric text not null,
    value double precision,
    lower_bound double precision,
    upper_bound double precision,
    primary key (model_name, model_version, split, segment_kind, segment, metric)
);
comment on table ml.evaluations is
    'What out-of-fold predictions of a model are worth: one row for each split, group of households and measure.';
comment on column ml.evaluations.model_name is 'The model, as in ml.models.';
comment on column ml.evaluations.model_version is 'Its version, as in ml.models.';
comment on column ml.evaluations.split is
    'What the folds keep whole: random (nothing), village, cluster, district (each district by a model of the others).';
comment on column ml.evaluations.segment_kind is
    'all households, those of a district, those with a head of one sex; or all, judged by a baseline or by a candidate '
    'that was not chosen.';
comment on column ml.evaluations.segment is 'Which district, sex, baseline or candidate; all for all.';
comment on column ml.evaluations.metric is 'What was measured; docs/models.md defines each.';
comment on column ml.evaluations.value is 'The measure; null where it cannot be told.';
comment on column ml.evaluations.lower_bound is 'Lower end of its 95 % interval, by resampling villages.';
comment on column ml.evaluations.upper_bound is 'Upper end of that interval.';
"""

POLICIES = """
create table ml.policies (
    policy_version integer generated always as identity primary key,
    track text not null check (track = 'screening'),
    model_name text,
    model_version integer,
    default_threshold double precision not null check (default_threshold between 0 and 1),
    thresholds jsonb not null default '{}',
    default_quota double precision check (default_quota between 0 and 1),
    quotas jsonb not null default '{}',
    effects jsonb not null default '{}',
    actor text not null,
    reason text not null,
    decided_at timestamptz not null default clock_timestamp()
);
create trigger policies_are_kept before update or delete or truncate on ml.policies
    execute function ml.refuse_change();
insert into ml.policies (track, default_threshold, actor, reason)
values ('screening', 0.5, 'kyalo', 'One cut for all districts, until a quota is decided.');
comment on table ml.policies is
    'From which probability on a household counts as vulnerable, append-only: the newest row holds.';
comment on column ml.policies.policy_version is 'Counts up; predictions name it.';
comment on column ml.policies.track is 'The track it is for.';
comment on column ml.policies.model_name is
    'The model whose scores the thresholds were taken from; null for a plain cut.';
comment on column ml.policies.model_version is 'Its version.';
comment on column ml.policies.default_threshold is 'Threshold of a district that thresholds does not name.';
comment on column ml.policies.thresholds is 'District to threshold.';
comment on column ml.policies.default_quota is
    'Share of the households of a district that are selected; null for a plain cut.';
comment on column ml.policies.quotas is 'District to its own share, where it has one.';
comment on column ml.policies.effects is
    'What the policy costs by district, out of fold: exclusion and inclusion error under it and at 0.5.';
comment on column ml.policies.actor is 'Who decided.';
comment on column ml.policies.reason is 'Why.';
comment on column ml.policies.decided_at is 'When.';
"""

PREDICTIONS = """
drop view ml.current_predictions;
drop view ml.champion_models;

alter table ml.predictions
    drop constraint predictions_one_per_model,
    add column model_role text not null default 'champion' check (model_role in ('champion', 'challenger')),
    add column probability_below_125 double precision,
    add column probability_below_215 double precision,
    add column predicted_status text check (
        predicted_status in ('on_track', 'at_risk', 'struggling', 'severely_struggling')
    ),
    add column verdict text check (verdict in ('vulnerable', 'not_vulnerable', 'undecided')),
    add column threshold double precision not null default 0.5 check (threshold between 0 and 1),
    add column policy_version integer,
    add column reasons jsonb not null default '[]',
    add column missing_features smallint,
    add column feature_set_version text,
    add column is_training_row boolean not null default false,
    add column newest_received_at timestamptz,
    add column superseded_at timestamptz,
    add constraint predictions_are_ordered check (
        probability_below_125 <= probability and probability <= probability_below_215
    );
alter table ml.predictions alter column model_role drop default;
alter table ml.predictions alter column threshold drop default;
alter table ml.predictions alter column reasons drop default;
alter table ml.predictions alter column is_training_row drop default;
drop index ml.predictions_by_model;

update ml.predictions
set superseded_at = now()
where (track, model_version) not in (select track, max(model_version) from ml.predictions group by track);

create unique index predictions_one_at_a_time on ml.predictions (household_id, survey_round, track, model_role)
    where superseded_at is null;
create index predictions_by_run on ml.predictions (run_id, track);
create index predictions_superseded on ml.predictions (household_id, survey_round, track)
    where superseded_at is not null;

comment on table ml.predictions is
    'One row for each statement of a model about a household and survey round. A new statement supersedes the one '
    'before, which stays; that of a household no longer released is superseded by nothing at the next scoring.';
comment on column ml.predictions.model_role is
    'champion: what counts; challenger: said beside it, to compare.';
comment on column ml.predictions.prediction is '1: vulnerable, the probability reaches the threshold; 0: not.';
comment on column ml.predictions.probability is
    'Calibrated probability that the household lives on less than 1.77 USD a day, 0 to 1.';
comment on column ml.predictions.probability_below_125 is 'Probability of less than 1.25 USD a day.';
comment on column ml.predictions.probability_below_215 is 'Probability of less than 2.15 USD a day.';
comment on column ml.predictions.predicted_status is
    'The progress status that is reached with a probability of at least a half, the poorest first.';
comment on column ml.predictions.risk_category is
    'The same in the words of risk: severely_struggling is critical, struggling high, at_risk medium, on_track low.';
comment on column ml.predictions.verdict is
    'The conformal set: vulnerable or not_vulnerable where the other can be excluded at the model''s coverage; '
    'undecided where the field has to verify.';
comment on column ml.predictions.threshold is
    'The probability from which on the policy calls this household vulnerable.';
comment on column ml.predictions.policy_version is 'The policy, as in ml.policies; null for the assessment track.';
comment on column ml.predictions.reasons is
    'The three features that moved the score most: [{feature, value, effect}], the effect in log odds, signed.';
comment on column ml.predictions.missing_features is 'How many of the model''s features had no value.';
comment on column ml.predictions.feature_set_version is 'Hash of the SQL that made the features.';
comment on column ml.predictions.is_training_row is 'Whether the model was trained on this very submission.';
comment on column ml.predictions.newest_received_at is
    'When the newest submission of the mart that was read was received.';
comment on column ml.predictions.scored_at is 'When this was said.';
comment on column ml.predictions.superseded_at is
    'When something else was said instead, or it was withdrawn; null while it holds.';
comment on column ml.predictions.run_id is 'The run that said it.';

insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id, happened_at)
select track, model_name, model_version, 'promoted', 'kyalo', 'It was the newest.', run_id, trained_at
from ml.models
order by trained_at, model_id;

create view ml.champion_models as
with
latest as (
    select distinct on (track) track, model_name, model_version, event, happened_at
    from ml.model_events
    where event in ('promoted', 'rolled_back', 'retired')
    order by track, event_id desc
)

select
    models.model_id, models.model_name, models.model_version, models.track, models.algorithm, models.object_key,
    models.sha256, models.size_bytes, models.feature_names, models.training_fingerprint, models.feature_set_version,
    models.artifact_kind, models.mlflow_run_id, models.metrics, models.metadata, models.trained_at, models.run_id,
    latest.happened_at as champion_since
from ml.models
inner join latest using (track, model_name, model_version)
where latest.event <> 'retired';
comment on view ml.champion_models is 'The model of each track that scores: the last that was promoted or restored.';

create view ml.current_predictions as
select
    prediction_id, household_id, survey_round, submission_id, track, prediction, probability, probability_below_125,
    probability_below_215, predicted_status, confidence, risk_category, verdict, threshold, policy_version, reasons,
    missing_features, feature_set_version, model_name, model_version, is_training_row, newest_received_at, scored_at,
    run_id
from ml.predictions
where superseded_at is null and model_role = 'champion';
comment on view ml.current_predictions is 'What the champions say now.';

create view ml.status_history as
select
    predictions.household_id, predictions.survey_round, predictions.track, predictions.model_role,
    predictions.scored_at as said_from, predictions.superseded_at as said_until, predictions.prediction,
    predictions.probability, predictions.threshold, predictions.predicted_status, predictions.risk_category,
    predictions.verdict, predictions.reasons, predictions.submission_id, predictions.model_name,
    predictions.model_version, models.algorithm, models.sha256 as model_sha256, predictions.feature_set_version,
    predictions.policy_version, policies.reason as policy_reason, promotions.event as model_event,
    promotions.actor as model_actor, promotions.reason as model_reason, promotions.happened_at as model_since,
    predictions.newest_received_at, predictions.run_id
from ml.predictions
inner join ml.models using (model_name, model_version)
left join ml.policies on policies.policy_version = predictions.policy_version
left join lateral (
    select event, actor, reason, happened_at
    from ml.model_events
    where
        model_events.model_name = predictions.model_name
        and model_events.model_version = predictions.model_version
        and model_events.event in ('promoted', 'rolled_back')
        and model_events.happened_at <= predictions.scored_at
    order by event_id desc
    limit 1
) as promotions on true;
comment on view ml.status_history is
    'Which model, features and rule gave a household its status on a day, and why: the row with said_from <= day and '
    'said_until null or later.';
"""

WATCHING = """
create table ml.reference_bins (
    model_name text not null,
    model_version integer not null,
    feature text not null,
    bin smallint not null,
    kind text not null check (kind in ('range', 'category', 'other', 'missing')),
    lower_bound double precision,
    upper_bound double precision,
    category text,
    share double precision not null check (share between 0 and 1),
    primary key (model_name, model_version, feature, bin)
);
comment on table ml.reference_bins is
    'How a feature, or the score, was spread over the rows that a model was trained on.';
comment on column ml.reference_bins.model_name is 'The model, as in ml.models.';
comment on column ml.reference_bins.model_version is 'Its version, as in ml.models.';
comment on column ml.reference_bins.feature is 'A feature of the model, or score for its probability.';
comment on column ml.reference_bins.bin is 'Number of the bin.';
comment on column ml.reference_bins.kind is
    'range: lower_bound <= value < upper_bound; category: that very value; other: any other value; missing: none.';
comment on column ml.reference_bins.lower_bound is 'Lower end of a range; null where it is open.';
comment on column ml.reference_bins.upper_bound is 'Upper end of a range; null where it is open.';
comment on column ml.reference_bins.category is 'The value of a category.';
comment on column ml.reference_bins.share is 'Share of the training rows, 0 to 1.';

create table ml.reference_limits (
    model_name text not null,
    model_version integer not null,
    measure text not null,
    batch_size integer not null check (batch_size > 0),
    lower_limit double precision,
    upper_limit double precision,
    primary key (model_name, model_version, measure, batch_size)
);
comment on table ml.reference_limits is
    'What chance alone does to batches of whole villages of a size: beyond these limits something has changed.';
comment on column ml.reference_limits.model_name is 'The model, as in ml.models.';
comment on column ml.reference_limits.model_version is 'Its version, as in ml.models.';
comment on column ml.reference_limits.measure is
    'psi:<feature> for a population stability index; expected_accuracy for real less expected accuracy.';
comment on column ml.reference_limits.batch_size is 'Households of the batch.';
comment on column ml.reference_limits.lower_limit is 'Lower limit; null where there is none.';
comment on column ml.reference_limits.upper_limit is 'Upper limit; null where there is none.';

create table ml.drift_checks (
    check_id bigint generated always as identity primary key,
    run_id text not null,
    track text not null,
    model_name text not null,
    model_version integer not null,
    feature text not null,
    households integer not null,
    psi double precision not null,
    psi_limit double precision not null,
    has_drifted boolean not null,
    checked_at timestamptz not null default now()
);
comment on table ml.drift_checks is 'How far the households of a scoring run are from the training rows, by feature.';
comment on column ml.drift_checks.check_id is 'Counts up.';
comment on column ml.drift_checks.run_id is 'The run whose newly scored households were compared.';
comment on column ml.drift_checks.track is 'Track of the model.';
comment on column ml.drift_checks.model_name is 'The model, as in ml.models.';
comment on column ml.drift_checks.model_version is 'Its version, as in ml.models.';
comment on column ml.drift_checks.feature is 'A feature of the model, or score for its probability.';
comment on column ml.drift_checks.households is 'How many households were compared.';
comment on column ml.drift_checks.psi is 'Population stability index against the training rows.';
comment on column ml.drift_checks.psi_limit is 'Limit for a batch of that size.';
comment on column ml.drift_checks.has_drifted is 'Whether the index is beyond the limit.';
comment on column ml.drift_checks.checked_at is 'When.';

create table ml.performance_checks (
    check_id bigint generated always as identity primary key,
    run_id text not null,
    track text not null,
    model_name text not null,
    model_version integer not null,
    kind text not null check (kind in ('expected', 'real')),
    households integer not null,
    accuracy double precision not null,
    lower_bound double precision,
    upper_bound double precision,
    auc double precision,
    checked_at timestamptz not null default now()
);
comment on table ml.performance_checks is
    'How good a champion is after its training: as its own probabilities let expect, and as incomes showed.';
comment on column ml.performance_checks.check_id is 'Counts up.';
comment on column ml.performance_checks.run_id is 'The run.';
comment on column ml.performance_checks.track is 'Track of the model.';
comment on column ml.performance_checks.model_name is 'The model, as in ml.models.';
comment on column ml.performance_checks.model_version is 'Its version, as in ml.models.';
comment on column ml.performance_checks.kind is
    'expected: from calibrated probabilities, without incomes; real: against incomes that came after the training.';
comment on column ml.performance_checks.households is 'How many households it was told from.';
comment on column ml.performance_checks.accuracy is 'Share of right predictions, expected or real.';
comment on column ml.performance_checks.lower_bound is 'Lower end of its 95 % interval.';
comment on column ml.performance_checks.upper_bound is 'Upper end of that interval.';
comment on column ml.performance_checks.auc is 'Area under the ROC curve; null where it cannot be told.';
comment on column ml.performance_checks.checked_at is 'When.';

create table ml.retraining_checks (
    check_id bigint generated always as identity primary key,
    run_id text not null,
    track text not null,
    trigger text not null check (
        trigger in ('no_model', 'feature_set', 'volume', 'drift', 'performance', 'new_district', 'schedule')
    ),
    has_fired boolean not null,
    observed double precision,
    limit_value double precision,
    detail text not null,
    checked_at timestamptz not null default now()
);
comment on table ml.retraining_checks is 'Every look for a reason to train anew, whether or not there was one.';
comment on column ml.retraining_checks.check_id is 'Counts up.';
comment on column ml.retraining_checks.run_id is 'The run that looked.';
comment on column ml.retraining_checks.track is 'Track of the model.';
comment on column ml.retraining_checks.trigger is 'The reason that was looked for.';
comment on column ml.retraining_checks.has_fired is 'Whether it was found: a challenger is trained.';
comment on column ml.retraining_checks.observed is 'What was seen, in the unit of the limit.';
comment on column ml.retraining_checks.limit_value is 'The setting that it was held against.';
comment on column ml.retraining_checks.detail is 'The same in words.';
comment on column ml.retraining_checks.checked_at is 'When.';

create table ml.prediction_requests (
    request_id uuid primary key default uuidv7(),
    client text not null,
    track text not null,
    model_name text not null,
    model_version integer not null,
    feature_set_version text not null,
    policy_version integer,
    households integer not null,
    features jsonb not null,
    answers jsonb not null,
    milliseconds double precision not null,
    requested_at timestamptz not null default now()
);
comment on table ml.prediction_requests is
    'Every prediction that was asked for over the API, with what it was made of.';
comment on column ml.prediction_requests.request_id is 'Identity of the request; the answer bears it.';
comment on column ml.prediction_requests.client is 'Who asked.';
comment on column ml.prediction_requests.track is 'Track of the model.';
comment on column ml.prediction_requests.model_name is 'The model, as in ml.models.';
comment on column ml.prediction_requests.model_version is 'Its version, as in ml.models.';
comment on column ml.prediction_requests.feature_set_version is 'Hash of the SQL that made the features.';
comment on column ml.prediction_requests.policy_version is 'The policy, as in ml.policies.';
comment on column ml.prediction_requests.households is 'How many households were asked about.';
comment on column ml.prediction_requests.features is 'The features of each, as they were made of the request.';
comment on column ml.prediction_requests.answers is 'What was answered.';
comment on column ml.prediction_requests.milliseconds is 'Time from the request to the answer.';
comment on column ml.prediction_requests.requested_at is 'When.';
"""


def upgrade() -> None:
    """Create what promotes, remembers and watches; the models that are there keep their role."""
    for statements in (APPEND_ONLY, EVENTS, MODELS, POLICIES, PREDICTIONS, WATCHING):
        op.execute(statements)


DOWNGRADE = """
drop view ml.status_history;
drop view ml.current_predictions;
drop view ml.champion_models;
drop table ml.prediction_requests, ml.retraining_checks, ml.performance_checks, ml.drift_checks, ml.reference_limits,
    ml.reference_bins, ml.policies, ml.evaluations, ml.training_rows, ml.model_events;
drop function ml.refuse_change();
delete from ml.predictions where superseded_at is not null or model_role <> 'champion';
drop index ml.predictions_one_at_a_time, ml.predictions_by_run, ml.predictions_superseded;
alter table ml.predictions
    drop constraint predictions_are_ordered,
    drop column model_role, drop column probability_below_125, drop column probability_below_215,
    drop column predicted_status, drop column verdict, drop column threshold, drop column policy_version,
    drop column reasons, drop column missing_features, drop column feature_set_version,
    drop column is_training_row, drop column newest_received_at, drop column superseded_at,
    add constraint predictions_one_per_model unique (household_id, survey_round, track, model_name, model_version);
create index predictions_by_model on ml.predictions (track, model_version);
alter table ml.models drop column feature_set_version, drop column artifact_kind, drop column mlflow_run_id;
"""


def downgrade() -> None:
    """Drop it again: events, policies, evaluations and superseded predictions go with it."""
    from importlib import import_module

    op.execute(DOWNGRADE)
    op.execute(import_module("warehouse.migrations.versions.0002_ml").VIEWS)
