"""The registry: each model a row of `ml.models`, with its document, rows and report in the object store."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ml.artifacts import DOCUMENT, REPORT, put_rows
from ml.catalogue import STATEMENTS, TrainedModel
from ml.evaluation import Evaluation
from ml.tracks import Track
from ml.watching.reference import Reference, store_reference
from warehouse.database import Database
from warehouse.stores import ObjectStore


@dataclass(frozen=True)
class Draft:
    """A fitted model that has no version yet.

    Attributes:
        training_fingerprint: hash of the training rows and the recipe.
        feature_set_version: hash of the SQL that made its features.
        document: the model as it is stored.
        artifact_kind: what the document is, as in ml.models.
        metrics: what the evaluations found in short, as plain JSON.
        metadata: how the model came to be, as plain JSON.
        evaluation: all measures.
        reference: what later households are held against.
        rows: the rows it was trained on, with the out-of-fold `probability` of each.
        report: the evaluation as a page, given the version.
    """

    track: Track
    algorithm: str
    feature_names: list[str]
    training_fingerprint: str
    feature_set_version: str
    document: bytes
    artifact_kind: str
    metrics: dict[str, Any]
    metadata: dict[str, Any]
    evaluation: Evaluation
    reference: Reference
    rows: pd.DataFrame
    report: Callable[[int], str]
    run_id: str

    @property
    def model_name(self) -> str:
        """The name that all versions of the track's model share."""
        return f"vulnerability_{self.track}"


def register(
    database: Database, store: ObjectStore, draft: Draft, *, actor: str, event: str = "registered"
) -> TrainedModel:
    """Keep a model as the next version of its name; the gate decides whether it becomes the champion.

    The objects are written before the rows that refer to them are committed. Two trainings take turns.
    """
    with database.transaction() as connection:
        folder, version = _next_folder(connection, draft.model_name)
        stored = store.put(f"{folder}/{DOCUMENT}", io.BytesIO(draft.document), "application/json")
        rows = put_rows(store, folder, draft.rows)
        store.put(f"{folder}/{REPORT}", io.BytesIO(draft.report(version).encode()), "text/html")
        row = {
            "model_name": draft.model_name,
            "model_version": version,
            "track": draft.track,
            "algorithm": draft.algorithm,
            "object_key": stored.key,
            "sha256": stored.sha256,
            "size_bytes": stored.size_bytes,
            "feature_names": draft.feature_names,
            "training_fingerprint": draft.training_fingerprint,
            "feature_set_version": draft.feature_set_version,
            "artifact_kind": draft.artifact_kind,
            "metrics": draft.metrics,
            "metadata": draft.metadata | {"rows_object_sha256": rows.sha256},
            "run_id": draft.run_id,
        }
        store.put(f"{folder}/metadata.json", io.BytesIO(_as_json(row)), "application/json")
        model = _insert(connection, row)
        _insert_evaluations(connection, model, draft.evaluation)
        _insert_training_rows(connection, model, draft.rows)
        store_reference(connection, model.model_name, model.model_version, draft.reference)
        record_event(connection, model, event, actor=actor, reason=_origin(draft), run_id=draft.run_id)
    return model


def record_event(
    connection: psycopg.Connection,
    model: TrainedModel,
    event: str,
    *,
    actor: str,
    reason: str,
    run_id: str,
    details: dict[str, Any] | None = None,
) -> None:
    """Add a row to `ml.model_events`: what became of a model, by whom and why."""
    values = {
        "track": model.track,
        "model_name": model.model_name,
        "model_version": model.model_version,
        "event": event,
        "actor": actor,
        "reason": reason,
        "details": Jsonb(details or {}),
        "run_id": run_id,
    }
    connection.execute(STATEMENTS["insert_event"], values)


def is_intact(store: ObjectStore, model: TrainedModel) -> bool:
    """Whether the store still holds the very bytes that were registered."""
    stored = store.head(model.object_key)
    return stored is not None and stored.sha256 == model.sha256


def _origin(draft: Draft) -> str:
    return f"{draft.algorithm.replace('_', ' ')}, of {len(draft.rows):,} labelled households"


def _next_folder(connection: psycopg.Connection, model_name: str) -> tuple[str, int]:
    connection.execute(STATEMENTS["lock_versions"], {"model_name": model_name})
    (version,) = connection.execute(STATEMENTS["next_version"], {"model_name": model_name}).fetchone() or (1,)
    return f"models/{model_name}/{version}", version


def _insert(connection: psycopg.Connection, row: dict[str, Any]) -> TrainedModel:
    documents = {"metrics": Jsonb(row["metrics"]), "metadata": Jsonb(row["metadata"])}
    with connection.cursor(row_factory=class_row(TrainedModel)) as cursor:
        (model,) = cursor.execute(STATEMENTS["insert_model"], row | documents)
    return model


def _insert_evaluations(connection: psycopg.Connection, model: TrainedModel, evaluation: Evaluation) -> None:
    with connection.cursor().copy(STATEMENTS["copy_evaluations"]) as copy:
        for measure in evaluation.measures:
            place = (measure.split, measure.segment_kind, measure.segment, measure.metric)
            bounds = (measure.value, measure.lower_bound, measure.upper_bound)
            copy.write_row((model.model_name, model.model_version, *place, *bounds))


def _insert_training_rows(connection: psycopg.Connection, model: TrainedModel, rows: pd.DataFrame) -> None:
    with connection.cursor().copy(STATEMENTS["copy_training_rows"]) as copy:
        for submission_id in rows["submission_id"]:
            copy.write_row((model.model_name, model.model_version, submission_id))


def _as_json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, indent=2, sort_keys=True, allow_nan=False).encode()
