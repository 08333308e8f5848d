"""Jobs: work that is promised in one transaction and done by a worker after it.

The ledger is the truth, a job is the reminder: whatever lands a file looks in the ledger first, so that a job that
runs twice, or after somebody else did the work, finds nothing to do.
"""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from warehouse.database import Database, queries
from warehouse.errors import KyaloError

LAND_FILE = "land_file"
LANDINGS, CHORES, SCHEDULED = "default", "chores", "scheduled"  # queues of their own: landings may take hours
CHORES_AT_A_TIME = 2  # beside the landings: one that copies for hours shall not keep the others waiting
SILENT_SECONDS = 30  # a worker that has not been heard of for so long is dead
MOST_DEATHS = 10  # of workers at one file, or tries of a job of the schedule; it is not tried again after that
KEPT_DAYS = 30


@dataclass(frozen=True)
class JobCounts:
    """How many jobs of a task there are; those that succeeded are forgotten.

    Attributes:
        retrying: failed for a while, and tried again later.
        interrupted: their worker died; what they left undone is done by another job.
    """

    task: str
    waiting: int
    running: int
    retrying: int
    failed: int
    interrupted: int


def defer(connection: psycopg.Connection, task: str, *, queue: str = LANDINGS, **arguments: object) -> int:
    """Promise a job in the caller's transaction, and return its number: no commit, no job.

    Jobs of the schedule are done one at a time, however many workers there are.
    """
    lock = SCHEDULED if queue == SCHEDULED else None
    values = {"queue": queue, "task": task, "lock": lock, "arguments": Jsonb(arguments)}
    row = connection.execute(queries("jobs")["defer"], values).fetchone()
    assert row is not None  # noqa: S101 - the function returns one number or raises
    return int(row[0])


def drop_reminders(connection: psycopg.Connection, ingestion_id: str) -> None:
    """Forget the jobs that wait to land a file which somebody has landed by now."""
    connection.execute(queries("jobs")["drop_reminders"], {"task": LAND_FILE, "ingestion_id": ingestion_id})


def sweep(database: Database) -> int:
    """Mend what dead workers left behind; how many files got a new job.

    Jobs of dead workers are closed; those of the schedule are done again. A pending file that nobody is landing and no
    job waits for gets one, unless it has ended its worker many times: then it is failed, for all to see.
    """
    with database.transaction() as connection:
        connection.execute(queries("jobs")["lock_sweep"])
        orphaned = {"silent_seconds": SILENT_SECONDS, "queue": SCHEDULED, "most_deaths": MOST_DEATHS}
        connection.execute(queries("jobs")["revive_orphans"], orphaned)
        connection.execute(queries("jobs")["abort_orphans"], orphaned)
        connection.execute(queries("jobs")["tell_schedule"])
        connection.execute(queries("jobs")["forget_old_jobs"], {"days": KEPT_DAYS})
        cursor = connection.cursor(row_factory=dict_row)
        unattended = cursor.execute(queries("jobs")["unattended"], {"task": LAND_FILE}).fetchall()
        revived = [row["ingestion_id"] for row in unattended if row["deaths"] < MOST_DEATHS]
        for ingestion_id in revived:
            defer(connection, LAND_FILE, ingestion_id=ingestion_id)
        for row in unattended:
            if row["deaths"] >= MOST_DEATHS:
                message = f"The worker ended {row['deaths']} times while it landed this file."
                _fail(connection, row["ingestion_id"], "job.worker_died", message)
    return len(revived)


def give_up(database: Database, ingestion_id: str, error: Exception) -> None:
    """Mark a pending file as failed, with the error's code."""
    code = error.error_code if isinstance(error, KyaloError) else "internal.error"
    with database.transaction() as connection:
        _fail(connection, ingestion_id, code, str(error) or type(error).__name__)


def count_jobs(database: Database) -> list[JobCounts]:
    """The jobs there are, by task."""
    with database.transaction() as connection:
        return connection.cursor(row_factory=class_row(JobCounts)).execute(queries("jobs")["job_counts"]).fetchall()


def _fail(connection: psycopg.Connection, ingestion_id: str, code: str, message: str) -> None:
    values = {"ingestion_id": ingestion_id, "error_code": code, "error_message": message}
    connection.execute(queries("jobs")["give_up"], values)
