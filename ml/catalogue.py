"""What is known of the registered models, read without the libraries that made them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from ml.tracks import Track
from warehouse.database import Database, queries

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
    metrics: dict[str, Any]
    metadata: dict[str, Any]
    trained_at: datetime
    run_id: str


def champions(database: Database) -> dict[Track, TrainedModel]:
    """The newest model of each track that has one."""
    with (
        database.transaction() as connection,
        connection.cursor(row_factory=class_row(TrainedModel)) as cursor,
    ):
        return {model.track: model for model in cursor.execute(STATEMENTS["select_champions"])}
