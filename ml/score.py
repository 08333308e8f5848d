"""Batch scoring: every row of the feature mart, by the champion of each track, into `ml.predictions`.

A prediction is a statement about one survey: it names the submission that it was made from. When a
household's survey is released anew, scoring moves its row to the new submission; when it is no longer
released, its row stays as a record and readers leave it out by joining the released surveys on
submission_id. Nothing is deleted.
"""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg.rows import dict_row
from pyarrow import csv
from sklearn.pipeline import Pipeline

from ml.catalogue import STATEMENTS, TrainedModel, champions
from ml.features import CHUNK_ROWS, MART_FILE, TARGET, Feature, load_features, read_rows
from ml.models import one_thread
from ml.registry import load_pipeline
from ml.risk import CATEGORIES, categorise, confidence, decide
from ml.tracks import Track
from warehouse.database import Database
from warehouse.errors import IntegrityError, NotFoundError
from warehouse.stores import ObjectStore

# Coarser than the noise of floating-point sums, which may differ with a row's place in its chunk.
PROBABILITY_DECIMALS = 9


@dataclass(frozen=True)
class Scorer:
    """A champion, ready to score."""

    model: TrainedModel
    pipeline: Pipeline


@dataclass(frozen=True)
class TrackScore:
    """What scoring one track did; `categories` counts the households of every risk category."""

    track: Track
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
    mart_file: Path = MART_FILE,
    chunk_rows: int = CHUNK_ROWS,
) -> ScoreSummary:
    """Score the feature mart, in chunks and in one transaction.

    The assessment track scores only the households whose survey has the income module. Scoring the same rows
    by the same model again changes nothing, not even `scored_at`.

    Raises:
        NotFoundError: no model is trained (ml.no_model), or the mart is not built.
        IntegrityError: a stored model was changed, or a prediction is no probability (ml.bad_prediction).
    """
    scorers = [Scorer(model, load_pipeline(store, model)) for model in champions(database).values()]
    if not scorers:
        raise NotFoundError("No model is trained yet.", code="ml.no_model", remedy="Train first: kyalo train.")
    chunks = read_rows(database, _features_of(scorers, mart_file), chunk_rows=chunk_rows)
    with database.transaction() as connection:
        connection.execute(STATEMENTS["create_scored_rows"])
        categories = _copy_predictions(connection, scorers, chunks)
        _require_all_copied(connection, categories.total())
        changes = _merge(connection, run_id)
    return ScoreSummary(run_id, tuple(_summarise(scorer.model, categories, changes) for scorer in scorers))


def predict(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """The predictions of one model for rows of the mart, with the columns of the temporary table."""
    model = scorer.model
    with one_thread():
        probability = scorer.pipeline.predict_proba(rows[model.feature_names])[:, 1]
    probability = probability.round(PROBABILITY_DECIMALS)
    return rows[["household_id", "survey_round", "submission_id"]].assign(
        track=model.track,
        prediction=decide(probability),
        probability=probability,
        confidence=confidence(probability),
        risk_category=categorise(probability),
        model_name=model.model_name,
        model_version=model.model_version,
    )


def _features_of(scorers: list[Scorer], mart_file: Path) -> list[Feature]:
    features = {feature.name: feature for feature in load_features(mart_file)}
    wanted = dict.fromkeys(name for scorer in scorers for name in scorer.model.feature_names)
    if missing := [name for name in wanted if name not in features]:
        raise NotFoundError(
            f"The feature mart no longer has what the model was trained on: {', '.join(missing)}.",
            code="ml.feature_missing",
            remedy="Train again: kyalo train.",
        )
    return [features[name] for name in wanted]


def _copy_predictions(
    connection: psycopg.Connection, scorers: list[Scorer], chunks: Iterator[pd.DataFrame]
) -> Counter[tuple[str, str]]:
    """Copy all predictions into the temporary table and count them by track and risk category."""
    counts: Counter[tuple[str, str]] = Counter()
    try:
        with connection.cursor().copy(STATEMENTS["copy_scored_rows"]) as copy:
            for track, predictions in _predict_chunks(scorers, chunks):
                copy.write(_as_csv(predictions))
                sizes = predictions["risk_category"].value_counts()
                counts.update({(track, str(category)): int(size) for category, size in sizes.items()})
    except psycopg.IntegrityError as error:
        raise IntegrityError(
            f"A prediction cannot be kept: {error.diag.message_primary}. {error.diag.message_detail or ''}",
            code="ml.bad_prediction",
            remedy="Check that the feature mart has one row for each household and round, then train again.",
        ) from error
    return counts


def _predict_chunks(scorers: list[Scorer], chunks: Iterator[pd.DataFrame]) -> Iterator[tuple[Track, pd.DataFrame]]:
    for rows in chunks:
        for scorer in scorers:
            scorable = rows[rows[TARGET].notna()] if scorer.model.track == "assessment" else rows
            if len(scorable):
                yield scorer.model.track, predict(scorer, scorable)


def _as_csv(predictions: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(predictions, preserve_index=False)
    buffer = io.BytesIO()
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False))
    return buffer.getvalue()


def _require_all_copied(connection: psycopg.Connection, expected: int) -> None:
    (copied,) = connection.execute(STATEMENTS["count_scored_rows"]).fetchone() or (0,)
    if copied != expected:
        raise IntegrityError(
            f"{expected} predictions were made, but {copied} arrived in the database.",
            code="ml.bad_prediction",
        )


def _merge(connection: psycopg.Connection, run_id: str) -> dict[str, tuple[int, int]]:
    """Write what is new or differs; returns the inserted and updated rows by track."""
    with connection.cursor(row_factory=dict_row) as cursor:
        merged = cursor.execute(STATEMENTS["merge_scored_rows"], {"run_id": run_id})
        return {row["track"]: (row["inserted"], row["updated"]) for row in merged}


def _summarise(
    model: TrainedModel, categories: Counter[tuple[str, str]], changes: dict[str, tuple[int, int]]
) -> TrackScore:
    counted = {category: categories[model.track, category] for category in CATEGORIES}
    inserted, updated = changes.get(model.track, (0, 0))
    return TrackScore(
        track=model.track,
        model_name=model.model_name,
        model_version=model.model_version,
        scored=sum(counted.values()),
        inserted=inserted,
        updated=updated,
        categories=counted,
    )
