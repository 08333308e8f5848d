"""The record of runs in `ops.pipeline_runs`, and what a run changed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.database import Database, queries
from warehouse.errors import KyaloError


@dataclass
class Step:
    """One step of a run: what it did in a few words, and how long it took."""

    name: str
    seconds: float = 0.0
    did: str = ""


@dataclass
class Run:
    """One run of the pipeline.

    Attributes:
        changed_rows: rows that the run wrote to, or deleted from, each published table that it changed.
    """

    run_id: str
    steps: list[Step] = field(default_factory=list)
    changed_rows: dict[str, int] = field(default_factory=dict)

    @property
    def changed_tables(self) -> list[str]:
        """The published tables that the run changed."""
        return list(self.changed_rows)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step; the block says what it did in `step.did`."""
        step = Step(name)
        self.steps.append(step)
        started = time.perf_counter()
        try:
            yield step
        finally:
            step.seconds = round(time.perf_counter() - started, 3)


@contextmanager
def recorded_run(database: Database) -> Iterator[Run]:
    """Record the run that the block makes, with its result, also when it fails."""
    run = Run(run_id=_new_identifier(database))
    with database.transaction() as connection:
        connection.execute(queries("runs")["insert_run"], {"run_id": run.run_id})
        connection.execute(queries("runs")["close_abandoned"], {"run_id": run.run_id})
    try:
        yield run
    except BaseException as error:
        _finish(database, run, "failed", error=error)
        raise
    _finish(database, run, "succeeded")


def fetch(database: Database, statement: str, **values: object) -> list[dict[str, Any]]:
    """The rows of a named statement of `runs.sql`."""
    with database.transaction() as connection:
        return connection.cursor(row_factory=dict_row).execute(queries("runs")[statement], values).fetchall()


def has_marts(database: Database) -> bool:
    """Whether a build has ever finished."""
    (row,) = fetch(database, "has_marts")
    return bool(next(iter(row.values())))


def _finish(database: Database, run: Run, status: str, error: BaseException | None = None) -> None:
    with database.transaction() as connection:
        connection.execute(
            queries("runs")["finish_run"],
            {
                "run_id": run.run_id,
                "status": status,
                "steps": Jsonb([asdict(step) for step in run.steps]),
                "changed_rows": Jsonb(run.changed_rows),
                "changed_tables": run.changed_tables,
                "error_code": _code(error),
                "error_message": str(error) if error else None,
            },
        )


def _new_identifier(database: Database) -> str:
    with database.transaction() as connection:
        row = connection.execute("select uuidv7()::text").fetchone()
    return str(row[0]) if row else ""


def _code(error: BaseException | None) -> str | None:
    if error is None:
        return None
    return error.error_code if isinstance(error, KyaloError) else "internal.error"
