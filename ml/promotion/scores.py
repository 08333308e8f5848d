"""What the evaluations of registered models found, as `ml.evaluations` keeps it."""

from typing import Any

import psycopg
from psycopg.rows import class_row

from ml.catalogue import TrainedModel
from ml.evaluation import Evaluation, Measure
from ml.tracks import Track
from warehouse.database import fetch_rows, queries

STATEMENTS = queries("promotion")


def read_evaluation(connection: psycopg.Connection, model: TrainedModel) -> Evaluation:
    """All measures of a model."""
    with connection.cursor(row_factory=class_row(Measure)) as cursor:
        values = {"model_name": model.model_name, "model_version": model.model_version}
        return Evaluation(tuple(cursor.execute(STATEMENTS["select_evaluations"], values)))


def list_versions(connection: psycopg.Connection, track: Track | None = None) -> list[dict[str, Any]]:
    """Every model, or those of a track, the newest first, with its scores in new villages and its last event."""
    return fetch_rows(connection, STATEMENTS["select_versions"], {"track": track})
