"""What is encrypted with which key, and how rotations went."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from orchestration.context import Warehouse
from orchestration.keys.rotation import encrypted_stores, sealed_objects
from warehouse.crypto.keys import drop_old_keys, load_key_ring
from warehouse.database import fetch_rows, queries
from warehouse.errors import ConflictError, NotFoundError

IN_CLEAR = "none"


@dataclass(frozen=True)
class KeyUse:
    """One key and what is encrypted with it.

    Attributes:
        key_id: its name; `none` are objects that were written before anything was encrypted.
        is_known: whether Kyalo has it.
    """

    key_id: str
    is_newest: bool
    is_known: bool
    tokens: int
    objects: int


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
        return [key.key_id for key in self.keys if key.is_known and not (key.is_newest or key.tokens or key.objects)]

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
        rows = fetch_rows(connection, queries("keys")["count_tokens"])
        rotations = [Rotation(**row) for row in fetch_rows(connection, queries("keys")["newest_rotations"])]
    tokens = {row["key_id"]: row["tokens"] for row in rows}
    objects = _count_objects(warehouse)
    names = [*ring.ids, *sorted((tokens.keys() | objects.keys()) - {*ring.ids})]
    used = [
        KeyUse(name, name == ring.current_id, name in ring.ids, tokens.get(name, 0), objects[name]) for name in names
    ]
    return KeyStanding(used, rotations)


def drop_unused(warehouse: Warehouse) -> list[str]:
    """Drop old keys from the data folder, where nothing needs them any more; their names.

    Raises:
        ConflictError: something is still encrypted with one of them.
    """
    standing = key_standing(warehouse)
    needed = [key.key_id for key in standing.keys if not key.is_newest and (key.tokens or key.objects)]
    if needed or any(rotation.finished_at is None for rotation in standing.rotations):
        raise ConflictError(
            f"Old keys are still needed{': ' + ', '.join(needed) if needed else ''}.",
            code="keys.still_needed",
            remedy="`kyalo keys rotate --now` encrypts with the newest key what is left.",
        )
    drop_old_keys(warehouse.settings)
    return standing.unused


def _count_objects(warehouse: Warehouse) -> Counter[str]:
    counts: Counter[str] = Counter()
    for store in encrypted_stores(warehouse.store):
        for key in sealed_objects(store):
            try:
                counts[store.key_of(key) or IN_CLEAR] += 1
            except NotFoundError:
                continue  # it was archived meanwhile
    return counts
