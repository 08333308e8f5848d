"""The record of runs in `ops.pipeline_runs` and `ops.pipeline_steps`, and what a run changed."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import DatabaseUnavailableError, KyaloError

ABANDONED, INTERRUPTED = "run.abandoned", "run.interrupted"
PATIENCE_SECONDS = (1, 2, 4, 8, 16, 32)  # the record waits so long for a database that starts again


@dataclass
class DoneStep:
    """One try of a step of a run: what it did in a few words, how long it took, which rows it had and wrote."""

    name: str
    attempt: int = 1
    status: str = "succeeded"
    seconds: float = 0.0
    rows_in: int | None = None
    rows_out: int | None = None
    did: str = ""


@dataclass
class Run:
    """One run of the pipeline.

    Attributes:
        requested_by: who asked for it: schedule, command or demo.
        scope: the steps that somebody asked for, where not for all, such as `only check`.
        resumes_run_id: the failed run that it goes on with.
        changed_rows: rows that the run wrote to, or deleted from, each published table that it changed.
    """

    run_id: str
    requested_by: str = "command"
    scope: str = ""
    resumes_run_id: str | None = None
    steps: list[DoneStep] = field(default_factory=list)
    changed_rows: dict[str, int] = field(default_factory=dict)

    @property
    def changed_tables(self) -> list[str]:
        """The published tables that the run changed."""
        return list(self.changed_rows)

    @property
    def log_reference(self) -> str:
        """Where its log lines are, in KYALO_HOME."""
        return f"logs/runs/{self.run_id}.log"

    def name_connections(self, step: str) -> str:
        """What the connections of a step of the run are called in the database."""
        return f"kyalo {step} {self.run_id}"


@contextmanager
def recorded_run(database: Database, run: Run) -> Iterator[None]:
    """Record a run that the block makes, with its result, also when it fails."""
    place = {"host": socket.gethostname(), "process_id": os.getpid(), "log_reference": run.log_reference}
    run_facts = {"requested_by": run.requested_by, "scope": run.scope, "resumes_run_id": run.resumes_run_id}
    record(database, "insert_run", run_id=run.run_id, **run_facts, **place)
    try:
        yield
    except BaseException as error:
        _finish(database, run, "failed", describe_error(error))
        raise
    _finish(database, run, "succeeded", describe_error(None))


def close_abandoned(database: Database) -> None:
    """Mark as failed what was under way in processes that are gone, and end what they left in the database.

    To be called by who holds the pipeline: nobody else can be at work on a run then.
    """
    record(database, "close_abandoned_steps", code=ABANDONED)
    for row in fetch(database, "close_abandoned_runs", code=ABANDONED):
        fetch(database, "end_backends_of_run", run_id=row["run_id"])


def new_run_id(database: Database) -> str:
    """An identifier, in order of time."""
    (row,) = fetch(database, "new_run_id")
    return str(row["run_id"])


def fetch(database: Database, statement: str, **values: object) -> list[dict[str, Any]]:
    """The rows of a named statement of `runs.sql`."""
    with database.transaction() as connection:
        return fetch_rows(connection, queries("runs")[statement], values)


def record(database: Database, statement: str, **values: object) -> None:
    """Execute a named statement of `runs.sql`; a database that is away is waited for, a minute at most."""
    for seconds in PATIENCE_SECONDS:
        try:
            return _execute(database, statement, values)
        except DatabaseUnavailableError:
            time.sleep(seconds)
    return _execute(database, statement, values)


def describe_error(error: BaseException | None) -> dict[str, str | None]:
    """An error as the record keeps it."""
    if error is None:
        return {"error_code": None, "error_message": None}
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return {"error_code": INTERRUPTED, "error_message": "Somebody stopped the run."}
    code = error.error_code if isinstance(error, KyaloError) else "internal.error"
    return {"error_code": code, "error_message": str(error) or type(error).__name__}


def has_marts(database: Database) -> bool:
    """Whether a build has ever finished."""
    (row,) = fetch(database, "has_marts")
    return bool(next(iter(row.values())))


def _execute(database: Database, statement: str, values: Mapping[str, object]) -> None:
    with database.transaction() as connection:
        connection.execute(queries("runs")[statement], values)


def _finish(database: Database, run: Run, status: str, error: dict[str, str | None]) -> None:
    changed = {"changed_rows": Jsonb(run.changed_rows), "changed_tables": run.changed_tables}
    record(database, "finish_run", run_id=run.run_id, status=status, **changed, **error)
