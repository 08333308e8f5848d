"""A whole Kyalo of its own, with its own PostgreSQL: an API and a worker that can be killed and started again."""

import os
import shutil
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg

from ingest_api.auth.clients import add_client, list_clients
from ingest_api.auth.keys import load_keys
from ingest_api.auth.tokens import issue_token
from orchestration.context import Warehouse, open_warehouse
from tests.processes import Process, kill, start, until
from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.server import free_port
from warehouse.settings import Settings

Victim = Literal["api", "worker", "postgres"]
CLIENT = "chaos"
DAY_SECONDS = 86_400
LEDGER_IS_LANDED = "select not exists (select from raw.ingestions where status = 'received')"


@dataclass
class Ground:
    """A warehouse, and what is asked of it from outside."""

    warehouse: Warehouse

    @property
    def database(self) -> Database:
        """The warehouse's database."""
        return self.warehouse.database

    def execute(self, *statements: str) -> None:
        """Execute statements, each committed by itself."""
        with self.database.connect() as connection:
            connection.autocommit = True
            for statement in statements:
                connection.execute(statement)

    def ask(self, question: str) -> bool:
        """The answer to a question that is a statement."""
        with self.database.connect() as connection:
            row = connection.execute(question).fetchone()
        return bool(row and row[0])


@dataclass
class Stand(Ground):
    """What runs.

    Attributes:
        port: the API's.
        token: opens it.
    """

    port: int
    token: str
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def store_folder(self) -> Path:
        """Where the originals lie."""
        return self.warehouse.settings.store_folder

    def restore(self) -> None:
        """Start what does not run."""
        self.database.address()
        commands = {"api": ("api", "--port", str(self.port)), "worker": ("worker",)}
        for name, command in commands.items():
            if name not in self.processes or self.processes[name].poll() is not None:
                self.processes[name] = start(self.warehouse, *command)
        until(self._is_healthy, seconds=120)

    def kill(self, victim: Victim) -> None:
        """End a process as a power cut does."""
        if victim == "postgres":
            state = EmbeddedServer(self.warehouse.settings.home).state()
            assert state
            process_id = int((Path(state.cluster) / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(process_id, signal.SIGQUIT)  # the server drops everything and runs recovery when it is back
            until(lambda: not Path(f"/proc/{process_id}").exists())
        else:
            kill(self.processes[victim])

    def settle(self) -> None:
        """Wait until every file is landed."""
        until(lambda: self.ask(LEDGER_IS_LANDED), seconds=60)

    def _is_healthy(self) -> bool:
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        assert not ended, f"{ended} ended; see {self.warehouse.settings.home / 'logs'}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _admit_office(warehouse: Warehouse) -> str:
    """Register a client; the token that it would get when it signs in."""
    add_client(warehouse.database, CLIENT, "office")
    (client,) = list_clients(warehouse.database)
    return issue_token(load_keys(warehouse.settings), client, DAY_SECONDS)


def _let_commits_wait(home: Path) -> None:
    """Let the server wait for a standby, as Kyalo's own never does: a commit can be stopped there before its answer."""
    server = EmbeddedServer(home)
    with psycopg.connect(**server.ensure_running(), autocommit=True) as connection:
        connection.execute("alter system set wal_level = 'replica'")
        connection.execute("alter system set max_wal_senders = 1")
    server.stop()


@contextmanager
def standing() -> Iterator[Stand]:
    """A stand in a folder of its own, gone in the end."""
    home = Path(tempfile.mkdtemp(prefix="kyalo-chaos-"))
    home.chmod(0o711)  # the server's account passes through, under root
    settings = Settings(_env_file=None, kyalo_home=home, db_host=None)
    try:
        _let_commits_wait(home)
        with open_warehouse(settings) as warehouse:
            stand = Stand(warehouse, free_port(), _admit_office(warehouse))
            try:
                stand.restore()
                yield stand
            finally:
                for process in stand.processes.values():
                    kill(process)
        EmbeddedServer(settings.home).stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
