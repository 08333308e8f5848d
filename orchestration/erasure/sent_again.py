"""What was forgotten and is sent again, in a file of all surveys say: known, not stored, and in no original either."""

from contextlib import suppress

from orchestration.context import Warehouse
from orchestration.erasure.bodies import body_without
from orchestration.erasure.originals import replace_original
from orchestration.erasure.resent_rows import ResentRows
from orchestration.erasure.rows import replace_body
from orchestration.keys.rotation import LOCK as KEYS_LOCK
from orchestration.lifecycle.archiving import LOCK as ARCHIVE_LOCK
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError, Transient

statements = queries("erasure")


def erase_sent_again(warehouse: Warehouse) -> int:
    """Take rows that were erased before out of what they arrived in again; of how many uploads.

    Raises:
        BusyError: objects are archived, or keys are changed: the next one does it.
        StorageUnavailableError: the store is away.
    """
    uploads = _uploads(warehouse)
    if uploads:
        with warehouse.database.lock(ARCHIVE_LOCK), warehouse.database.lock(KEYS_LOCK):
            for upload in uploads:
                _erase(warehouse, upload)
    return len(uploads)


def try_erasing_sent_again(warehouse: Warehouse) -> None:
    """The same where it is beside the point of a command: what cannot be done now is done by the worker or a run."""
    with suppress(Transient):
        erase_sent_again(warehouse)


def _uploads(warehouse: Warehouse) -> list[ResentRows]:
    with warehouse.database.transaction() as connection:
        rows = fetch_rows(connection, statements["resent_rows"])
    return [ResentRows(row["ingestion_id"], frozenset(row["row_numbers"])) for row in rows]


def _erase(warehouse: Warehouse, rows: ResentRows) -> None:
    """Take the rows out of the body, if it waits; then of the original, which may be that body in a bundle by now."""
    upload = {"ingestion_id": rows.ingestion_id}
    with warehouse.database.transaction() as connection:
        for waiting in fetch_rows(connection, statements["waiting_body"], upload):
            keys = load_key_ring(warehouse.settings)
            body = keys.open_waiting(waiting["body"]).decode()
            kept = body_without(rows, load_contract(waiting["form"]), body, waiting["content_type"])
            replace_body(connection, keys, rows.ingestion_id, kept)
    with warehouse.database.transaction() as connection:
        original = fetch_row(connection, statements["original_of_upload"], upload)
    if original and original["object_key"]:
        with suppress(NotFoundError):  # lost, which `kyalo storage verify` tells
            replace_original(warehouse, rows, original["object_key"])
    with warehouse.database.transaction() as connection:
        connection.execute(statements["forget_resent"], upload)
