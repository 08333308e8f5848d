"""Batch scoring: what is new or changed in the feature mart, by the models of each track, into `ml.predictions`.

A prediction is a statement about one survey: it names the submission that it was made from, the model, the features'
version and the policy. Where one of them has changed a new statement supersedes the old one, which stays as history.
What is said of a household whose survey is no longer released is withdrawn at the next scoring: its row is superseded
by nothing. Nothing is deleted.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql
from pyarrow import csv

from ml.artifacts import load_model
from ml.catalogue import STATEMENTS, TrainedModel, challengers, champions
from ml.features import MART_FILE, Feature, feature_set_version, load_features
from ml.matrices import as_double, copy_matrix
from ml.model import Model
from ml.reasons import Explainer
from ml.risk import CATEGORIES, STATUSES, VERDICTS, confidence, decide, most_likely_status
from ml.threads import one_thread
from ml.tracks import Track
from warehouse.database import Database
from warehouse.errors import IntegrityError, NotFoundError
from warehouse.stores import ObjectStore

Floats = NDArray[np.float64]
Role = Literal["champion", "challenger"]

CHUNK_ROWS = 100_000
KEYS = 2  # place and threshold, before the features


@dataclass(frozen=True)
class Scorer:
    """A model, ready to score in its role.

    Attributes:
        features: the columns of the mart that it reads, in its order.
    """

    registered: TrainedModel
    model: Model
    role: Role
    features: tuple[Feature, ...]
    explainer: Explainer

    @property
    def is_labelled_only(self) -> bool:
        """The assessment track recomputes incomes: it says nothing of a survey without the income module."""
        return self.registered.track == "assessment"


@dataclass(frozen=True)
class TrackScore:
    """What scoring one track did; `categories` counts the newly scored households of every risk category."""

    track: Track
    role: Role
    model_name: str
    model_version: int
    scored: int
    inserted: int
    updated: int
    categories: dict[str, int]

    @property
    def unchanged(self) -> int:
        """Households whose prediction stood there already."""
        return self.scored - self.inserted - self.updated


@dataclass(frozen=True)
class ScoreSummary:
    """What a scoring run did, track by track."""

    run_id: str
    tracks: tuple[TrackScore, ...]


def score(
    database: Database,
    store: ObjectStore,
    *,
    run_id: str,
    with_challengers: bool = False,
    mart_file: Path = MART_FILE,
    chunk_rows: int = CHUNK_ROWS,
) -> ScoreSummary:
    """Score what the champions have not scored yet, each track in a transaction of its own.

    The assessment track scores only the households whose survey has the income module. Scoring the same rows by the
    same model again changes nothing.

    Args:
        database: the warehouse, with the feature mart built.
        store: where the models are kept.
        run_id: the run that is recorded with the predictions.
        with_challengers: let the challengers say beside the champions what they think.
        mart_file: the mart's definition.
        chunk_rows: the most rows in memory at a time.

    Raises:
        NotFoundError: no model is trained (ml.no_model), or the mart is not built.
        IntegrityError: a stored model was changed, is of other features (ml.other_feature_set), or a prediction is no
            probability (ml.bad_prediction).
    """
    chosen: list[tuple[Role, TrainedModel]] = [("champion", model) for model in champions(database).values()]
    if not chosen:
        raise NotFoundError("No model is trained yet.", code="ml.no_model", remedy="Train first: kyalo train.")
    if with_challengers:
        chosen += [("challenger", model) for model in challengers(database).values()]
    scorers = [open_scorer(database, store, model, role, mart_file) for role, model in chosen]
    return ScoreSummary(run_id, tuple(_score_track(database, scorer, run_id, chunk_rows) for scorer in scorers))


def open_scorer(
    database: Database, store: ObjectStore, registered: TrainedModel, role: Role, mart_file: Path = MART_FILE
) -> Scorer:
    """Load a registered model and make sure that the mart has the features that it was trained on."""
    features = {feature.name: feature for feature in load_features(mart_file)}
    if missing := [name for name in registered.feature_names if name not in features]:
        raise NotFoundError(
            f"The feature mart no longer has what the model was trained on: {', '.join(missing)}.",
            code="ml.feature_missing",
            remedy="Train again: kyalo train.",
        )
    model = load_model(store, registered)
    require_features(database, registered)
    kinds = {name: features[name].kind for name in registered.feature_names}
    seen = tuple(features[name] for name in registered.feature_names)
    return Scorer(registered, model, role, seen, Explainer(model, kinds))


def require_features(database: Database, model: TrainedModel) -> None:
    """Make sure that the features are made today as they were when a model was trained.

    Raises:
        IntegrityError: they are not (ml.other_feature_set).
    """
    present = feature_set_version(database)
    if model.feature_set_version != present:
        raise IntegrityError(
            f"{model.model_name} version {model.model_version} was trained on features made by other SQL "
            f"({model.feature_set_version}) than the mart has now ({present}).",
            code="ml.other_feature_set",
            remedy="Train again: kyalo train.",
        )


def _score_track(database: Database, scorer: Scorer, run_id: str, chunk_rows: int) -> TrackScore:
    registered = scorer.registered
    values = {
        "track": registered.track,
        "model_role": scorer.role,
        "model_name": registered.model_name,
        "model_version": registered.model_version,
        "feature_set_version": registered.feature_set_version,
        "labelled_only": scorer.is_labelled_only,
        "run_id": run_id,
    }
    try:
        with database.transaction() as connection:
            connection.execute("set transaction isolation level repeatable read")
            connection.execute(STATEMENTS["create_rows_to_score"], values)
            connection.execute(STATEMENTS["index_rows_to_score"])
            connection.execute(STATEMENTS["create_scored_rows"])
            to_score, scorable = connection.execute(STATEMENTS["count_rows_to_score"], values).fetchone() or (0, 0)
            categories = _copy_predictions(connection, scorer, to_score, chunk_rows)
            updated, inserted = _merge(connection, values, to_score)
    except psycopg.IntegrityError as error:
        raise IntegrityError(
            f"A prediction cannot be kept: {error.diag.message_primary}. {error.diag.message_detail or ''}",
            code="ml.bad_prediction",
            remedy="Check that the feature mart has one row for each household and round, then train again.",
        ) from error
    return TrackScore(
        track=registered.track,
        role=scorer.role,
        model_name=registered.model_name,
        model_version=registered.model_version,
        scored=scorable,
        inserted=inserted - updated,
        updated=updated,
        categories={category: categories[category] for category in CATEGORIES},
    )


def _copy_predictions(connection: psycopg.Connection, scorer: Scorer, rows: int, chunk_rows: int) -> Counter[str]:
    """Read, predict and copy into the temporary table, chunk by chunk; the database reads while the model predicts."""
    counts: Counter[str] = Counter()
    with one_thread(), ThreadPoolExecutor(1) as model:
        for scored in _ahead(model, scorer, _read(connection, scorer, rows, chunk_rows)):
            with connection.cursor().copy(STATEMENTS["copy_scored_rows"]) as copy:
                copy.write(_as_csv(scored.table))
            counts.update(dict(zip(CATEGORIES, scored.statuses.tolist(), strict=True)))
    return counts


def _read(connection: psycopg.Connection, scorer: Scorer, rows: int, chunk_rows: int) -> Iterator[Floats]:
    """The rows to score, chunk by chunk: place, threshold, features."""
    columns = [as_double(feature, scorer.model.categories) for feature in scorer.features]
    query = sql.SQL(
        """
        select rows_to_score.place::double precision, rows_to_score.threshold, {columns}
        from pg_temp.rows_to_score
        inner join features.fct_household_features as mart on mart.ctid = rows_to_score.mart_row
        where rows_to_score.place > {after} and rows_to_score.place <= {last}
        """
    )
    for after in range(0, rows, chunk_rows):
        last = min(after + chunk_rows, rows)
        chunk = query.format(columns=sql.SQL(", ").join(columns), after=after, last=last)
        matrix = copy_matrix(connection, KEYS + len(columns), chunk)
        if len(matrix) != last - after:
            raise _lost(last - after, len(matrix))
        yield matrix


def _ahead(executor: ThreadPoolExecutor, scorer: Scorer, chunks: Iterator[Floats]) -> Iterator["_Scored"]:
    """What the model says of each chunk; it works on one while the next is read."""
    pending: Future[_Scored] | None = None
    for chunk in chunks:
        previous, pending = pending, executor.submit(_score_chunk, scorer, chunk)
        if previous:
            yield previous.result()
    if pending:
        yield pending.result()


@dataclass(frozen=True)
class _Scored:
    """The rows of the temporary table, and how many households each status has."""

    table: pa.Table
    statuses: NDArray[np.int64]


def _score_chunk(scorer: Scorer, chunk: Floats) -> _Scored:
    places, thresholds, matrix = chunk[:, 0], chunk[:, 1], chunk[:, KEYS:]
    said = scorer.model.predict(matrix)
    status = most_likely_status(said.probability_below_125, said.probability, said.probability_below_215)
    table = pa.table(
        {
            "place": places.astype(np.int64),
            "prediction": decide(said.probability, thresholds),
            "probability": said.probability,
            "probability_below_125": said.probability_below_125,
            "probability_below_215": said.probability_below_215,
            "predicted_status": pa.array(STATUSES).take(pa.array(status)),
            "confidence": confidence(said.probability),
            "risk_category": pa.array(CATEGORIES).take(pa.array(status)),
            "verdict": pa.array(VERDICTS).take(pa.array(said.verdict)),
            "threshold": thresholds,
            "reasons": scorer.explainer.as_json(matrix, said),
            "missing_features": said.missing_features,
        }
    )
    return _Scored(table, np.bincount(status, minlength=len(STATUSES)))


def _as_csv(table: pa.Table) -> memoryview:
    buffer = pa.BufferOutputStream()
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False))
    return memoryview(buffer.getvalue())


def _merge(connection: psycopg.Connection, values: dict[str, Any], expected: int) -> tuple[int, int]:
    """Put the new statements in the place of those that stood; how many were superseded and how many are new."""
    (copied,) = connection.execute(STATEMENTS["count_scored_rows"]).fetchone() or (0,)
    if copied != expected:
        raise _lost(expected, copied)
    connection.execute(STATEMENTS["withdraw_predictions"], values)
    updated = connection.execute(STATEMENTS["supersede_predictions"]).rowcount
    inserted = connection.execute(STATEMENTS["insert_predictions"], values).rowcount
    return updated, inserted


def _lost(expected: int, arrived: int) -> IntegrityError:
    return IntegrityError(
        f"{expected:,} households were to be scored, but {arrived:,} arrived.",
        code="ml.bad_prediction",
        remedy="Score again when nothing else rebuilds the feature mart.",
    )
