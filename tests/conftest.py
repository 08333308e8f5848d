"""Fixtures of every test: a real PostgreSQL with a clone for each test, a store, a survey file."""

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from orchestration.context import Warehouse
from tests.dbt_graph import DbtGraph, parse_project
from warehouse.address import Address
from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.migrations import migrate
from warehouse.settings import PROJECT_ROOT, Settings
from warehouse.stores import ObjectStore, open_store

TEMPLATE = "kyalo_template"
NOT_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")  # no test cuts the power
PARSED = (Path("dbt", "target", "partial_parse.msgpack"), Path("dbt", "packages"))
IN_USE: set[int] = set()
EVER_USED: set[int] = set()
REAL_SURVEY = PROJECT_ROOT.parent / "shared" / "data" / "household_survey.csv"
SAMPLE = PROJECT_ROOT / "orchestration" / "sample_data" / "household_survey.csv"


@pytest.fixture(scope="session")
def test_server() -> Iterator[EmbeddedServer]:
    """One embedded server for all test processes of a session; the first one starts it."""
    shared = os.environ.get("KYALO_TEST_HOME")
    home = Path(shared) if shared else Path(tempfile.mkdtemp(prefix="kyalo-test-"))
    home.chmod(0o711)  # the server's account passes through, under root
    server = EmbeddedServer(home)
    server.ensure_running()
    for setting in NOT_DURABLE:
        _administer(server, "alter system set {} = off", setting)
    _administer(server, "select pg_reload_conf()")
    yield server
    if not shared:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(test_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database that each test clones."""
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    _administer(test_server, "create database {}", name)
    database = Database(_settings(test_server, name, tmp_path_factory.mktemp("template")))
    migrate(database)
    database.close()
    return name


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the homes of all warehouses."""
    return tmp_path_factory.mktemp("homes")


@contextmanager
def cloned_warehouse(
    server: EmbeddedServer, template: str, homes: Path, *, is_new_place: bool = False
) -> Iterator[Warehouse]:
    """A fresh migrated warehouse, dropped in the end.

    It takes the place of one that was dropped, name and home: dbt has parsed its project for that place and need not
    do so again.
    """
    taken = EVER_USED if is_new_place else IN_USE
    number = next(number for number in itertools.count() if number not in taken)
    name, home = f"{template}_{number}", homes / str(number)
    IN_USE.add(number)
    EVER_USED.add(number)
    _clear(home)
    _administer(server, "create database {} template {}", name, template)
    settings = _settings(server, name, home)
    database = Database(settings)
    yield Warehouse(settings, database, open_store(settings))
    database.close()
    _administer(server, "drop database {} with (force)", name)
    IN_USE.remove(number)


@pytest.fixture
def warehouse(test_server: EmbeddedServer, template: str, homes: Path) -> Iterator[Warehouse]:
    """A fresh migrated warehouse with a home of the test's own."""
    with cloned_warehouse(test_server, template, homes) as warehouse:
        yield warehouse


@pytest.fixture
def warehouse_in_a_new_place(test_server: EmbeddedServer, template: str, homes: Path) -> Iterator[Warehouse]:
    """A fresh migrated warehouse where none was before."""
    with cloned_warehouse(test_server, template, homes, is_new_place=True) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def module_warehouse(test_server: EmbeddedServer, template: str, homes: Path) -> Iterator[Warehouse]:
    """A warehouse that the tests of one module share."""
    with cloned_warehouse(test_server, template, homes) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def module_warehouse_in_a_new_place(test_server: EmbeddedServer, template: str, homes: Path) -> Iterator[Warehouse]:
    """A warehouse that the tests of one module share, where none was before."""
    with cloned_warehouse(test_server, template, homes, is_new_place=True) as warehouse:
        yield warehouse


@pytest.fixture
def database(warehouse: Warehouse) -> Database:
    """A fresh migrated database."""
    return warehouse.database


@pytest.fixture
def store(warehouse: Warehouse) -> ObjectStore:
    """An empty object store."""
    return warehouse.store


@pytest.fixture(scope="session")
def dbt_graph(tmp_path_factory: pytest.TempPathFactory) -> DbtGraph:
    """The dbt project as dbt reads it; the tests that share it are of one group, so that it is read once."""
    return parse_project(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def survey_file() -> Path:
    """The real survey where it is present, the bundled sample otherwise."""
    return REAL_SURVEY if REAL_SURVEY.exists() else SAMPLE


def _settings(server: EmbeddedServer, name: str, home: Path) -> Settings:
    address = server.address()
    return Settings(
        _env_file=None,
        kyalo_home=home,
        kyalo_environment="development",
        db_host=address["host"],
        db_port=address["port"],
        db_name=name,
        db_user=address["user"],
        db_password=address["password"],
    )


def _clear(home: Path) -> None:
    """Take everything out of a home but what dbt has parsed."""
    before = home.with_name(f"{home.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if home.exists():
        home.rename(before)
    for path in PARSED:
        if (before / path).exists():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (before / path).rename(home / path)


def _administer(server: EmbeddedServer, statement: str, *names: str) -> None:
    address = Address(**{**server.address(), "dbname": "postgres"})
    with psycopg.connect(**address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
