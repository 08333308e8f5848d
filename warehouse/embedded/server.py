"""Supervisor of the embedded PostgreSQL: started by whoever needs it first, it outlives them all."""

import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from warehouse.address import Address
from warehouse.crypto.kept import check_private
from warehouse.embedded.account import Account, server_account, system_folder
from warehouse.embedded.binaries import find_installation, reachable_installation
from warehouse.embedded.cluster import HOST, ROLE, Cluster
from warehouse.errors import ConfigurationError, DatabaseUnavailableError
from warehouse.folders import make_folder
from warehouse.locks import open_locked
from warehouse.logs import hide_always

DATABASE = "kyalo"
PORT_ATTEMPTS = 5
UNUSUAL = set(",'\"\\#")  # the setting is a quoted list parted by commas
LONGEST_SOCKET_FOLDER = 90  # a socket's path may hold 107 bytes, its file name takes up to 17


@dataclass(frozen=True)
class ServerState:
    """What is remembered between starts."""

    cluster: str
    socket: str
    port: int


class EmbeddedServer:
    """The server of one data folder (`KYALO_HOME`).

    Safe to use from several processes at once: a file lock lets one of them make and start the server.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "postgres"
        self._state_file = self.folder / "server.json"
        self._password_file = self.folder / "password"

    @property
    def programs(self) -> Path:
        """Folder of PostgreSQL's client programs (psql, pg_dump)."""
        return find_installation() / "bin"

    def address(self) -> Address:
        """Where the server is; it must have been started once."""
        state, password = self.state(), self._read_password()
        if state is None or password is None:
            raise DatabaseUnavailableError(f"No PostgreSQL was ever started in {self.home}.", code="embedded.absent")
        return Address(host=HOST, port=state.port, dbname=DATABASE, user=ROLE, password=password)

    def ensure_running(self) -> Address:
        """Start the server unless it answers, and return where it is."""
        if not self.is_running():
            with self._locked() as lock:
                if not self.is_running():
                    self._start(lock)
        return self.address()

    def is_running(self) -> bool:
        """Whether the server answers and knows our password."""
        state, password = self.state(), self._read_password()
        return state is not None and password is not None and _answers(state.port, password)

    def stop(self) -> bool:
        """Stop the server; False when there was none to stop."""
        state = self.state()
        if state is None:
            return False
        with self._locked():
            was_running = self.is_running()
            self._cluster(state, server_account(Path(state.cluster) / "data")).stop()
        return was_running

    def state(self) -> ServerState | None:
        """What is remembered of the server, None before its first start."""
        try:
            return ServerState(**json.loads(self._state_file.read_text()))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise _foreign(self.folder) from error

    def _start(self, lock: int) -> None:
        state = self.state()
        account = server_account(Path(state.cluster if state else self.folder / "cluster") / "data")
        state = state or self._first_state(account)
        cluster = self._cluster(state, account)
        password = self._read_password() or self._write_password()
        if not cluster.data.exists():
            cluster.create(password, keep_open=lock)
        self._start_on_free_port(cluster, state)
        _create_database(self.address())

    def _start_on_free_port(self, cluster: Cluster, state: ServerState) -> None:
        for attempt in range(PORT_ATTEMPTS):
            port = state.port if attempt == 0 and state.port else free_port()
            self._write_state(ServerState(state.cluster, state.socket, port))
            _make_private(Path(state.socket), cluster.account)
            if cluster.start(port=port, socket_folder=Path(state.socket)):
                return
        raise DatabaseUnavailableError("No free port was found for PostgreSQL.", code="embedded.no_port")

    def _first_state(self, account: Account | None) -> ServerState:
        """Choose where the server's files lie: in `KYALO_HOME` unless its account cannot get there."""
        folder = self.folder
        if account and not account.can("x", folder):
            folder = system_folder("clusters") / secrets.token_hex(6)
            folder.mkdir()
            folder.chmod(0o711)
        _make_private(folder / "cluster", account)
        socket_folder = folder / "socket"
        if len(str(socket_folder).encode()) > LONGEST_SOCKET_FOLDER or set(str(socket_folder)) & UNUSUAL:
            socket_folder = Path(tempfile.mkdtemp(prefix="kyalo-")) / "socket"
            socket_folder.parent.chmod(0o711)
        state = ServerState(str(folder / "cluster"), str(socket_folder), 0)
        self._write_state(state)
        return state

    def _cluster(self, state: ServerState, account: Account | None) -> Cluster:
        return Cluster(Path(state.cluster), reachable_installation(account), account)

    def _write_state(self, state: ServerState) -> None:
        _write_private(self._state_file, json.dumps(asdict(state), indent=2))

    def _read_password(self) -> str | None:
        try:
            check_private(self._password_file)
            password = self._password_file.read_text()
            hide_always(password)
            return password
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise _foreign(self.folder) from error

    def _write_password(self) -> str:
        password = secrets.token_urlsafe(24)
        _write_private(self._password_file, password)
        return password

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            make_folder(self.home)
            make_folder(self.folder)
            descriptor = open_locked(self.folder / "lock")
        except PermissionError as error:
            raise _foreign(self.folder) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _answers(port: int, password: str) -> bool:
    try:
        with psycopg.connect(host=HOST, port=port, dbname="postgres", user=ROLE, password=password, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _create_database(address: Address) -> None:
    address["dbname"] = "postgres"
    with psycopg.connect(**address, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _make_private(folder: Path, account: Account | None) -> None:
    """Make a folder for the server alone, unless it is there; its name is given to it when it is the server's."""
    if folder.is_dir():
        return
    draft = folder.with_suffix(".draft")
    draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        shutil.chown(draft, account.user_id, account.group_id)
    draft.rename(folder)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.rename(path)


def _foreign(folder: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{folder} belongs to another user.",
        code="embedded.foreign_folder",
        remedy="Run Kyalo as that user, or set KYALO_HOME to a folder of your own.",
    )
