"""Copies of originals in the second store: made later where they could not be made at once."""

from datetime import datetime
from typing import cast

from warehouse.database import Database, queries
from warehouse.errors import NotFoundError
from warehouse.logs import get_logger
from warehouse.stores import MirroredStore, ObjectStore, stated_checksum, type_of

logger = get_logger(__name__)
AT_A_TIME = 500


def copy_missing_originals(database: Database, store: ObjectStore) -> int:
    """See that the originals that came lately have their copy; how many were made now.

    An original that the first store has lost stays on the list until `kyalo storage verify` has found it.

    Raises:
        StorageUnavailableError: one of the stores is away; what was copied so far stays copied.
    """
    if not isinstance(store, MirroredStore):
        return 0
    until, copied = _now(database), 0
    while keys := _pending(database, until):
        copied += sum(_see_to(database, store, key) for key in keys)
    return copied


def copy_object(source: ObjectStore, target: ObjectStore, key: str) -> bool:
    """Copy an object from one store to the other; False, and nothing done, when it is not what its key states.

    Raises:
        NotFoundError: the source does not have it.
    """
    with source.get(key) as content:
        stored = target.put(key, content, type_of(key))
    if stored.sha256 == (stated_checksum(key) or stored.sha256):
        return True
    target.delete(key)
    return False


def _see_to(database: Database, store: MirroredStore, key: str) -> bool:
    held = store.secondary.head(key)
    has_copy = held is not None and held.sha256 == stated_checksum(key)
    try:
        copied = not has_copy and copy_object(store.primary, store.secondary, key)
    except NotFoundError:
        copied = False
    is_done = has_copy or copied
    if not is_done:
        logger.error("the first store has lost an original: run `kyalo storage verify --repair`", key=key)
    with database.transaction() as connection:
        connection.execute(queries("objects")["forget_copy" if is_done else "postpone_copy"], {"key": key})
    return copied


def _now(database: Database) -> datetime:
    """The time by the database's clock, which put the originals on the list."""
    with database.transaction() as connection:
        row = connection.execute("select now()").fetchone()
    assert row is not None  # noqa: S101 - it is one row
    return cast(datetime, row[0])


def _pending(database: Database, until: datetime) -> list[str]:
    """The next originals of the list; one that could not be copied was put to its end, after `until`."""
    with database.transaction() as connection:
        rows = connection.execute(queries("objects")["pending_copies"], {"until": until, "limit": AT_A_TIME})
        return [key for (key,) in rows]
