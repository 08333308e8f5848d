"""Batch scoring: what is new or changed in the feature mart, by the models of each track, into `ml.predictions`.

A prediction is a statement about one survey: it names the submission that it was made from, the model, the features'
version and the policy. Where one of them has changed a new statement supersedes the old one, which stays as history.
What is said of a household whose survey is no longer released is withdrawn at the next scoring: its row is superseded
by nothing. Nothing is deleted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql

from ml.artifacts import load_model
from ml.binary_copy import as_double, jsonb_fields, number_fields, read_rows, split_rows, text_field, write_rows
from ml.catalogue import STATEMENTS, TrainedModel, challengers, champions
from ml.features import MART_FILE, Feature, feature_set_version, load_features
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

CHUNK_ROWS = 50_000
NOT_FEATURES = 2  # the numbers of `select_rows_to_score` that stand before the features
FIELDS = 23  # of `copy_predictions`
STATUS_FIELDS = pa.array(
    [text_field(status) + text_field(category) for status, category in zip(STATUSES, CATEGORIES, strict=True)]
)
VERDICT_FIELDS = pa.array([text_field(verdict) for verdict in VERDICTS])


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
            to_score, scorable = connection.execute(STATEMENTS["count_rows_to_score"], values).fetchone() or (0, 0)
            connection.execute(STATEMENTS["withdraw_predictions"], values)
            updated = connection.execute(STATEMENTS["supersede_predictions"]).rowcount
            chunks = _read(connection, scorer, to_score, chunk_rows)
            inserted, categories = _write(connection, scorer, values, chunks)
        if inserted != to_score:
            raise _lost(to_score, inserted)
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


@dataclass(frozen=True)
class _Chunk:
    """Rows to score: thresholds, whether the model was trained on them, features, and their keys as fields."""

    thresholds: Floats
    is_training_row: Floats
    matrix: Floats
    keys: list[bytes]


@dataclass(frozen=True)
class _Scored:
    """The fields of new predictions, in the order of `copy_predictions`, and how many have each status."""

    fields: tuple[pa.Array, ...]
    statuses: NDArray[np.int64]


def _read(connection: psycopg.Connection, scorer: Scorer, rows: int, chunk_rows: int) -> Iterator[_Chunk]:
    """The rows to score, in the order in which they lie in the mart, so that it is read once."""
    columns = [as_double(feature, scorer.model.categories) for feature in scorer.features]
    for first in range(1, rows + 1, chunk_rows):
        last = min(first + chunk_rows - 1, rows)
        query = STATEMENTS["select_rows_to_score"].format(features=sql.SQL(", ").join(columns), first=first, last=last)
        found = read_rows(connection, query)
        if len(found) != last - first + 1:
            raise _lost(last - first + 1, len(found))
        matrix, keys = split_rows(found, NOT_FEATURES + len(columns))
        yield _Chunk(matrix[:, 0], matrix[:, 1], matrix[:, NOT_FEATURES:], keys)


def _write(
    connection: psycopg.Connection, scorer: Scorer, values: dict[str, Any], chunks: Iterator[_Chunk]
) -> tuple[int, Counter[str]]:
    """Write what the model says of each chunk; how many rows that were, and how many of each category."""
    (alike,) = read_rows(connection, STATEMENTS["select_what_is_alike"].format(**values))
    written, statuses = 0, np.zeros(len(STATUSES), dtype=np.int64)
    with one_thread(), ThreadPoolExecutor(1) as model:
        for scored in _ahead(model, partial(_score_chunk, scorer, alike), chunks):
            cursor = connection.cursor()
            with cursor.copy(STATEMENTS["copy_predictions"]) as copy:
                write_rows(copy, FIELDS, *scored.fields)
            written += cursor.rowcount
            statuses += scored.statuses
    return written, Counter(dict(zip(CATEGORIES, statuses.tolist(), strict=True)))


def _ahead(
    executor: ThreadPoolExecutor, score_chunk: Callable[[_Chunk], _Scored], chunks: Iterator[_Chunk]
) -> Iterator[_Scored]:
    """What the model says of each chunk; it works on one while the next is read."""
    pending: Future[_Scored] | None = None
    for chunk in chunks:
        previous, pending = pending, executor.submit(score_chunk, chunk)
        if previous:
            yield previous.result()
    if pending:
        yield pending.result()


def _score_chunk(scorer: Scorer, alike: bytes, chunk: _Chunk) -> _Scored:
    said = scorer.model.predict(chunk.matrix)
    status = most_likely_status(said.probability_below_125, said.probability, said.probability_below_215)
    numbers: list[tuple[str, NDArray[Any]]] = [
        (">i2", decide(said.probability, chunk.thresholds)),
        (">f8", said.probability),
        (">f8", said.probability_below_125),
        (">f8", said.probability_below_215),
        (">f8", confidence(said.probability)),
        (">f8", chunk.thresholds),
        (">i1", chunk.is_training_row),
        (">i2", said.missing_features),
    ]
    fields = (
        number_fields(alike, numbers),
        STATUS_FIELDS.take(pa.array(status)),
        VERDICT_FIELDS.take(pa.array(said.verdict)),
        pa.array(chunk.keys, pa.binary()),
        jsonb_fields(scorer.explainer.as_json(chunk.matrix, said)),
    )
    return _Scored(fields, np.bincount(status, minlength=len(STATUSES)))


def _lost(expected: int, arrived: int) -> IntegrityError:
    return IntegrityError(
        f"{expected:,} households were to be scored, but {arrived:,} arrived.",
        code="ml.bad_prediction",
        remedy="Score again when nothing else rebuilds the feature mart.",
    )
