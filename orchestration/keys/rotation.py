"""Encrypt everything anew with the newest key, in small steps that a kill can come between.

What is left to do is told by what is there: a token bears the name of its key, so does the head of an object. While it
goes on, old keys and the newest open what they have sealed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest_api.personal import seal_text
from orchestration.context import Warehouse
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.stores import EncryptedStore, ObjectStore, single_stores, type_of
from warehouse.stores.encrypted import SEALED, is_sealed

TOKENS_AT_A_TIME = 1_000
BODIES_AT_A_TIME = 100
LOCK = "kyalo.keys"
Watch = Callable[[int], None]
statements = queries("keys")


@dataclass(frozen=True)
class Renewed:
    """How much was encrypted anew."""

    tokens: int
    objects: int


def begin_rotation(warehouse: Warehouse, requested_by: str) -> str:
    """Note that everything is to be encrypted with the newest key; the worker does it. The name of the key."""
    key_id = load_key_ring(warehouse.settings).current_id
    with warehouse.database.transaction() as connection:
        connection.execute(statements["begin_rotation"], {"key_id": key_id, "requested_by": requested_by})
    return key_id


def continue_rotation(warehouse: Warehouse, on_progress: Watch = lambda _done: None) -> Renewed | None:
    """Do what is left of a rotation; None where none is open.

    Raises:
        BusyError: another process is at it.
        IntegrityError: something cannot be opened with the keys that are known.
        StorageUnavailableError: a store is away.
    """
    with warehouse.database.lock(LOCK):
        with warehouse.database.transaction() as connection:
            rotation = fetch_row(connection, statements["open_rotation"])
        if rotation is None:
            return None
        keys = load_key_ring(warehouse.settings)
        if rotation["key_id"] != keys.current_id:
            begin_rotation(warehouse, "")  # a newer key came meanwhile
            rotation |= {"key_id": keys.current_id, "last_object": ""}
        tokens = sum(_counted(_seal_rejected(warehouse.database, keys), on_progress))
        tokens += sum(_counted(_renew_tokens(warehouse.database, keys, rotation), on_progress))
        _renew_waiting(warehouse.database, keys)
        objects = sum(_counted(_renew_objects(warehouse, keys, rotation), on_progress))
        with warehouse.database.transaction() as connection:
            connection.execute(statements["finish_rotation"], rotation)
    return Renewed(tokens, objects)


def encrypted_stores(store: ObjectStore) -> list[EncryptedStore]:
    """The stores that encrypt: one, or two where copies are kept."""
    return [each for each in single_stores(store) if isinstance(each, EncryptedStore)]


def sealed_objects(store: EncryptedStore, after: str = "") -> Iterator[str]:
    """The keys of the objects that are to be encrypted, in order."""
    for prefix in sorted(SEALED):
        for found in store.list(prefix):
            if found.key > after and is_sealed(found.key):
                yield found.key


def _counted(steps: Iterator[int], on_progress: Watch) -> Iterator[int]:
    for done in steps:
        on_progress(done)
        yield done


def _renew_tokens(database: Database, keys: KeyRing, rotation: dict[str, Any]) -> Iterator[int]:
    place: dict[str, Any] = {"ingestion_id": "", "row_number": 0}
    while True:
        with database.transaction() as connection:
            values = {**place, "key_id": keys.current_id, "limit": TOKENS_AT_A_TIME}
            rows = fetch_rows(connection, statements["old_tokens"], values)
            if not rows:
                return
            renewed = {
                "key_id": keys.current_id,
                "ingestion_ids": [row["ingestion_id"] for row in rows],
                "row_numbers": [row["row_number"] for row in rows],
                "tokens": [keys.renew(row["token"]).decode() for row in rows],
            }
            connection.execute(statements["renew_tokens"], renewed)
            connection.execute(statements["note_tokens"], {**rotation, "tokens": len(rows)})
        place = rows[-1]
        yield len(rows)


def _seal_rejected(database: Database, keys: KeyRing) -> Iterator[int]:
    """Texts of rejected rows from before they were encrypted."""
    while True:
        with database.transaction() as connection:
            rows = fetch_rows(connection, statements["clear_rejected"], {"limit": TOKENS_AT_A_TIME})
            if not rows:
                return
            sealed = {
                "key_id": keys.current_id,
                "ingestion_ids": [row["ingestion_id"] for row in rows],
                "row_numbers": [row["row_number"] for row in rows],
                "tokens": [seal_text(keys, row["content"]) for row in rows],
            }
            connection.execute(statements["seal_rejected"], sealed)
            connection.execute(statements["clear_sealed_rejected"], sealed)
        yield len(rows)


def _renew_waiting(database: Database, keys: KeyRing) -> None:
    """Bodies and pieces of attachments that wait for their way to the store, which does not take long."""
    after = ""
    while True:
        with database.transaction() as connection:
            rows = fetch_rows(connection, statements["bodies_after"], {"after": after, "limit": BODIES_AT_A_TIME})
            for row in rows:
                connection.execute(
                    statements["renew_body"], {**row, "body": keys.seal(keys.open_waiting(row["body"])).decode()}
                )
        if not rows:
            break
        after = rows[-1]["ingestion_id"]
    place: dict[str, Any] | None = {"attachment_id": 0, "number": -1}
    while place:
        with database.transaction() as connection:
            place = fetch_row(connection, statements["pieces_after"], place)
            if place:
                connection.execute(
                    statements["renew_piece"], {**place, "body": keys.seal(keys.open_waiting(place["body"]))}
                )


def _renew_objects(warehouse: Warehouse, keys: KeyRing, rotation: dict[str, Any]) -> Iterator[int]:
    for key in sealed_objects(encrypted_stores(warehouse.store)[0], rotation["last_object"]):
        renewed = sum(_renew_object(store, keys, key) for store in encrypted_stores(warehouse.store))
        with warehouse.database.transaction() as connection:
            connection.execute(
                statements["note_objects"], {**rotation, "last_object": key, "objects": int(renewed > 0)}
            )
        yield int(renewed > 0)


def _renew_object(store: EncryptedStore, keys: KeyRing, key: str) -> bool:
    """Write an object anew where another key seals it, or none."""
    try:
        if store.key_of(key) == keys.current_id:
            return False
        held = store.inner.head(key)
        with store.get(key) as content:
            store.put(key, content, (held and held.content_type) or type_of(key))
    except NotFoundError:
        return False  # it was archived meanwhile, or has no copy yet
    return True
