"""The right to change what the pipeline makes: one process has it at a time, and everybody can see which."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from warehouse.database import Database, fetch_row, queries
from warehouse.errors import BusyError

LOCK = "kyalo.pipeline"
LOOK_SECONDS = 1.0
TRY_LOCK = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
NAME_CONNECTION = "select set_config('application_name', %s, false)"


class PipelineLock:
    """Held for as long as its connection lives.

    Args:
        database: the warehouse.
        holder: how the connection is called, for others to see who holds the lock.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        self._connection: psycopg.Connection | None = None

    def take(self, tell_waiting: Callable[[str], None] | None = None) -> None:
        """Take the lock; where somebody else holds it, wait and tell who, if there is somebody to tell.

        Raises:
            BusyError: another process holds it, and nobody is told of waiting.
        """
        connection = self._database.connect()
        try:
            connection.autocommit = True
            connection.execute(NAME_CONNECTION, [self._holder])
            while not self._try(connection):
                busy = self._busy(connection)
                if tell_waiting is None:
                    raise busy
                tell_waiting(busy.message)
                time.sleep(LOOK_SECONDS)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def ensure(self) -> None:
        """Make sure that the lock is still held, and take it again where its connection was lost.

        Raises:
            BusyError: another process has taken it meanwhile.
        """
        try:
            if self._connection is not None:
                self._connection.execute("select 1")
                return
        except psycopg.OperationalError:
            self.release()
        self.take()

    def release(self) -> None:
        """Give the lock back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _try(connection: psycopg.Connection) -> bool:
        row = connection.execute(TRY_LOCK, [LOCK]).fetchone()
        return bool(row and row[0])

    @staticmethod
    def _busy(connection: psycopg.Connection) -> BusyError:
        remedy = "Try again when it has finished; `kyalo run --wait` waits for it."
        held = fetch_row(connection, queries("runs")["lock_holder"], {"name": LOCK})
        if held is None:
            return BusyError("Another process was at work on the pipeline a moment ago.", remedy=remedy)
        run = fetch_row(connection, queries("runs")["run_under_way"], {"run_id": held["holder"].split()[-1]})
        if run is None:
            return BusyError(f"`{held['holder']}` is at work since {held['since']:%H:%M:%S}.", remedy=remedy, **held)
        return BusyError(f"Run {run['run_id']} is under way: {_describe(run)}.", remedy=remedy, **run)


@contextmanager
def holding_pipeline(database: Database, command: str) -> Iterator[None]:
    """Hold the pipeline for the length of the block.

    Args:
        database: the warehouse.
        command: what does so, such as `kyalo build`.

    Raises:
        BusyError: another process holds it.
    """
    lock = PipelineLock(database, command)
    lock.take()
    try:
        yield
    finally:
        lock.release()


def _describe(run: dict[str, Any]) -> str:
    doing = f"step {run['step']}" if run["step"] else "between steps"
    return f"{doing} since {run['since']:%H:%M:%S}, process {run['process_id']} on {run['host']}"
