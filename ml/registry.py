"""The registry of models: fitted pipelines in the object store, one row of `ml.models` for each."""

import hashlib
import io
import json
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import joblib
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from ml.catalogue import STATEMENTS, TrainedModel
from ml.tracks import Track
from warehouse.database import Database
from warehouse.errors import IntegrityError
from warehouse.stores import ObjectStore

COMPRESSION = 3


@dataclass(frozen=True)
class Draft:
    """A fitted model that has no version yet.

    Attributes:
        training_fingerprint: hash of the training rows and the recipe.
        metrics: what the evaluations found, as plain JSON.
        metadata: how the model came to be, as plain JSON.
    """

    track: Track
    algorithm: str
    feature_names: list[str]
    training_fingerprint: str
    metrics: dict[str, Any]
    metadata: dict[str, Any]
    run_id: str

    @property
    def model_name(self) -> str:
        """The name that all versions of the track's model share."""
        return f"vulnerability_{self.track}"


def register(database: Database, store: ObjectStore, draft: Draft, pipeline: Pipeline) -> TrainedModel:
    """Keep a fitted pipeline as the next version of its name, which makes it the champion of its track.

    The objects are written before the row that refers to them is committed. Two trainings take turns.
    """
    content = _serialise(pipeline)
    with database.transaction() as connection:
        folder, version = _next_folder(connection, draft.model_name)
        stored = store.put(f"{folder}/model.joblib", io.BytesIO(content), "application/octet-stream")
        row = asdict(draft) | {
            "model_name": draft.model_name,
            "model_version": version,
            "object_key": stored.key,
            "sha256": stored.sha256,
            "size_bytes": stored.size_bytes,
        }
        store.put(f"{folder}/metadata.json", io.BytesIO(_as_json(row)), "application/json")
        return _insert(connection, row)


def is_intact(store: ObjectStore, model: TrainedModel) -> bool:
    """Whether the store still holds the very bytes that were registered."""
    stored = store.head(model.object_key)
    return stored is not None and stored.sha256 == model.sha256


def load_pipeline(store: ObjectStore, model: TrainedModel) -> Pipeline:
    """Read a fitted pipeline back.

    A pickle runs code when it is loaded, so its checksum is compared with the registry's first.

    Raises:
        NotFoundError: the store lost the object.
        IntegrityError: the bytes are not those that were registered (integrity.mismatch), or another version
            of scikit-learn wrote them (ml.other_library_version).
    """
    with store.get(model.object_key) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise IntegrityError(
            f"{model.object_key} is not the model that was registered: its checksum differs.",
            remedy="Restore the object from a backup, or train again: kyalo train.",
            object_key=model.object_key,
        )
    return _deserialise(content, model)


def _next_folder(connection: psycopg.Connection, model_name: str) -> tuple[str, int]:
    connection.execute(STATEMENTS["lock_versions"], {"model_name": model_name})
    (version,) = connection.execute(STATEMENTS["next_version"], {"model_name": model_name}).fetchone() or (1,)
    return f"models/{model_name}/{version}", version


def _insert(connection: psycopg.Connection, row: dict[str, Any]) -> TrainedModel:
    documents = {"metrics": Jsonb(row["metrics"]), "metadata": Jsonb(row["metadata"])}
    with connection.cursor(row_factory=class_row(TrainedModel)) as cursor:
        (model,) = cursor.execute(STATEMENTS["insert_model"], row | documents)
    return model


def _serialise(pipeline: Pipeline) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer, compress=COMPRESSION)
    return buffer.getvalue()


def _deserialise(content: bytes, model: TrainedModel) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return joblib.load(io.BytesIO(content))
        except InconsistentVersionWarning as error:
            raise IntegrityError(
                f"{model.object_key} was written by scikit-learn {error.original_sklearn_version}; "
                f"{error.current_sklearn_version} is installed.",
                code="ml.other_library_version",
                remedy="Train again: kyalo train.",
            ) from error


def _as_json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, indent=2, sort_keys=True, allow_nan=False).encode()
