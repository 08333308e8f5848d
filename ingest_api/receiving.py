"""Receiving: make an upload safe (object, ledger, commit) before anybody is told that it arrived."""

import csv
import hashlib
import io
import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingest_api.csv_reader import open_csv
from ingest_api.landing import Arrival, Balance, land
from ingest_api.records import REPLACEMENT, Layout, Record, Rejection
from warehouse.contract import IDENTIFIER, Contract, load_contract
from warehouse.database import Database, queries
from warehouse.errors import (
    DatabaseUnavailableError,
    IntegrityError,
    KyaloError,
    RefusedSurveyError,
    Terminal,
    UnreadableFileError,
)
from warehouse.storage import ObjectStore

CHUNK_BYTES = 1024**2
LANDING_PAUSES = (0.2, 1.0)  # seconds before the second and the third try
CSV_TYPE = "text/csv"
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Receipt:
    """What the sender is told.

    Attributes:
        duplicate_of: the earlier ingestion of the same bytes, None when they are new.
        balance: what became of its rows, None where they are landed later.
    """

    ingestion_id: str
    duplicate_of: str | None
    filename: str | None
    size_bytes: int
    estimated_rows: int
    received_at: datetime
    balance: Balance | None = None


def receive_file(
    database: Database, store: ObjectStore, file: BinaryIO, *, form: str, filename: str, source: str
) -> Receipt:
    """Keep a CSV file: its bytes in the object store, a pending entry in the ledger; its rows are landed later.

    Raises:
        UnreadableFileError: no row of it can be read. The refusal stands in the ledger.
    """
    contract = load_contract(form)
    facts = {
        "form": form,
        "form_version": contract.version,
        "source": source,
        "filename": filename.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode(),
        "content_type": CSV_TYPE,
        "size_bytes": file.seek(0, io.SEEK_END),
        "sha256": _digest(file),
    }
    try:
        estimated = open_csv(file, contract).estimated_rows
    except UnreadableFileError as error:
        _record(database, facts, status="refused", error=error)
        raise
    key = f"raw/{form}/{datetime.now(UTC):%Y-%m-%d}/{facts['sha256']}.csv"
    file.seek(0)
    store.put(key, file, CSV_TYPE)
    return _record(database, facts, status="received", object_key=key, estimated_rows=estimated)


def land_next(database: Database, store: ObjectStore, ingestion_id: str | None = None) -> str | None:
    """Land one pending file (the oldest, or the one named) and return its identifier, None when none waits.

    The file's rows, its balance and its state are one transaction. Several processes may do this side by side:
    two that wait for each other's rows are told so by PostgreSQL, and the one that loses begins again.
    """
    for pause in LANDING_PAUSES:
        try:
            return _land_one(database, store, ingestion_id)
        except DatabaseUnavailableError:
            time.sleep(pause)
    return _land_one(database, store, ingestion_id)


def _land_one(database: Database, store: ObjectStore, ingestion_id: str | None) -> str | None:
    with database.transaction() as connection:
        pending = _fetch(connection, "claim_pending", ingestion_id=ingestion_id)
        if pending is None:
            return None
        try:
            with connection.transaction():
                _land_file(connection, store, pending)
        except (Terminal, psycopg.DataError, csv.Error, UnicodeError) as error:
            # Whatever is wrong with this file, the ones behind it must not wait for it.
            told = error if isinstance(error, Terminal) else UnreadableFileError(f"The file cannot be read: {error}.")
            _execute(connection, "fail_ingestion", ingestion_id=pending["ingestion_id"], **_error_facts(told))
    return str(pending["ingestion_id"])


def receive_survey(
    database: Database, *, form: str, household_id: str, answers: dict[str, Any], key: str | None = None
) -> Receipt:
    """Store one survey, durably when this returns.

    Args:
        database: where to.
        form: its form.
        household_id: the household it is about.
        answers: name of the field (canonical, or any header that the contract knows) to value.
        key: the client's identity of this submission, if it has one.

    Raises:
        RefusedSurveyError: it cannot be kept, and nothing of it was.
    """
    contract = load_contract(form)
    body = survey_body(household_id, answers)
    layout, record = _flatten(contract, household_id, answers, key)
    content = _encode(body)
    checked = layout.submission(record)
    if isinstance(checked, Rejection):
        raise RefusedSurveyError(checked.message, code=checked.code.replace("row.", "survey."))
    facts = {
        "form": form,
        "form_version": contract.version,
        "source": "api",
        "filename": None,
        "content_type": JSON_TYPE,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with database.transaction() as connection:
        receipt = _insert(connection, facts, status="received", estimated_rows=1)
        started = time.perf_counter()
        _execute(connection, "insert_body", ingestion_id=receipt.ingestion_id, body=body)
        arrival = Arrival(receipt.ingestion_id, contract, "api", receipt.received_at)
        balance = land(connection, arrival, layout, [record])
        _finish(connection, arrival, balance, started, [])
    return replace(receipt, balance=balance)


def survey_body(household_id: str, answers: dict[str, Any]) -> str:
    """One survey as its original is kept."""
    return json.dumps({IDENTIFIER: household_id, "survey_data": answers}, ensure_ascii=False)


def bundle_bodies(database: Database, store: ObjectStore, form: str) -> int:
    """Move waiting bodies of single surveys into one object of the store; how many were moved."""
    with database.transaction() as connection:
        statement = queries("ingestion")["next_bodies"]
        waiting = connection.cursor(row_factory=dict_row).execute(statement, {"form": form}).fetchall()
        if not waiting:
            return 0
        lines = "".join(
            json.dumps({"ingestion_id": row["ingestion_id"], "body": json.loads(row["body"])}, ensure_ascii=False)
            + "\n"
            for row in waiting
        ).encode()
        key = f"raw/{form}/{datetime.now(UTC):%Y-%m-%d}/{hashlib.sha256(lines).hexdigest()}.jsonl"
        store.put(key, io.BytesIO(lines), "application/jsonl")
        _execute(connection, "bundle_bodies", object_key=key, ingestion_ids=[row["ingestion_id"] for row in waiting])
    return len(waiting)


def _land_file(connection: psycopg.Connection, store: ObjectStore, pending: dict[str, Any]) -> None:
    started = time.perf_counter()
    contract = load_contract(pending["form"])
    with store.get(pending["object_key"]) as file:
        if _digest(file) != pending["sha256"]:
            raise IntegrityError(f"The object {pending['object_key']} is not what was received.")
        csv_file = open_csv(file, contract)
        arrival = Arrival(pending["ingestion_id"], contract, pending["source"], pending["received_at"])
        balance = land(connection, arrival, csv_file.layout, csv_file.records())
    _finish(connection, arrival, balance, started, csv_file.notices)


def _finish(
    connection: psycopg.Connection, arrival: Arrival, balance: Balance, started: float, notices: list[str]
) -> None:
    _execute(
        connection,
        "finish_ingestion",
        ingestion_id=arrival.ingestion_id,
        received_rows=balance.received,
        stored_rows=balance.stored,
        duplicate_rows=balance.duplicate,
        rejected_rows=balance.rejected,
        conflict_rows=balance.conflict,
        unknown_fields=Jsonb(balance.unknown_fields),
        notices=Jsonb(notices),
        load_seconds=time.perf_counter() - started,
    )


def _flatten(contract: Contract, household_id: str, answers: dict[str, Any], key: str | None) -> tuple[Layout, Record]:
    """One survey's answers as a header and a row."""
    given = {name: value for name, value in answers.items() if value is not None}
    names = contract.resolve(given)
    stated = next(
        (given[header] for header, name in zip(given, names, strict=True) if name == IDENTIFIER), household_id
    )
    if str(stated).strip() != household_id.strip():
        message = f"The survey names two households: {household_id!r} and {stated!r}."
        raise RefusedSurveyError(message, code="survey.two_households", remedy=f"Send one {IDENTIFIER}.")
    cells = {header: _text(value) for header, value in given.items()}
    cells = {header: text for header, text in cells.items() if contract.resolve([header]) != [IDENTIFIER]}
    cells[IDENTIFIER] = household_id
    if key:
        cells = {h: text for h, text in cells.items() if contract.resolve([h]) != ["submission_id"]} | {
            "submission_id": key
        }
    return Layout(contract, list(cells)), Record(1, list(cells.values()))


def _encode(body: str) -> bytes:
    try:
        return body.encode()
    except UnicodeEncodeError as error:
        message = f"The survey holds a character that is no text (position {error.start})."
        raise RefusedSurveyError(message, code="survey.bad_text", remedy="Send well-formed Unicode.") from error


def _text(value: Any) -> str:
    """A JSON value as raw keeps it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _record(database: Database, facts: dict[str, Any], **more: Any) -> Receipt:
    with database.transaction() as connection:
        return _insert(connection, facts, **more)


def _insert(
    connection: psycopg.Connection,
    facts: dict[str, Any],
    *,
    status: str,
    object_key: str | None = None,
    estimated_rows: int = 0,
    error: KyaloError | None = None,
) -> Receipt:
    values = {
        **facts,
        "status": status,
        "object_key": object_key,
        "estimated_rows": estimated_rows,
        **_error_facts(error),
    }
    row = _fetch(connection, "insert_ingestion", **values)
    assert row is not None  # noqa: S101 - the statement inserts one row or raises
    return Receipt(
        row["ingestion_id"],
        row["duplicate_of"],
        facts["filename"],
        facts["size_bytes"],
        estimated_rows,
        row["received_at"],
    )


def _error_facts(error: KyaloError | None) -> dict[str, str | None]:
    return {"error_code": error.error_code if error else None, "error_message": str(error) if error else None}


def _execute(connection: psycopg.Connection, statement: str, **values: Any) -> None:
    connection.execute(queries("ingestion")[statement], values)


def _fetch(connection: psycopg.Connection, statement: str, **values: Any) -> dict[str, Any] | None:
    return connection.cursor(row_factory=dict_row).execute(queries("ingestion")[statement], values).fetchone()


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
