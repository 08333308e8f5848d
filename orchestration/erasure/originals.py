"""Originals without the surveys that are to go: written anew, named by the ledger, and only then deleted."""

from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from psycopg.types.json import Jsonb

from orchestration.context import Warehouse
from orchestration.erasure.bodies import BUNDLE, rest_of_bundle
from orchestration.erasure.documents import Whose
from orchestration.erasure.files import Sent, may_hold, rest_of_file
from orchestration.erasure.rest import JSON_LINES, Rest
from warehouse.contract import IDENTIFIER, Contract, list_forms, load_contract
from warehouse.crypto.spool import PrivateFile
from warehouse.database import fetch_row, queries
from warehouse.stores import ORIGINALS, archived_key, checksum_of, open_original, pack, type_of
from warehouse.stores.protocol import ARCHIVED_ORIGINALS, PACKED

statements = queries("erasure")


def replace_original(warehouse: Warehouse, whose: Whose, key: str) -> bool:
    """Put an original without the surveys that are to go in the place of one with them; whether there were some.

    Raises:
        NotFoundError: there is no such original.
        StorageUnavailableError: the store is away; the old one, or both, are there.
    """
    with open_original(warehouse.store, key) as content, PrivateFile() as file:
        rest = rest_of_original(warehouse, whose, key, content, cast(BinaryIO, file))
        if not rest.gone:
            return False
        values: dict[str, Any] = {"key": key, "new_key": None, "sha256": "", "size_bytes": 0}
        if rest.kept:
            values |= _put(warehouse, key, rest, cast(BinaryIO, file))
        is_jsonl = rest.suffix is not None and rest.suffix.startswith(JSON_LINES)
        values |= {"is_bundle": _is_bundle(content), "options": Jsonb({"file_type": "jsonl"}) if is_jsonl else None}
    with warehouse.database.transaction() as connection:
        connection.execute(statements["replace_original"], values)
        connection.execute(queries("objects")["forget_copy"], {"key": key})
    if values["new_key"] != key:
        warehouse.store.delete(key)
    return True


def rest_of_original(warehouse: Warehouse, whose: Whose, key: str, content: BinaryIO, target: BinaryIO) -> Rest:
    """Write an original without the surveys that are to go."""
    sent = _sent(warehouse, key)
    if not is_by_household(sent.contract) or not may_hold(whose, content):
        return Rest()
    if _is_bundle(content):
        return rest_of_bundle(whose, sent.contract, content, target)
    return rest_of_file(whose, sent, content, target)


def contract_of(key: str) -> Contract:
    """The contract of the form whose folder an object lies in."""
    return load_contract(next((form for form in list_forms() if f"/{form}/" in key), "household_survey"))


def is_by_household(contract: Contract) -> bool:
    """Whether the submissions of a form are about a household."""
    return contract.identifier == IDENTIFIER


def household_forms() -> list[str]:
    """The forms whose submissions are about a household."""
    return [form for form in list_forms() if is_by_household(load_contract(form))]


def begun(file: BinaryIO) -> BinaryIO:
    """The file, to be read from its beginning."""
    file.seek(0)
    return file


def _is_bundle(content: BinaryIO) -> bool:
    return begun(content).read(len(BUNDLE)) == BUNDLE


def _sent(warehouse: Warehouse, key: str) -> Sent:
    """What the ledger knows of an original; of a copy, and of one that was set aside, its name does."""
    with warehouse.database.transaction() as connection:
        upload = fetch_row(connection, statements["upload_of_original"], {"key": key})
    most_bytes = warehouse.settings.max_file_bytes
    name = PurePosixPath(key).name.removesuffix(PACKED)
    if upload is None:
        return Sent(contract_of(key), name, most_bytes=most_bytes)
    return Sent(load_contract(upload["form"]), upload["filename"] or name, upload["options"], most_bytes)


def _put(warehouse: Warehouse, key: str, rest: Rest, content: BinaryIO) -> dict[str, Any]:
    """Keep what is left of an original, in the same folder and packed as it was; what the ledger is told of it."""
    sha256, size_bytes = checksum_of(begun(content))
    path = PurePosixPath(key.removesuffix(PACKED))
    new_key = str(path.with_name(sha256 + (rest.suffix or "".join(path.suffixes))))
    if key.startswith(ARCHIVED_ORIGINALS):
        new_key = archived_key(ORIGINALS + new_key.removeprefix(ARCHIVED_ORIGINALS))
    with PrivateFile() as packed:
        pack(new_key, begun(content), cast(BinaryIO, packed))
        warehouse.store.put(new_key, begun(cast(BinaryIO, packed)), type_of(new_key.removesuffix(PACKED)))
    return {"new_key": new_key, "sha256": sha256, "size_bytes": size_bytes}
