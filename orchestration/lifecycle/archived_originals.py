"""Old originals move to `archive/originals/`: copied, read back, referred to, and only then removed where they were."""

from typing import BinaryIO, cast

from orchestration.context import Warehouse
from orchestration.lifecycle.acts import Act, finish, record
from orchestration.lifecycle.policies import Policy
from warehouse.crypto.spool import PrivateFile
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.errors import IntegrityError, NotFoundError
from warehouse.logs import get_logger
from warehouse.stores import (
    ORIGINALS,
    archived_key,
    check_original,
    is_whole,
    open_original,
    original_checksum,
    pack,
    type_of,
)

logger = get_logger(__name__)


def find_originals(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The originals that are old enough, none of whose uploads waits to be landed."""
    with warehouse.database.transaction() as connection:
        found = fetch_rows(connection, queries("lifecycle")["originals_to_archive"], {"days": policy.days})
    sizes = {listed.key: listed.size_bytes for listed in warehouse.store.list(ORIGINALS)} if found else {}
    return [
        Act(
            policy.name,
            "archived",
            subject=row["object_key"],
            bytes=sizes.get(row["object_key"]),
            object_key=archived_key(row["object_key"]),
            sha256=original_checksum(row["object_key"]),
        )
        for row in found
    ]


def archive_original(warehouse: Warehouse, act: Act, requested_by: str) -> bool:
    """Move one original; False, and it stays where it is, when it is lost or damaged: `kyalo storage verify` tells.

    Whoever is killed at any point of this leaves the original whole under the key that the ledger speaks of.

    Raises:
        StorageUnavailableError: the store is away.
        IntegrityError: the store gives back something else than it was given.
    """
    key, target = act.subject, act.object_key
    assert target is not None  # noqa: S101 - find_originals names it
    try:
        if not is_whole(warehouse.store, key):
            raise IntegrityError(f"The object {key} is not what was received.")
    except (IntegrityError, NotFoundError) as error:
        logger.error("an original cannot be archived", key=key, problem=str(error))  # noqa: TRY400 - no traceback helps
        return False
    _copy(warehouse, key, target)
    with warehouse.database.transaction() as connection:
        references = {"key": key, "archived_key": target}
        connection.execute(queries("lifecycle")["move_references"], references)
        connection.execute(queries("objects")["forget_copy"], {"key": key})
        number = record(connection, act, requested_by, is_finished=False)
    _empty_place(warehouse, number, key, target)
    return True


def finish_moves(warehouse: Warehouse) -> None:
    """Remove what archivings that died had copied and referred to, but not yet removed from its old place.

    Raises:
        StorageUnavailableError: the store is away.
    """
    with warehouse.database.transaction() as connection:
        interrupted = fetch_rows(connection, queries("lifecycle")["open_actions"], {"action": "archived"})
    for move in interrupted:
        _empty_place(warehouse, move["action_id"], move["subject"], move["object_key"])


def _copy(warehouse: Warehouse, key: str, target: str) -> None:
    with PrivateFile() as packed:
        with open_original(warehouse.store, key) as content:
            pack(target, content, cast(BinaryIO, packed))
        packed.seek(0)
        warehouse.store.put(target, cast(BinaryIO, packed), type_of(target))
    check_original(warehouse.store, target)


def _empty_place(warehouse: Warehouse, number: int, key: str, target: str) -> None:
    """Remove an original that nothing speaks of any more from its old place, its copy being whole."""
    check_original(warehouse.store, target)
    with warehouse.database.transaction() as connection:
        found = fetch_row(connection, queries("lifecycle")["is_referred_to"], {"key": key})
    if found and not found["is_referred_to"]:
        warehouse.store.delete(key)
    with warehouse.database.transaction() as connection:
        finish(connection, number)
