"""What is encrypted with which key, and how rotations went."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from orchestration.context import Warehouse
from orchestration.keys.rotation import LOCK, encrypted_stores, sealed_objects
from warehouse.crypto.keys import TOKEN, KeyRing, drop_keys, load_key_ring
from warehouse.crypto.sealing import PATIENCE_SECONDS, wait_for_sealing
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import BusyError, ConflictError, NotFoundError

IN_CLEAR, NOBODYS = "none", "unknown"
WAITING_AT_A_TIME = 100
LOOK_SECONDS = 0.1
statements = queries("keys")


@dataclass(frozen=True)
class KeyUse:
    """One key and what is encrypted with it.

    Attributes:
        key_id: its name; `none` is what was written before anything was encrypted, `unknown` a key that left no name.
        is_known: whether Kyalo has it.
        waiting: bodies and pieces of attachments that are on their way to the store.
    """

    key_id: str
    is_newest: bool
    is_known: bool
    tokens: int
    waiting: int
    objects: int

    @property
    def is_needed(self) -> bool:
        """Whether anything is encrypted with it."""
        return bool(self.tokens or self.waiting or self.objects)


@dataclass(frozen=True)
class Rotation:
    """One rotation, as it is on record."""

    rotation_id: int
    key_id: str
    requested_by: str
    started_at: datetime
    renewed_tokens: int
    renewed_objects: int
    finished_at: datetime | None


@dataclass(frozen=True)
class KeyStanding:
    """All keys, and the last rotations."""

    keys: list[KeyUse]
    rotations: list[Rotation]

    @property
    def unused(self) -> list[str]:
        """Known keys that nothing needs any more."""
        return [key.key_id for key in self.keys if key.is_known and not (key.is_newest or key.is_needed)]

    @property
    def lost(self) -> list[str]:
        """Keys that something needs and nobody has."""
        return [key.key_id for key in self.keys if not key.is_known and key.key_id != IN_CLEAR]


def key_standing(warehouse: Warehouse) -> KeyStanding:
    """What is encrypted with which key; looks at the head of every object.

    Raises:
        StorageUnavailableError: a store is away.
    """
    ring = load_key_ring(warehouse.settings)
    with warehouse.database.transaction() as connection:
        rows = fetch_rows(connection, statements["count_tokens"])
        rotations = [Rotation(**row) for row in fetch_rows(connection, statements["newest_rotations"])]
    tokens = Counter({row["key_id"]: row["tokens"] for row in rows})
    waiting = _count_waiting(warehouse.database, ring)  # before objects: it goes there
    objects = _count_objects(warehouse)
    names = [*ring.ids, *sorted((tokens.keys() | waiting.keys() | objects.keys()) - {*ring.ids})]
    used = [
        KeyUse(name, name == ring.current_id, name in ring.ids, tokens[name], waiting[name], objects[name])
        for name in names
    ]
    return KeyStanding(used, rotations)


def drop_unused(warehouse: Warehouse) -> list[str]:
    """Drop old keys from the data folder, where nothing needs them any more; their names.

    Keys that ENCRYPTION_KEY names stay, and are told all the same. What begins to be encrypted while this counts takes
    the newest key; what began before is waited for, so that it is counted.

    Raises:
        BusyError: something is being encrypted with one of them, or keys are changed by another process.
        ConflictError: something is still encrypted with one of them.
    """
    settings = warehouse.settings
    with warehouse.database.lock(LOCK):
        old = load_key_ring(settings).ids[1:]
        for key_id in old:
            wait_for_sealing(settings, key_id)
        if old:
            _wait_for_writers(warehouse.database)
        unused = [key_id for key_id in _judged_unused(warehouse) if key_id in old]
        if not settings.encryption_key:
            drop_keys(settings, unused)
    return unused


def _judged_unused(warehouse: Warehouse) -> list[str]:
    standing = key_standing(warehouse)
    needed = [key.key_id for key in standing.keys if key.is_needed and not key.is_newest]
    if needed or any(rotation.finished_at is None for rotation in standing.rotations):
        raise ConflictError(
            f"Old keys are still needed{': ' + ', '.join(needed) if needed else ''}.",
            code="keys.still_needed",
            remedy="`kyalo keys rotate --now` encrypts with the newest key what is left.",
        )
    return standing.unused


def _wait_for_writers(database: Database) -> None:
    """Wait for the commits under way: a process that was killed has left its lock, but not yet its last words.

    Raises:
        BusyError: one of them does not end.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    left = _writers(database)
    while left:
        if time.monotonic() >= deadline:
            raise BusyError(
                "Rows are being landed, and old keys are dropped between landings only.",
                code="keys.in_use",
                remedy="Try again when it has ended: `kyalo status` tells what is being landed.",
            )
        time.sleep(LOOK_SECONDS)
        left &= _writers(database)


def _writers(database: Database) -> set[str]:
    with database.transaction() as connection:
        return {row["writer"] for row in fetch_rows(connection, statements["writers_of_tokens"])}


def _count_waiting(database: Database, ring: KeyRing) -> Counter[str]:
    counts: Counter[str] = Counter()
    with database.transaction() as connection, connection.cursor("waiting", binary=True) as cursor:
        cursor.itersize = WAITING_AT_A_TIME
        for (body,) in cursor.execute(statements["waiting_tokens"]):
            counts[_key_of(ring, body)] += 1
    return counts


def _key_of(ring: KeyRing, body: bytes) -> str:
    return (ring.sealed_by(body) or NOBODYS) if body.startswith(TOKEN) else IN_CLEAR


def _count_objects(warehouse: Warehouse) -> Counter[str]:
    counts: Counter[str] = Counter()
    for store in encrypted_stores(warehouse.store):
        for key in sealed_objects(store):
            try:
                counts[store.key_of(key) or IN_CLEAR] += 1
            except NotFoundError:
                continue  # it was archived meanwhile
    return counts
