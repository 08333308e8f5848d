"""The inbox: files that partners drop into the object store are received once, archived, and given a receipt.

    inbox/<form>/<name>        a file of that form's surveys
    inbox/<name>               a file of household surveys
    archive/<date>/...         where it is afterwards, with `<name>.receipt.json` beside it

What is collected is told apart by name, content and time, and stands under that in the ledger: whatever step a
collector dies at, the next one goes on from there. A file is taken out of the inbox last.
"""

import hashlib
import io
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import orjson

from ingest_api.receiving import receive_file
from ingest_api.senders import Sender
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import BusyError, NotFoundError, Terminal
from warehouse.logs import get_logger
from warehouse.stores import ObjectStore, StoredObject, checksum_of, type_of

logger = get_logger(__name__)
INBOX, ARCHIVE = "inbox/", "archive/"
CLIENT = "inbox"
DEFAULT_FORM = "household_survey"
QUIET = timedelta(seconds=10)  # a file that was written to so lately may not be whole
NAME_BYTES = 180
BALANCE = ("received_rows", "stored_rows", "duplicate_rows", "rejected_rows", "conflict_rows")


@dataclass(frozen=True)
class Collected:
    """A file of the inbox, and what became of it: its receipt.

    Attributes:
        delivery: what tells it from every other file, and from the same file dropped again.
        status: received, loaded, refused or failed.
        ingestion_id: its entry in the ledger; None where it was refused before it had one.
        code: the code of the error, when it was refused or failed; `detail` says more.
        status_path: where the API tells more.
    """

    delivery: str
    filename: str
    form: str
    size_bytes: int
    sha256: str
    collected_at: datetime
    status: str
    ingestion_id: str | None = None
    code: str | None = None
    detail: str | None = None
    status_path: str | None = None


def collect_inbox(database: Database, store: ObjectStore, *, quiet: timedelta = QUIET) -> list[Collected]:
    """Receive what lies in the inbox, and complete the receipts of what was landed since.

    A file that is refused is archived as well, with the reason on its receipt. A file that cannot be dealt with for
    another reason stays where it is, and does not keep those behind it from being received.

    Args:
        database: the warehouse.
        store: the object store with the inbox.
        quiet: how long a file must not have been written to.

    Raises:
        Exception: what the first file met that could not be dealt with; the others were.
    """
    try:
        with database.lock("kyalo inbox"):
            _complete_receipts(database, store)
            return _collect_all(database, store, datetime.now(UTC) - quiet)
    except BusyError:
        return []  # another process is collecting


def _collect_all(database: Database, store: ObjectStore, before: datetime) -> list[Collected]:
    collected: list[Collected] = []
    troubles: list[Exception] = []
    for dropped in list(store.list(INBOX)):
        if dropped.modified_at and dropped.modified_at > before:
            continue
        try:
            found = _collect(database, store, dropped)
        except Exception as error:  # noqa: BLE001 - whatever it is, the files behind this one must not wait for it
            logger.warning("a file stays in the inbox", key=dropped.key, problem=str(error))
            troubles.append(error)
        else:
            collected += [found] if found else []
    if troubles:
        raise troubles[0]
    return collected


def _collect(database: Database, store: ObjectStore, dropped: StoredObject) -> Collected | None:
    """Receive, archive and remove one file; None when its sender has taken it back."""
    try:
        file = store.get(dropped.key)
    except NotFoundError:
        return None
    with file:
        draft = _describe(file, dropped)
        collected = _earlier(database, draft) or _receive(database, store, file, draft)
        _archive(database, store, dropped, file, collected)
    if _is_unchanged(store, dropped):
        store.delete(dropped.key)
    return collected


def _describe(file: BinaryIO, dropped: StoredObject) -> Collected:
    sha256, size = checksum_of(file)
    told = f"{dropped.key}\n{sha256}\n{dropped.modified_at}"
    return Collected(
        delivery=hashlib.sha256(told.encode()).hexdigest()[:32],
        filename=PurePosixPath(dropped.key).name,
        form=_form_of(dropped.key),
        size_bytes=size,
        sha256=sha256,
        collected_at=datetime.now(UTC),
        status="received",
    )


def _form_of(key: str) -> str:
    folders = key.removeprefix(INBOX).split("/")[:-1]
    return folders[0] if folders else DEFAULT_FORM


def _earlier(database: Database, draft: Collected) -> Collected | None:
    """What a collector that died had made of the same delivery, None when it had not come so far."""
    values = {"client": CLIENT, "delivery": draft.delivery}
    with database.transaction() as connection:
        entry = fetch_row(connection, queries("objects")["find_delivery"], values)
    if entry is None:
        return None
    draft = replace(draft, status=entry["status"], code=entry["error_code"], detail=entry["error_message"])
    return _with_entry(draft, entry["ingestion_id"], entry["received_at"])


def _receive(database: Database, store: ObjectStore, file: BinaryIO, draft: Collected) -> Collected:
    sender = Sender(client=CLIENT, idempotency_key=draft.delivery)
    try:
        receipt = receive_file(
            database, store, file, form=draft.form, filename=draft.filename, source="inbox", sender=sender
        )
    except Terminal as error:
        entered = _earlier(database, draft)  # most refusals stand in the ledger
        return entered or replace(draft, status="refused", code=error.error_code, detail=str(error))
    return _with_entry(draft, receipt.ingestion_id, receipt.received_at)


def _with_entry(draft: Collected, ingestion_id: str, received_at: datetime) -> Collected:
    path = f"/api/v1/status/{ingestion_id}"
    return replace(draft, ingestion_id=ingestion_id, collected_at=received_at, status_path=path)


def _archive(
    database: Database, store: ObjectStore, dropped: StoredObject, file: BinaryIO, collected: Collected
) -> None:
    """Copy a file to the archive; its receipt goes first and takes the name, so that no other file can."""
    key = _archive_key(store, dropped.key, collected)
    receipt_key = f"{key}.receipt.json"
    _write_receipt(store, receipt_key, asdict(collected))
    if collected.ingestion_id:
        values = {"ingestion_id": collected.ingestion_id, "receipt_key": receipt_key}
        with database.transaction() as connection:
            connection.execute(queries("objects")["open_receipt"], values)
    file.seek(0)
    store.put(key, file, dropped.content_type or type_of(key))


def _archive_key(store: ObjectStore, key: str, collected: Collected) -> str:
    """Where a file goes in the archive: under its own name, or a longer one where another file has that."""
    folders = [_cut(folder) for folder in key.removeprefix(INBOX).split("/")[:-1][:1]]
    place = PurePosixPath(ARCHIVE, f"{collected.collected_at:%Y-%m-%d}", *folders, _cut(collected.filename))
    if _receipt_owner(store, f"{place}.receipt.json") in (None, collected.delivery):
        return str(place)
    return str(place.with_name(f"{place.stem}.{collected.delivery}{place.suffix}"))


def _cut(name: str) -> str:
    """A name that leaves a file system room for what is put behind it."""
    return name.encode()[-NAME_BYTES:].decode("utf-8", "ignore").lstrip(".")


def _receipt_owner(store: ObjectStore, receipt_key: str) -> str | None:
    try:
        with store.get(receipt_key) as receipt:
            return str(orjson.loads(receipt.read()).get("delivery"))
    except NotFoundError:
        return None


def _is_unchanged(store: ObjectStore, dropped: StoredObject) -> bool:
    """Whether the inbox still holds what was collected, and not something newer of that name."""
    return any(found == dropped and found.modified_at == dropped.modified_at for found in store.list(dropped.key))


def _complete_receipts(database: Database, store: ObjectStore) -> None:
    """Write what became of the rows on the receipts of files that were landed or failed since."""
    with database.transaction() as connection:
        entries = fetch_rows(connection, queries("objects")["landed_receipts"])
    for entry in entries:
        try:
            with store.get(entry["receipt_key"]) as file:
                receipt = orjson.loads(file.read())
        except NotFoundError:
            receipt = None  # somebody has tidied the archive up
        if receipt is not None:
            _write_receipt(store, entry["receipt_key"], receipt | _result(entry))
        with database.transaction() as connection:
            connection.execute(queries("objects")["close_receipt"], {"ingestion_id": entry["ingestion_id"]})


def _result(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": entry["status"],
        "code": entry["error_code"],
        "detail": entry["error_message"],
        **{name: entry[name] for name in BALANCE},
        "notices": entry["notices"],
        "unknown_fields": entry["unknown_fields"],
        "loaded_at": entry["loaded_at"],
    }


def _write_receipt(store: ObjectStore, key: str, receipt: dict[str, Any]) -> None:
    content = orjson.dumps(receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    store.put(key, io.BytesIO(content), "application/json")
