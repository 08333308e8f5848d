"""Fixtures of every test: a real PostgreSQL with a clone for each test, a store, a survey file."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from warehouse.address import Address
from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.migrations import migrate
from warehouse.settings import PROJECT_ROOT, Settings
from warehouse.storage import LocalStore

TEMPLATE = "kyalo_template"
REAL_SURVEY = PROJECT_ROOT.parent / "shared" / "data" / "household_survey.csv"
SAMPLE = PROJECT_ROOT / "orchestration" / "sample" / "household_survey.csv"


@pytest.fixture(scope="session")
def test_server() -> Iterator[EmbeddedServer]:
    """One embedded server for all test processes of a session; the first one starts it."""
    shared = os.environ.get("KYALO_TEST_HOME")
    home = Path(shared) if shared else Path(tempfile.mkdtemp(prefix="kyalo-test-"))
    server = EmbeddedServer(home)
    server.ensure_running()
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


@pytest.fixture
def settings(test_server: EmbeddedServer, template: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings that point at a fresh clone of the template and at a home of the test's own."""
    name = f"kyalo_{secrets.token_hex(6)}"
    _administer(test_server, "create database {} template {}", name, template)
    yield _settings(test_server, name, tmp_path / "home")
    _administer(test_server, "drop database {} with (force)", name)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A fresh migrated database."""
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    """An empty object store."""
    return LocalStore(settings.store_folder)


@pytest.fixture(scope="session")
def survey_file() -> Path:
    """The real survey where it is present, the bundled sample otherwise."""
    return REAL_SURVEY if REAL_SURVEY.exists() else SAMPLE


def _settings(server: EmbeddedServer, name: str, home: Path) -> Settings:
    address = server.address()
    return Settings(
        _env_file=None,
        kyalo_home=home,
        db_host=address["host"],
        db_port=address["port"],
        db_name=name,
        db_user=address["user"],
        db_password=address["password"],
    )


def _administer(server: EmbeddedServer, statement: str, *names: str) -> None:
    address = Address(**{**server.address(), "dbname": "postgres"})
    with psycopg.connect(**address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
