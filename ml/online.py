"""Predictions at once: surveys in, answers out, by the SQL that makes the feature mart and the model that scores it."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
import psycopg
from psycopg import errors
from psycopg.rows import class_row, dict_row

from ml.artifacts import load_model
from ml.catalogue import TrainedModel, champions
from ml.features import load_features
from ml.model import Model
from ml.reasons import Explainer
from ml.risk import CATEGORIES, STATUSES, VERDICTS, confidence, decide, most_likely_status
from ml.tracks import TRACKS, Track
from warehouse.database import Database, queries
from warehouse.errors import ConflictError, KyaloError, NotFoundError, RefusedSurveyError
from warehouse.stores import ObjectStore

STATEMENTS = queries("online")
LOOK_SECONDS = 1.0
NO_MODEL = "ml.no_model"
EXECUTIONS_UNTIL_KEPT = 6  # PostgreSQL plans a prepared statement five times before it keeps a plan

Survey = Mapping[str, str]
Row = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """Which model answers for a track, and from which probability on its policy calls a household vulnerable."""

    model_name: str
    model_version: int
    policy_version: int | None
    default_threshold: float
    thresholds: dict[str, float]


@dataclass(frozen=True)
class Answering:
    """A standing with its model loaded; `looked_at` is the clock's time of the last look for a newer one."""

    standing: Standing
    trained: TrainedModel
    model: Model
    explainer: Explainer
    looked_at: float


class Predictor:
    """Answers with the champions; a newer champion or policy counts within two seconds.

    Args:
        database: the warehouse; its pool's size is how many requests are answered at a time.
        store: where the models are kept.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._answering: dict[Track, Answering] = {}
        self._feature_set_versions: dict[str, str] = {}  # of each making that was met
        self._guard = threading.Lock()

    def warm_up(self, connections: int) -> None:
        """Plan the features' SQL on that many connections and read the models, so that first answers are not slow.

        Whatever cannot be had yet is told to those who ask.
        """
        with suppress(KyaloError), ExitStack() as stack:
            for _ in range(connections):
                connection = stack.enter_context(self._database.connection())
                for _ in range(EXECUTIONS_UNTIL_KEPT):
                    select_features(connection, [])
        for track in TRACKS:
            with suppress(KyaloError):
                self._find(track)

    def is_ready(self, track: Track) -> bool:
        """Whether the track has a champion, which is then loaded; raises what keeps it from answering."""
        try:
            self._find(track)
        except NotFoundError as error:
            if error.error_code != NO_MODEL:
                raise
            return False
        return True

    def refusing(self, household_ids: Sequence[str]) -> set[str]:
        """Those of some households that do not consent, by what they said when they were last asked."""
        with self._database.connection() as connection, suppress(errors.UndefinedTable, errors.InvalidSchemaName):
            values = {"household_ids": list(household_ids)}
            return {row[0] for row in connection.execute(STATEMENTS["refusing_households"], values, prepare=True)}
        return set()  # nothing was built yet that could tell

    def predict(self, track: Track, surveys: Sequence[Survey], *, client: str, started: float) -> Row:
        """Answer for households; what is answered stands in `ml.prediction_requests` before this returns.

        Args:
            track: which champion is asked.
            surveys: the filled answers of each household by canonical field, as the raw table holds them.
            client: who asks.
            started: `time.perf_counter()` when the request came.

        Returns:
            The request's identity, the versions of all that made the answers, and `predictions`, one for each survey.

        Raises:
            NotFoundError: the track has no champion, or the features' SQL is not built yet.
            ConflictError: the champion was trained on features of another making (ml.other_feature_set).
            RefusedSurveyError: the assessment track is asked about a household without its income module.
        """
        answering = self._find(track)
        with self._database.connection() as connection:
            rows = select_features(connection, surveys)
            versions = _versions(answering, self._feature_set_version(connection, rows[0]["making"]))
            if track == "assessment":
                _require_incomes(answering.model, rows)
            predictions = answer(answering, rows)
            names = answering.model.feature_names
            values = {
                **versions,
                "client": client,
                "households": len(rows),
                "features": _json([{name: row[name] for name in names} for row in rows]),
                "answers": _json(predictions),
                "milliseconds": (time.perf_counter() - started) * 1000,
            }
            (request_id,) = connection.execute(STATEMENTS["insert_request"], values, prepare=True).fetchone() or (None,)
        return {"request_id": str(request_id), **versions, "predictions": predictions}

    def _feature_set_version(self, connection: psycopg.Connection, making: str) -> str:
        """The hash of the SQL that a transaction wrote; that of one whose SQL is replaced already is unknown."""
        if making not in self._feature_set_versions:
            found = connection.execute(STATEMENTS["select_making"], {"making": making}).fetchone()
            self._feature_set_versions[making] = str(found[0]) if found else f"replaced {making}"
        return self._feature_set_versions[making]

    def _find(self, track: Track) -> Answering:
        """What answers now; looked up once a second, by one request, which others do not wait for."""
        known = self._answering.get(track)
        age = time.monotonic() - known.looked_at if known else np.inf
        if known and age < LOOK_SECONDS:
            return known
        is_looked_for = not self._guard.acquire(blocking=age >= 2 * LOOK_SECONDS)
        if known and is_looked_for:
            return known
        try:
            latest = self._answering.get(track)
            if latest and latest is not known:
                return latest  # another request was faster
            self._answering[track] = self._look(track, known)
            return self._answering[track]
        finally:
            self._guard.release()

    def _look(self, track: Track, known: Answering | None) -> Answering:
        with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(Standing)) as cursor,
        ):
            standing = cursor.execute(STATEMENTS["select_standing"], {"track": track}).fetchone()
        if standing is None:
            raise NotFoundError("No model is trained yet.", code=NO_MODEL, remedy="Train first: kyalo train.")
        if known and (standing.model_name, standing.model_version) == (
            known.trained.model_name,
            known.trained.model_version,
        ):
            return replace(known, standing=standing, looked_at=time.monotonic())
        trained = champions(self._database)[track]
        model = load_model(self._store, trained)
        model.predict(model.encode([dict.fromkeys(model.feature_names)]))  # makes the tables that it keeps
        explainer = Explainer(model, {feature.name: feature.kind for feature in load_features()})
        return Answering(standing, trained, model, explainer, time.monotonic())


def select_features(connection: psycopg.Connection, surveys: Sequence[Survey]) -> list[Row]:
    """The features of surveys, in their order, each with the `making`: which transaction wrote the SQL that made it.

    Raises:
        NotFoundError: that SQL is not built yet.
    """
    try:
        cursor = connection.cursor(row_factory=dict_row, binary=True)
        return cursor.execute(STATEMENTS["select_features"], {"surveys": _json(surveys)}, prepare=True).fetchall()
    except (errors.UndefinedFunction, errors.InvalidSchemaName) as error:
        raise NotFoundError(
            "The SQL that makes features is not built yet.",
            code="ml.no_feature_mart",
            remedy="Build it first: kyalo build.",
        ) from error


def answer(answering: Answering, rows: Sequence[Row]) -> list[Row]:
    """What a model and a policy say of rows of features, as plain data."""
    standing, matrix = answering.standing, answering.model.encode(rows)
    found = answering.model.predict(matrix)
    threshold = [standing.thresholds.get(row["district"], standing.default_threshold) for row in rows]
    statuses = most_likely_status(found.probability_below_125, found.probability, found.probability_below_215)
    columns = {
        "household_id": [row["household_id"] for row in rows],
        "prediction": decide(found.probability, np.array(threshold)).tolist(),
        "probability": found.probability.tolist(),
        "probability_below_125": found.probability_below_125.tolist(),
        "probability_below_215": found.probability_below_215.tolist(),
        "predicted_status": [STATUSES[place] for place in statuses],
        "risk_category": [CATEGORIES[place] for place in statuses],
        "confidence": confidence(found.probability).tolist(),
        "verdict": [VERDICTS[place] for place in found.verdict],
        "threshold": threshold,
        "reasons": answering.explainer.as_lists(matrix, found),
        "missing_features": found.missing_features.tolist(),
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _versions(answering: Answering, made: str) -> Row:
    trained = answering.trained
    if made != trained.feature_set_version:
        raise ConflictError(
            f"{trained.model_name} {trained.model_version} was trained on features of the making "
            f"{trained.feature_set_version}; today's is {made}.",
            code="ml.other_feature_set",
            remedy="The next run trains a model of today's.",
        )
    return {
        "track": trained.track,
        "model_name": trained.model_name,
        "model_version": trained.model_version,
        "feature_set_version": made,
        "policy_version": answering.standing.policy_version,
    }


def _require_incomes(model: Model, rows: Sequence[Row]) -> None:
    """Refuse what the batch leaves out: there is nothing to recompute where no income was asked for."""
    names = [feature.name for feature in load_features() if feature.component_of_target]
    incomes = [name for name in names if name in model.feature_names]
    for row in rows:
        if all(row[name] is None for name in incomes):
            raise RefusedSurveyError(
                f"The survey of {row['household_id']} has no answers about income, which this track adds up.",
                code="survey.no_income_module",
                remedy="Ask the screening track.",
            )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
