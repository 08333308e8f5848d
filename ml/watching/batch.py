"""The households whose scores are watched after a run."""

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from ml.tracks import Track
from ml.watching.reference import STATEMENTS

# Of fewer households from villages that differ nothing can be said.
LEAST_BATCH = 500


@dataclass(frozen=True)
class WatchedModel:
    """The champion of a track."""

    track: Track
    model_name: str
    model_version: int


@dataclass(frozen=True)
class Batch(WatchedModel):
    """What a champion said of households that it was not trained on.

    Attributes:
        run_id: the run that scored them.
        newly_scored: how many households the run scored, one at least.
        oldest: the batch also holds the predictions from this one on.
    """

    run_id: str
    newly_scored: int
    oldest: UUID


def watched_models(connection: psycopg.Connection) -> list[WatchedModel]:
    """The champion of each track that has one."""
    with connection.cursor(row_factory=class_row(WatchedModel)) as cursor:
        return cursor.execute(STATEMENTS["select_watched_models"]).fetchall()


def newest_batches(connection: psycopg.Connection, run_id: str) -> list[Batch]:
    """For each champion what a run newly scored, and what was scored before it where that alone is too little."""
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        found = [
            cursor.execute(
                STATEMENTS["select_batch"], {**vars(model), "run_id": run_id, "least": LEAST_BATCH}
            ).fetchone()
            for model in watched_models(connection)
        ]
    return [batch for batch in found if batch]
