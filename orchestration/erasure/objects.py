"""Objects of the store without the household: originals are written anew, what can be made again is deleted."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa
from pyarrow import parquet

from ingest_api.landing import conflict_content
from ingest_api.readers import open_survey_files
from ingest_api.records import Submission
from orchestration.context import Warehouse
from orchestration.erasure.traces import Household
from orchestration.exports import PREDICTIONS, PROCESSED
from orchestration.orphans import ASIDE
from warehouse.contract import list_forms, load_contract
from warehouse.crypto.spool import PrivateFile
from warehouse.database import fetch_row, queries
from warehouse.errors import UnreadableFileError
from warehouse.stores import EXPORTED_ROWS, ORIGINALS, open_original, pack, type_of
from warehouse.stores.protocol import ARCHIVED_ORIGINALS, PACKED

statements = queries("erasure")
JSON_LINES = "application/jsonl"
MODELS = "models/"
BUNDLE = b'{"ingestion_id":'


def erase_objects(warehouse: Warehouse, household: Household) -> Iterator[str]:
    """Take the household out of every object that holds it; the keys of those that did.

    The object without it is written and the ledger refers to that one before the old one is deleted.

    Raises:
        StorageUnavailableError: the store is away; what was done is done.
    """
    for listed in list(warehouse.store.list("")):
        key = listed.key
        if key.startswith((ORIGINALS, ARCHIVED_ORIGINALS, ASIDE)) and "/attachments/" not in key:
            erased = _erase_original(warehouse, household, key)
        elif key.startswith(EXPORTED_ROWS):
            erased = _erase_exported(warehouse, household, key)
        elif key.startswith(MODELS) and key.endswith(".parquet"):
            erased = _erase_training_rows(warehouse, household, key)
        else:
            erased = _erase_copy(warehouse, household, key)
        if erased:
            yield key
    for key in list(_attachments(warehouse, household)):
        warehouse.store.delete(key)
        yield key


def _erase_original(warehouse: Warehouse, household: Household, key: str) -> bool:
    with open_original(warehouse.store, key) as content:
        raw = content.read()
    entry = _entry(warehouse, key)
    lines = _lines_of_bundle(household, raw)
    is_bundle = lines is not None
    if lines is None:
        lines = _lines_of_surveys(household, entry, key, raw)
    if lines is None:
        return False
    text = b"".join(lines)
    new_key, sha256 = None, ""
    if text:
        sha256 = hashlib.sha256(text).hexdigest()
        packed = PACKED if key.startswith(ARCHIVED_ORIGINALS) else ""
        new_key = str(PurePosixPath(key).with_name(f"{sha256}.jsonl{packed}"))
        with PrivateFile() as file:
            pack(new_key, io.BytesIO(text), cast(BinaryIO, file))
            file.seek(0)
            warehouse.store.put(new_key, cast(BinaryIO, file), JSON_LINES)
    values = {
        "key": key,
        "new_key": new_key,
        "sha256": sha256,
        "size_bytes": len(text),
        "is_bundle": is_bundle,
    }
    with warehouse.database.transaction() as connection:
        connection.execute(statements["replace_original"], values)
        connection.execute(queries("objects")["forget_copy"], {"key": key})
    if new_key != key:
        warehouse.store.delete(key)
    return True


def without_household(household: Household, body: bytes) -> bytes | None:
    """What stays of a body that was sent: of a batch the surveys of others, of a single survey nothing (None)."""
    if not household.is_named_in(body):
        return body
    for part in (_surveys_of_array, _surveys_of_lines):
        surveys = part(body)
        if surveys is not None:
            kept = [survey for survey in surveys if not household.is_named_in(survey)]
            return _joined(kept, is_array=part is _surveys_of_array) if kept else None
    return None


def _surveys_of_array(body: bytes) -> list[bytes] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return [orjson.dumps(survey) for survey in found] if isinstance(found, list) else None


def _surveys_of_lines(body: bytes) -> list[bytes] | None:
    lines = [line for line in body.splitlines() if line.strip()]
    return lines if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines) else None


def _joined(surveys: list[bytes], *, is_array: bool) -> bytes:
    return b"[" + b",".join(surveys) + b"]" if is_array else b"\n".join(surveys) + b"\n"


def _lines_of_bundle(household: Household, raw: bytes) -> list[bytes] | None:
    """The lines of a bundle of bodies without what is the household's; None where it is none, or nothing is."""
    if not raw.startswith(BUNDLE) or not household.is_named_in(raw):
        return None
    lines = []
    for line in raw.splitlines(keepends=True):
        bundled = orjson.loads(line)
        body = bundled["body"].encode()
        kept = without_household(household, body)
        if kept == body:
            lines.append(line)
        elif kept is not None:
            bundled["body"] = kept.decode()
            lines.append(orjson.dumps(bundled, option=orjson.OPT_APPEND_NEWLINE))
    return lines


def _lines_of_surveys(household: Household, entry: dict[str, Any] | None, key: str, raw: bytes) -> list[bytes] | None:
    """The surveys of a file that are not the household's, as JSON lines; None where none is its.

    A file that cannot be read, and names it, is kept in no part.
    """
    if raw.startswith(BUNDLE):
        return None
    form = entry["form"] if entry else _form_of(key)
    contract = load_contract(form)
    lines, gone = [], 0
    options = entry["options"] if entry else {}
    try:
        with open_survey_files(
            io.BytesIO(raw), contract, filename=(entry and entry["filename"]) or PurePosixPath(key).name, **options
        ) as tables:
            for table in tables:
                for item in table.submissions():
                    is_survey = isinstance(item, Submission)
                    text = conflict_content(item, table.names) if isinstance(item, Submission) else item.content
                    answers = orjson.loads(text) if is_survey else {}
                    if household.is_it(answers.get(contract.identifier)) or household.is_named_in(text.encode()):
                        gone += 1
                    elif is_survey:
                        lines.append(orjson.dumps(answers, option=orjson.OPT_APPEND_NEWLINE))
    except UnreadableFileError:
        return [] if household.is_named_in(raw) else None
    return lines if gone else None


def _form_of(key: str) -> str:
    return next((form for form in list_forms() if f"/{form}/" in key), "household_survey")


def _entry(warehouse: Warehouse, key: str) -> dict[str, Any] | None:
    with warehouse.database.transaction() as connection:
        return fetch_row(connection, statements["upload_of_original"], {"key": key})


def _erase_exported(warehouse: Warehouse, household: Household, key: str) -> bool:
    """Write a month of exported rows anew without the household's."""
    form = _form_of(f"/{key}")
    identifier = load_contract(form).identifier
    with warehouse.store.get(key) as content:
        table = parquet.read_table(pa.BufferReader(content.read()))
    is_its = [household.is_it(value) for value in table.column(identifier).to_pylist()]
    if not any(is_its):
        return False
    gone = table.filter(pa.array(is_its)).column("ingestion_id").to_pylist()
    file = io.BytesIO()
    parquet.write_table(table.filter(pa.array([not each for each in is_its])), file)
    sha256 = hashlib.sha256(file.getvalue()).hexdigest()
    new_key = str(PurePosixPath(key).with_name(f"{sha256}.parquet"))
    file.seek(0)
    warehouse.store.put(new_key, file, type_of(new_key))
    values = {"key": key, "new_key": new_key, "ingestion_ids": gone}
    with warehouse.database.transaction() as connection:
        connection.execute(statements["forget_emptied"], values)
        connection.execute(statements["replace_exported"], values)
        connection.execute(statements["note_erased"], values)
    warehouse.store.delete(key)
    return True


def _erase_training_rows(warehouse: Warehouse, household: Household, key: str) -> bool:
    """Write the rows that a model was trained on anew without the household's: the model stays, a replay is refused."""
    with warehouse.store.get(key) as content:
        table = parquet.read_table(pa.BufferReader(content.read()))
    is_other = [not household.is_named_in(repr(row).encode()) for row in table.to_pylist()]
    if all(is_other):
        return False
    file = io.BytesIO()
    parquet.write_table(table.filter(pa.array(is_other)), file)
    file.seek(0)
    warehouse.store.put(key, file, type_of(key))
    return True


def _erase_copy(warehouse: Warehouse, household: Household, key: str) -> bool:
    """Delete what names the household and is kept elsewhere too: files of the inbox, exports that a run makes anew."""
    is_export = key.startswith((f"{PROCESSED}/", f"{PREDICTIONS}/")) and key.endswith(".parquet")
    if not is_export and not key.startswith("archive/"):
        return False
    with open_original(warehouse.store, key) as content:
        raw = content.read()
    if is_export:
        is_named = household.is_named_in(repr(parquet.read_table(pa.BufferReader(raw)).to_pylist()).encode())
    else:
        is_named = _lines_of_surveys(household, None, key, raw) is not None or household.is_named_in(raw)
    if not is_named:
        return False
    if is_export:
        warehouse.store.delete(f"{key.split('/', 1)[0]}/manifest.json")
    warehouse.store.delete(key)
    return True


def _attachments(warehouse: Warehouse, household: Household) -> Iterator[str]:
    with warehouse.database.transaction() as connection:
        for row in connection.execute(statements["attachments_of"], {"keys": list(household.keys)}).fetchall():
            yield row[0]
