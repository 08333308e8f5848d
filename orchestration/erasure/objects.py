"""Objects of the store without the household: originals are written anew, what can be made again is deleted."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from orchestration.context import Warehouse
from orchestration.erasure.files import is_surely_named
from orchestration.erasure.household import Household
from orchestration.erasure.originals import (
    begun,
    contract_of,
    household_forms,
    is_by_household,
    replace_original,
    rest_of_original,
)
from orchestration.erasure.parquets import rows_of, values_of, write_others
from orchestration.exports import PREDICTIONS, PROCESSED
from orchestration.orphans import ASIDE
from warehouse.crypto.keys import load_key_ring
from warehouse.crypto.spool import PrivateFile
from warehouse.database import fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.stores import EXPORTED_ROWS, ORIGINALS, StoredObject, checksum_of, open_original, type_of
from warehouse.stores.protocol import ARCHIVED_ORIGINALS

statements = queries("erasure")
MODELS, ARCHIVE, ATTACHMENTS = "models/", "archive/", "/attachments/"
EXPORTS = (f"{PROCESSED}/", f"{PREDICTIONS}/")
KEPT_ONCE = (ORIGINALS, ARCHIVED_ORIGINALS, ASIDE)


def erase_objects(warehouse: Warehouse, household: Household) -> Iterator[str]:
    """Take the household out of every object that holds it; the keys of those that did.

    The object without it is written and the ledger refers to that one before the old one is deleted.

    Raises:
        StorageUnavailableError: the store is away; what was done is done.
    """
    for listed in _listed(warehouse):
        with suppress(NotFoundError):  # gone with one before it, or since the list was made
            if _erase(warehouse, household, listed.key):
                yield listed.key
    for key in list(_attachments(warehouse, household)):
        warehouse.store.delete(key)
        yield key


def search_objects(warehouse: Warehouse, household: Household) -> Iterator[str]:
    """The objects that hold the household, and, where its identifier can be nothing else, those that only name it."""
    for listed in _listed(warehouse):
        with suppress(NotFoundError):
            if _holds(warehouse, household, listed.key):
                yield listed.key
    yield from _attachments(warehouse, household)


def _holds(warehouse: Warehouse, household: Household, key: str) -> bool:
    with open_original(warehouse.store, key) as content:
        return _has_rows(warehouse, household, key, content) or is_surely_named(household, content)


def _listed(warehouse: Warehouse) -> list[StoredObject]:
    return [listed for listed in warehouse.store.list("") if ATTACHMENTS not in listed.key]


def _erase(warehouse: Warehouse, household: Household, key: str) -> bool:
    if key.startswith(KEPT_ONCE):
        return replace_original(warehouse, household, key)
    with open_original(warehouse.store, key) as content:
        is_there = _has_rows(warehouse, household, key, content)
        if not (is_there or (_is_copy(key) and is_surely_named(household, content))):
            return False
        if key.startswith(EXPORTED_ROWS):
            _replace_exported(warehouse, household, key, content)
        elif _is_parquet(key, (MODELS,)):
            _replace_training_rows(warehouse, household, key, content)
        else:
            _delete_copy(warehouse, key)
    return True


def _has_rows(warehouse: Warehouse, household: Household, key: str, content: BinaryIO) -> bool:
    """Whether an object holds a survey or a row of the household."""
    if _is_parquet(key, (*EXPORTS, MODELS)) or (key.startswith(EXPORTED_ROWS) and is_by_household(contract_of(key))):
        return any(rows_of(household, load_key_ring(warehouse.settings), content))
    if not key.startswith((*KEPT_ONCE, ARCHIVE)) or key.startswith(EXPORTED_ROWS):
        return False
    with PrivateFile() as rest:
        return rest_of_original(warehouse, household, key, content, cast(BinaryIO, rest)).gone > 0


def _is_copy(key: str) -> bool:
    """Whether what an object holds is kept elsewhere, or can be made again."""
    return _is_parquet(key, EXPORTS) or (key.startswith(ARCHIVE) and not key.startswith((*KEPT_ONCE, EXPORTED_ROWS)))


def _is_parquet(key: str, folders: tuple[str, ...]) -> bool:
    return key.startswith(folders) and key.endswith(".parquet")


def _replace_exported(warehouse: Warehouse, household: Household, key: str, content: BinaryIO) -> None:
    """Write a month of exported rows anew without the household's."""
    is_its = rows_of(household, load_key_ring(warehouse.settings), content)
    gone = values_of(content, is_its, "ingestion_id")
    file = io.BytesIO()
    write_others(content, is_its, file)
    sha256, _ = checksum_of(begun(file))
    new_key = str(PurePosixPath(key).with_name(f"{sha256}.parquet"))
    warehouse.store.put(new_key, file, type_of(new_key))
    values = {"key": key, "new_key": new_key, "ingestion_ids": gone}
    with warehouse.database.transaction() as connection:
        connection.execute(statements["forget_emptied"], values)
        connection.execute(statements["replace_exported"], values)
        connection.execute(statements["note_erased"], values)
    warehouse.store.delete(key)


def _replace_training_rows(warehouse: Warehouse, household: Household, key: str, content: BinaryIO) -> None:
    """Write the rows that a model was trained on anew without the household's: the model stays, a replay is refused."""
    file = io.BytesIO()
    write_others(content, rows_of(household, load_key_ring(warehouse.settings), content), file)
    warehouse.store.put(key, begun(file), type_of(key))


def _delete_copy(warehouse: Warehouse, key: str) -> None:
    """Delete what is kept elsewhere: files of the inbox that were received, exports that a run makes anew."""
    if key.startswith(EXPORTS):
        warehouse.store.delete(f"{key.split('/', 1)[0]}/manifest.json")
    warehouse.store.delete(key)


def _attachments(warehouse: Warehouse, household: Household) -> Iterator[str]:
    with warehouse.database.transaction() as connection:
        values = {"forms": household_forms(), "keys": list(household.keys)}
        yield from [row["object_key"] for row in fetch_rows(connection, statements["attachments_of"], values)]
