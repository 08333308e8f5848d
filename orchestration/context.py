"""The one place where settings become a database and a store."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from pydantic import ValidationError

from ingest_api.auth.keys import load_keys
from orchestration.command_audit import entered
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database
from warehouse.errors import ConfigurationError
from warehouse.folders import make_folder
from warehouse.hash_key import require_hash_key
from warehouse.jobs import CHORES_AT_A_TIME
from warehouse.migrations import migrate
from warehouse.settings import Settings, get_settings
from warehouse.stores import ObjectStore, open_store


@dataclass(frozen=True)
class Warehouse:
    """Everything that a command works on."""

    settings: Settings
    database: Database
    store: ObjectStore


@contextmanager
def open_warehouse(settings: Settings | None = None) -> Iterator[Warehouse]:
    """The warehouse, running and migrated.

    Raises:
        ConfigurationError: a key is missing in production, or the key of hashes is not the one of this warehouse.
    """
    settings = settings or read_settings()
    load_key_ring(settings)  # nothing is started without keys
    make_folder(settings.home)
    database = Database(settings, pool_size=2 * (settings.worker_concurrency + CHORES_AT_A_TIME))  # a job takes two
    migrate(database)
    try:
        require_hash_key(database)
        with entered(settings, database):
            yield Warehouse(settings, database, open_store(settings))
    finally:
        database.close()


@contextmanager
def acting_as(warehouse: Warehouse, role: str) -> Iterator[Warehouse]:
    """The same warehouse, with what a role may do in the database and no more."""
    with closing(warehouse.database.taking_on(role)) as database:
        yield replace(warehouse, database=database)


def require_keys(settings: Settings) -> None:
    """See that what a server needs keys for can begin: encryption, hashes, and the signing of tokens.

    Raises:
        ConfigurationError: a key is missing in production, or not what it should be.
    """
    load_key_ring(settings)
    load_keys(settings)


def read_settings() -> Settings:
    """The process's settings.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    try:
        return get_settings()
    except ValidationError as error:
        reasons = "; ".join(": ".join([*map(str.upper, map(str, item["loc"])), item["msg"]]) for item in error.errors())
        raise ConfigurationError(f"The settings cannot be used: {reasons}.", code="configuration.invalid") from error
