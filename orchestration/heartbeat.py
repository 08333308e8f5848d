"""Signs of life: whoever lives says so in `ops.heartbeats`; whoever is silent for a minute is stuck or dead."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import psutil
import psycopg
from psycopg.rows import class_row

from warehouse.database import Database, fetch_rows, queries
from warehouse.embedded import EmbeddedServer
from warehouse.errors import KyaloError
from warehouse.logs import get_logger

Process = Literal["api", "worker", "scheduler", "dashboard", "pipeline"]
BEAT_SECONDS = 10
LAST_SECONDS = 3  # that a beat under way may take at the end
SILENT_SECONDS = 60
logger = get_logger(__name__)


@dataclass(frozen=True)
class SignOfLife:
    """What a process said last.

    Attributes:
        instance: which process of its kind: its host and its number there.
        silent_seconds: how long ago it said it.
    """

    process: str
    instance: str
    host: str
    process_id: int
    started_at: datetime
    beat_at: datetime
    silent_seconds: float
    doing: str

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of in the last minute."""
        return self.silent_seconds <= SILENT_SECONDS


class Heartbeat:
    """The signs of life of one process, on a connection of their own, so that no work keeps them back.

    Args:
        database: where they are kept; an embedded server that was stopped is not started for them.
        process: what kind of process it is.
        doing: what it does, in a few words.
    """

    def __init__(self, database: Database, process: Process, *, doing: str = "") -> None:
        self._database = database
        self._connection: psycopg.Connection | None = None
        self._guard = threading.Lock()
        self._said = threading.Event()
        self._has_ended = False
        host, number = socket.gethostname(), os.getpid()
        self._row: dict[str, object] = {
            "process": process,
            "instance": f"{host}:{number}",
            "host": host,
            "process_id": number,
            "started_at": datetime.now(UTC),
            "doing": doing,
        }

    def say(self, doing: str) -> None:
        """Tell at once what the process does now, in a few words."""
        self._row["doing"] = doing
        self._said.set()

    def beat(self) -> None:
        """Say that the process lives; where the database is away nobody hears it, and that is no error."""
        with self._guard:
            try:
                if not self._has_ended:
                    self._execute("beat")
            except (psycopg.Error, KyaloError) as error:
                logger.debug("no sign of life could be given", problem=str(error))
                self._disconnect()

    def keep_beating(self) -> None:
        """Say so every ten seconds, until the end."""
        while not self._has_ended:
            self.beat()
            self._said.wait(BEAT_SECONDS)
            self._said.clear()

    def end(self) -> None:
        """Say that the process ended as it should, so that nobody misses it."""
        self._has_ended = True
        self._said.set()
        if self._guard.acquire(timeout=LAST_SECONDS):
            with suppress(psycopg.Error, KyaloError):
                self._execute("forget")
            self._disconnect()
            self._guard.release()

    def _execute(self, statement: str) -> None:
        if self._connection is None:
            self._connect()
        if self._connection:
            self._connection.execute(queries("heartbeats")[statement], self._row)

    def _connect(self) -> None:
        settings = self._database.settings
        if settings.is_embedded and not EmbeddedServer(settings.home).is_running():
            return
        self._connection = self._database.connect()
        self._connection.autocommit = True
        self._forget_predecessors(self._connection)

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _forget_predecessors(self, connection: psycopg.Connection) -> None:
        """Drop the signs of life of processes of this machine that were killed: this one is there in their place."""
        statements = queries("heartbeats")
        for row in fetch_rows(connection, statements["predecessors"], self._row):
            if not _lives(row["process_id"], row["started_at"]):
                connection.execute(statements["forget"], self._row | row)


@contextmanager
def beating(database: Database, process: Process, *, doing: str = "") -> Iterator[Heartbeat]:
    """Give signs of life for the length of the block, from a thread of their own; a kill leaves the last one behind.

    Args:
        database: where they are kept.
        process: what kind of process it is.
        doing: what it does, in a few words; `say` tells of something else.
    """
    heartbeat = Heartbeat(database, process, doing=doing)
    threading.Thread(target=heartbeat.keep_beating, name="heartbeat", daemon=True).start()
    try:
        yield heartbeat
    finally:
        heartbeat.end()


def list_signs_of_life(database: Database) -> list[SignOfLife]:
    """The last sign of every process that has not ended as it should."""
    with database.transaction() as connection:
        cursor = connection.cursor(row_factory=class_row(SignOfLife))
        return cursor.execute(queries("heartbeats")["list_heartbeats"]).fetchall()


def _lives(number: int, started_at: datetime) -> bool:
    """Whether a process is there that is not younger than it said: numbers are given again."""
    try:
        return psutil.Process(number).create_time() <= started_at.timestamp() + 1
    except psutil.NoSuchProcess:
        return False
