"""The embedded PostgreSQL: private, shared by processes, and back after a kill."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.account import server_account
from warehouse.embedded.binaries import copy_installation, find_installation
from warehouse.embedded.tuning import server_settings
from warehouse.errors import ConfigurationError, Transient
from warehouse.settings import PROJECT_ROOT, Settings

START = """
import sys
from pathlib import Path
from warehouse.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).ensure_running()["port"])
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be kept out by root's folders")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of its own, whose server is stopped in the end."""
    folder = Path(tempfile.mkdtemp(prefix="kyalo-embedded-"))
    folder.chmod(0o711)
    yield folder / "home"
    EmbeddedServer(folder / "home").stop()
    shutil.rmtree(folder)


def postmaster(home: Path) -> int:
    state = EmbeddedServer(home).state()
    assert state
    return int((Path(state.cluster) / "data" / "postmaster.pid").read_text().split()[0])


def start_elsewhere(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", START, home], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT)


def count_eventually(database: Database) -> int:
    """The rows of `kept`; a query that the kill cut off may be asked again."""
    for _ in range(10):
        try:
            with database.transaction() as connection:
                row = connection.execute("select count(*) from kept").fetchone()
            return int(row[0]) if row else 0
        except Transient:
            time.sleep(0.5)
    raise AssertionError("the server did not come back")


def test_server_is_private(home: Path) -> None:
    address = EmbeddedServer(home).ensure_running()
    assert (home / "postgres" / "password").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**address, "password": "guess"})
    with psycopg.connect(**address) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()
            for name in ("listen_addresses", "fsync", "unix_socket_permissions", "data_checksums")
        }
        rules = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]
    assert shown == {
        "listen_addresses": ("127.0.0.1",),
        "fsync": ("on",),
        "unix_socket_permissions": ("0700",),
        "data_checksums": ("on",),
    }


def test_socket_takes_the_password_too(home: Path) -> None:
    server = EmbeddedServer(home)
    address = server.ensure_running()
    state = server.state()
    assert state
    assert Path(state.socket).stat().st_mode & 0o077 == 0
    with psycopg.connect(**{**address, "host": state.socket}) as connection:
        assert connection.info.host == state.socket


def test_processes_share_one_server(home: Path) -> None:
    starters = [start_elsewhere(home) for _ in range(4)]
    ports = {starter.communicate()[0] for starter in starters}
    assert len(ports) == 1
    assert [starter.returncode for starter in starters] == [0] * 4


def test_server_outlives_who_started_it_and_keeps_its_port(home: Path) -> None:
    starter = start_elsewhere(home)
    port = int(starter.communicate()[0])
    server = EmbeddedServer(home)
    assert server.is_running()
    assert server.stop()
    assert not server.is_running()
    assert server.ensure_running()["port"] == port


def test_killed_postmaster_comes_back_with_its_data(home: Path) -> None:
    settings = Settings(_env_file=None, kyalo_home=home)
    database = Database(settings)
    with database.transaction() as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as number")
    os.kill(postmaster(home), signal.SIGKILL)
    assert count_eventually(database) == 1000
    database.close()


def test_threads_of_a_process_all_come_back_after_a_kill(home: Path) -> None:
    database = Database(Settings(_env_file=None, kyalo_home=home))
    with database.transaction() as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as number")
    os.kill(postmaster(home), signal.SIGKILL)
    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(lambda _: count_eventually(database), range(12))) == {1000}
    database.close()


def test_killed_starter_leaves_nothing_half_made(home: Path) -> None:
    for pause in (0.2, 0.6, 1.0):
        starter = start_elsewhere(home)
        time.sleep(pause)
        starter.kill()
        starter.communicate()
    assert EmbeddedServer(home).ensure_running()
    with Database(Settings(_env_file=None, kyalo_home=home)).connect() as connection:
        assert connection.execute("select current_database()").fetchone() == ("kyalo",)


@needs_root
def test_folder_is_the_servers_when_its_starter_dies_on_the_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "chown", die)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedServer(home).ensure_running()
    assert EmbeddedServer(home).ensure_running()


def test_taken_port_is_given_up(home: Path) -> None:
    import socket

    server = EmbeddedServer(home)
    port = server.ensure_running()["port"]
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        assert server.ensure_running()["port"] != port


def test_long_path_has_a_short_socket(home: Path) -> None:
    deep = home / ("x" * 60) / ("y" * 60)
    server = EmbeddedServer(deep)
    server.ensure_running()
    state = server.state()
    assert state
    assert len(state.socket) < 100
    server.stop()


@needs_root
def test_root_runs_it_as_an_ordinary_user(home: Path) -> None:
    EmbeddedServer(home).ensure_running()
    assert Path(f"/proc/{postmaster(home)}").stat().st_uid != 0


@needs_root
def test_servers_that_start_at_once_share_one_account() -> None:
    """Of users made at the same time the last one made would count, and the others' folders belong to nobody."""
    name = f"kyalo-{secrets.token_hex(4)}"
    code = f"""
import time
from warehouse.embedded import account
account.ACCOUNT_NAME = {name!r}
time.sleep(max(0, {time.time() + 2} - time.time()))  # all at once
print(account._create_once().pw_uid)
"""
    command = [sys.executable, "-c", code]
    try:
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        made = {process.communicate()[0] for process in running}
        assert made == {f"{pwd.getpwnam(name).pw_uid}\n"}
    finally:
        subprocess.run(["/usr/sbin/userdel", name], check=True)


@needs_root
def test_folder_that_only_root_may_enter_stays_closed(home: Path) -> None:
    home.parent.chmod(0o700)
    server = EmbeddedServer(home)
    server.ensure_running()
    assert home.parent.stat().st_mode & 0o777 == 0o700
    state = server.state()
    assert state
    assert not Path(state.cluster).is_relative_to(home)
    server.stop()
    shutil.rmtree(Path(state.cluster).parent)


@needs_root
def test_copied_programs_run_where_the_environment_is_closed(home: Path) -> None:
    """The environment is hidden by moving the copy's account out of reach: only the copy is looked at."""
    account = server_account(home / "none")
    assert account
    copy = copy_installation(find_installation(), home.parent / "binaries")
    ran = account.run([copy / "bin" / "initdb", "--version"])
    assert (ran.returncode, ran.stdout.split()[:2]) == (0, ["initdb", "(PostgreSQL)"])
    linked = account.run(["/usr/bin/ldd", copy / "bin" / "initdb"]).stdout
    assert str(copy.parents[1]) in linked
    assert copy_installation(find_installation(), home.parent / "binaries") == copy


@needs_root
def test_another_users_folder_is_refused_with_a_remedy(home: Path) -> None:
    EmbeddedServer(home).ensure_running()
    os.seteuid(65534)
    try:
        with pytest.raises(ConfigurationError, match="belongs to another user"):
            EmbeddedServer(home).ensure_running()
    finally:
        os.seteuid(0)


def test_settings_suit_the_machine(tmp_path: Path) -> None:
    settings = server_settings(tmp_path, port=5, socket_folder=tmp_path)
    assert 64 <= int(settings["shared_buffers"].removesuffix("MB")) <= 2048
    assert "fsync" not in settings
    assert "full_page_writes" not in settings
