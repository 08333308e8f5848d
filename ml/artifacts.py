"""Models in the object store: a plain document that holds numbers and names, and nothing that could run.

Beside the document lie the rows that the model was trained on, with what it said of them out of fold: what replays a
training and compares two models.
"""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd

from ml.calibration import Calibration
from ml.catalogue import TrainedModel
from ml.conformal import Conformal
from ml.encoding import Encoding
from ml.linear import LinearScore
from ml.model import Model, Score
from ml.tracks import Track
from ml.trees import TreeScore
from warehouse.errors import IntegrityError
from warehouse.stores import ObjectStore, StoredObject

FORMAT = 1
DOCUMENT = "model.json"
ROWS = "training.parquet"
REPORT = "report.html"
SCORES: Mapping[str, type[LinearScore] | type[TreeScore]] = {"linear": LinearScore, "trees": TreeScore}


def write_document(model: Model) -> bytes:
    """A model as a JSON document; every number is written so that it reads back as it was."""
    if not hasattr(model.score, "to_dict"):
        raise TypeError(f"a score of {type(model.score).__name__} cannot be stored")
    return orjson.dumps(
        {
            "format": FORMAT,
            "track": model.track,
            "feature_names": model.encoding.feature_names,
            "categories": model.encoding.categories,
            "score": model.score.to_dict(),
            "calibration": model.calibration.to_dict(),
            "conformal": model.conformal.to_dict(),
        }
    )


def read_document(content: bytes) -> Model:
    """The model of a document that `write_document` wrote."""
    document: dict[str, Any] = orjson.loads(content)
    track: Track = document["track"]
    return Model(
        track=track,
        encoding=Encoding(document["feature_names"], document["categories"]),
        score=_read_score(document["score"]),
        calibration=Calibration.from_dict(document["calibration"]),
        conformal=Conformal.from_dict(document["conformal"]),
    )


def _read_score(document: dict[str, Any]) -> Score:
    if document["kind"] == "skops":
        from ml.foreign.score import PipelineScore  # of an imported model; ours need no scikit-learn

        return PipelineScore.from_dict(document)
    return SCORES[document["kind"]].from_dict(document)


def load_model(store: ObjectStore, model: TrainedModel) -> Model:
    """Read a registered model, once its bytes are known to be those that were registered.

    Raises:
        NotFoundError: the store lost it.
        IntegrityError: the bytes are others (integrity.mismatch), or of an earlier Kyalo (ml.old_model).
    """
    content = read_checked(store, model)
    if model.artifact_kind == "joblib":
        raise IntegrityError(
            f"{model.model_name} version {model.model_version} was stored by an earlier Kyalo as a program, "
            "which is no longer run.",
            code="ml.old_model",
            remedy="Train again: kyalo train.",
        )
    return read_document(content)


def read_checked(store: ObjectStore, model: TrainedModel) -> bytes:
    """The bytes of a registered model.

    Raises:
        NotFoundError: the store lost them.
        IntegrityError: they are not those that were registered (integrity.mismatch).
    """
    with store.get(model.object_key) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise IntegrityError(
            f"{model.object_key} is not the model that was registered: its checksum differs.",
            remedy="Restore the object from a backup, or train again: kyalo train.",
            object_key=model.object_key,
        )
    return content


def put_rows(store: ObjectStore, folder: str, rows: pd.DataFrame) -> StoredObject:
    """Keep the rows of a training, with its out-of-fold probabilities, in a model's folder."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    buffer.seek(0)
    return store.put(f"{folder}/{ROWS}", buffer, "application/vnd.apache.parquet")


def load_rows(store: ObjectStore, model: TrainedModel) -> pd.DataFrame:
    """The rows that a model was trained on, with the columns of the mart, in the order of the training.

    The column `probability` holds what a model of the same recipe said of each row without having seen its village.

    Raises:
        NotFoundError: the store lost them.
        IntegrityError: they are not those of the training.
    """
    key = f"{model.folder}/{ROWS}"
    with store.get(key) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != model.metadata.get("rows_object_sha256"):
        raise IntegrityError(
            f"{key} is not what the model was trained on: its checksum differs.",
            remedy="Restore the object from a backup.",
            object_key=key,
        )
    return pd.read_parquet(io.BytesIO(content))
