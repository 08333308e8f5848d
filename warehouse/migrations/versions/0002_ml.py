"""Models and their predictions."""

from alembic import op

revision = "0002_ml"
down_revision = "0001_raw"
branch_labels = None
depends_on = None

MODELS = """
create table ml.models (
    model_id uuid primary key default uuidv7(),
    model_name text not null,
    model_version integer not null check (model_version > 0),
    track text not null check (track in ('screening', 'assessment')),
    algorithm text not null,
    object_key text not null unique,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes bigint not null check (size_bytes > 0),
    feature_names text[] not null check (cardinality(feature_names) > 0),
    training_fingerprint text not null,
    metrics jsonb not null,
    metadata jsonb not null,
    trained_at timestamptz not null default now(),
    run_id text not null,
    constraint models_one_version_per_name unique (model_name, model_version)
);
comment on table ml.models is 'The registry: one row for each fitted model. A row is never changed.';
comment on column ml.models.model_id is 'Identity of the model; sorts by the time of its registration.';
comment on column ml.models.model_name is 'Name that the versions of a track''s model share.';
comment on column ml.models.model_version is 'Counts up from 1 under its name; the newest is the champion.';
comment on column ml.models.track is
    'screening: predicts from non-monetary indicators; assessment: recomputes from the income module.';
comment on column ml.models.algorithm is 'The kind of model that the choosing rule took.';
comment on column ml.models.object_key is 'Where the fitted pipeline lies in the object store.';
comment on column ml.models.sha256 is 'Checksum of the stored pipeline, compared before it is loaded.';
comment on column ml.models.size_bytes is 'Size of the stored pipeline in bytes.';
comment on column ml.models.feature_names is
    'Columns of features.fct_household_features that the model reads, in order.';
comment on column ml.models.training_fingerprint is
    'Hash of the training rows and of the recipe; training again on the same takes the model that is there.';
comment on column ml.models.metrics is
    'Scores from village-grouped folds: the chosen model and every candidate, overall and by district.';
comment on column ml.models.metadata is
    'Seed, library versions, number and hash of the training rows, and the rule that chose the algorithm.';
comment on column ml.models.trained_at is 'When the model was registered.';
comment on column ml.models.run_id is 'The run that trained it.';
"""

PREDICTIONS = """
create table ml.predictions (
    prediction_id uuid primary key default uuidv7(),
    household_id text not null,
    survey_round text not null,
    submission_id text not null,
    track text not null check (track in ('screening', 'assessment')),
    prediction smallint not null check (prediction in (0, 1)),
    probability double precision not null check (probability between 0 and 1),
    confidence double precision not null check (confidence between 0.5 and 1),
    risk_category text not null check (risk_category in ('low', 'medium', 'high', 'critical')),
    model_name text not null,
    model_version integer not null,
    scored_at timestamptz not null default now(),
    run_id text not null,
    constraint predictions_one_per_model unique (household_id, survey_round, track, model_name, model_version)
);
create index predictions_by_model on ml.predictions (track, model_version);
comment on table ml.predictions is
    'One row for each household, survey round and model. A household no longer released keeps its row: '
    'join on submission_id to leave it out.';
comment on column ml.predictions.prediction_id is 'Identity of the prediction.';
comment on column ml.predictions.household_id is 'The household that was scored.';
comment on column ml.predictions.survey_round is 'The survey round that was scored.';
comment on column ml.predictions.submission_id is
    'The survey whose answers were scored; a prediction counts only while this survey is the released one.';
comment on column ml.predictions.track is 'Track of the model: screening or assessment.';
comment on column ml.predictions.prediction is '1: vulnerable, below 1.77 USD a day; 0: not.';
comment on column ml.predictions.probability is 'Probability that the household is vulnerable, 0 to 1.';
comment on column ml.predictions.confidence is 'The larger of the probability and its complement, 0.5 to 1.';
comment on column ml.predictions.risk_category is
    'Band of the probability: low below 0.25, medium below 0.50, high below 0.75, critical from there.';
comment on column ml.predictions.model_name is 'Name of the model that made it, as in ml.models.';
comment on column ml.predictions.model_version is 'Version of that model, as in ml.models.';
comment on column ml.predictions.scored_at is
    'When the row got its present values; scoring the same again leaves it.';
comment on column ml.predictions.run_id is 'The run that gave the row its present values.';
"""

VIEWS = """
create view ml.champion_models as
select distinct on (track)
    model_id, model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
    training_fingerprint, metrics, metadata, trained_at, run_id
from ml.models
order by track, model_version desc;
comment on view ml.champion_models is 'The newest model of each track: the one that scores.';

create view ml.current_predictions as
with
scored_models as (
    select distinct on (models.track) models.track, models.model_name, models.model_version
    from ml.models
    where exists (
        select 1 from ml.predictions
        where
            predictions.track = models.track
            and predictions.model_version = models.model_version
            and predictions.model_name = models.model_name
    )
    order by models.track, models.model_version desc
)

select
    predictions.prediction_id, predictions.household_id, predictions.survey_round, predictions.submission_id,
    predictions.track, predictions.prediction, predictions.probability, predictions.confidence,
    predictions.risk_category, predictions.model_name, predictions.model_version, predictions.scored_at,
    predictions.run_id
from ml.predictions
inner join scored_models using (track, model_name, model_version);
comment on view ml.current_predictions is
    'Predictions of the newest model of each track that has scored: it counts from its first scoring on.';
"""


def upgrade() -> None:
    """Create the schema ml: the registry of models and the table of predictions."""
    op.execute("create schema ml")
    for statements in (MODELS, PREDICTIONS, VIEWS):
        op.execute(statements)


def downgrade() -> None:
    """Drop the schema, with every model's row and every prediction in it."""
    op.execute("drop schema ml cascade")
