"""The clients in memory, kept as fresh as the database: a revocation holds for the next request."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from ingest_api.auth.clients import Client, fetch_clients, list_clients, note_use
from warehouse.database import Database
from warehouse.errors import KyaloError
from warehouse.logs import get_logger

logger = get_logger(__name__)
CHANNEL = "kyalo_clients"
LISTEN_SECONDS = 0.5
STALE_SECONDS = 3.0  # a connection that is silent for so long is taken for dead
USE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ClientTable:
    """All clients as they were at one moment.

    Attributes:
        by_name: every client, revoked ones too.
        by_url_token: those with a URL token, by its SHA-256.
    """

    by_name: dict[str, Client]
    by_url_token: dict[bytes, Client]

    @classmethod
    def of(cls, clients: Iterable[Client]) -> "ClientTable":
        """The table of these clients."""
        by_name = {client.name: client for client in clients}
        return cls(by_name, {client.url_token_hash: client for client in by_name.values() if client.url_token_hash})


class ClientRegistry:
    """Keeps the table of clients, told of each change by PostgreSQL.

    A thread listens on a connection of its own and asks for a sign of life twice a second. While there is none
    the table counts as stale: `read` then reads it anew for each request. The thread connects again once such a
    reading has succeeded, so that an idle API does not start a server that somebody stopped.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = ClientTable({}, {})
        self._reading = threading.Lock()  # an older reading never takes the place of a newer one
        self._fresh_until = 0.0
        self._used: set[str] = set()
        self._reachable = threading.Event()
        self._reachable.set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_listening, name="kyalo-clients", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._reachable.set()
        self._thread.join(STALE_SECONDS)  # a connection to a machine that is gone may not end in time

    def current(self) -> ClientTable | None:
        """The table in memory, None while it may be stale."""
        return self._table if time.monotonic() < self._fresh_until else None

    def read(self) -> ClientTable:
        """The table as the database has it now.

        Raises:
            DatabaseUnavailableError: it cannot be read.
        """
        with self._reading:
            self._table = ClientTable.of(list_clients(self._database))
        self._reachable.set()
        return self._table

    def note_use(self, name: str) -> None:
        """Remember that a client has used the API; the database learns it within a minute."""
        self._used.add(name)

    def _keep_listening(self) -> None:
        while True:
            self._reachable.wait()
            if self._closing.is_set():
                return
            self._reachable.clear()
            try:
                with self._database.connect() as connection:
                    self._listen(connection)
            except (psycopg.Error, KyaloError) as error:
                self._fresh_until = 0.0
                logger.warning("clients are read for each request until PostgreSQL is back", problem=str(error))

    def _listen(self, connection: psycopg.Connection) -> None:
        connection.autocommit = True
        connection.execute(f"listen {CHANNEL}")
        told = True
        written_at = time.monotonic()
        while not self._closing.is_set():
            asked_at = time.monotonic()
            if told:
                with self._reading:
                    self._table = ClientTable.of(fetch_clients(connection))
            else:
                connection.execute("select 1")
            self._fresh_until = asked_at + STALE_SECONDS
            if asked_at - written_at > USE_SECONDS:
                self._write_use(connection)
                written_at = asked_at
            told = bool(list(connection.notifies(timeout=LISTEN_SECONDS, stop_after=1)))
        self._write_use(connection)

    def _write_use(self, connection: psycopg.Connection) -> None:
        used, self._used = self._used, set()
        if used:
            note_use(connection, used)
