"""What is known of the registered models, read without the libraries that made them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from ml.tracks import Track
from warehouse.database import Database, queries
from warehouse.errors import NotFoundError

STATEMENTS = queries("ml")


@dataclass(frozen=True)
class TrainedModel:
    """A row of `ml.models`."""

    model_name: str
    model_version: int
    track: Track
    algorithm: str
    object_key: str
    sha256: str
    size_bytes: int
    feature_names: list[str]
    training_fingerprint: str
    feature_set_version: str | None
    artifact_kind: str
    mlflow_run_id: str | None
    metrics: dict[str, Any]
    metadata: dict[str, Any]
    trained_at: datetime
    run_id: str

    @property
    def folder(self) -> str:
        """Where its objects lie in the store."""
        return f"models/{self.model_name}/{self.model_version}"


def champions(database: Database) -> dict[Track, TrainedModel]:
    """The champion of each track that has one: the model that scores."""
    return {model.track: model for model in _select(database, "select_champions")}


def challengers(database: Database) -> dict[Track, TrainedModel]:
    """The newest model of each track that is newer than its champion."""
    return {model.track: model for model in _select(database, "select_challengers")}


def list_models(database: Database, track: Track | None = None) -> list[TrainedModel]:
    """All models, or those of a track, the newest first."""
    return _select(database, "select_models", track=track)


def find_model(database: Database, track: Track, version: int) -> TrainedModel:
    """A version of a track's model.

    Raises:
        NotFoundError: there is no such version (ml.no_such_model).
    """
    for model in list_models(database, track):
        if model.model_version == version:
            return model
    raise NotFoundError(
        f"The {track} track has no model version {version}.",
        code="ml.no_such_model",
        remedy="`kyalo models list` shows those that there are.",
    )


def _select(database: Database, statement: str, **values: Any) -> list[TrainedModel]:
    with (
        database.transaction() as connection,
        connection.cursor(row_factory=class_row(TrainedModel)) as cursor,
    ):
        return cursor.execute(STATEMENTS[statement], values).fetchall()
