"""Receiving: make an upload safe (object, ledger, job, commit) before anybody is told that it arrived."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import psycopg
from psycopg.types.json import Jsonb

from ingest_api.landing import Arrival, Item, land
from ingest_api.loading import finish_ingestion, started_clock
from ingest_api.personal import hide_number, keyed_digest
from ingest_api.readers import open_survey_files
from ingest_api.readers.json_reader import open_json, open_json_lines
from ingest_api.receipts import Receipt
from ingest_api.records import LONGEST_NAME, REPLACEMENT, Rejection
from ingest_api.senders import LOCAL, Sender
from warehouse.contract import Contract, load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.crypto.sealing import sealing
from warehouse.database import Database, fetch_row, queries
from warehouse.errors import RefusedSurveyError, UnreadableFileError
from warehouse.jobs import defer
from warehouse.stores import UNKNOWN_TYPE, ObjectStore, checksum_of, type_of

MOST_TOGETHER = 10_000


def receive_file(  # noqa: PLR0913 - all that is known of a file, by name
    database: Database,
    store: ObjectStore,
    file: BinaryIO,
    *,
    form: str,
    filename: str,
    source: str,
    sender: Sender = LOCAL,
    file_type: str | None = None,
    sheet: str | None = None,
) -> Receipt:
    """Keep a file of surveys: its bytes in the object store, a pending entry in the ledger, a job to land its rows.

    Args:
        database: the warehouse.
        store: where its bytes are kept.
        file: its bytes; may be sought in.
        form: the form that its rows are of.
        filename: what its sender calls it; never used as a path.
        source: the door it came through: api, cli or inbox.
        sender: who sent it.
        file_type: csv, excel, json, jsonl or parquet; told by the content when omitted.
        sheet: the sheet of a workbook; the first one when omitted.

    Raises:
        UnreadableFileError: no row of it can be read. The refusal stands in the ledger.
        StorageUnavailableError: its bytes could not be kept; nothing was.
    """
    contract = load_contract(form)
    name = filename.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()[-LONGEST_NAME:]
    options = {key: value for key, value in {"file_type": file_type, "sheet": sheet}.items() if value}
    file.seek(0)
    sha256, size = checksum_of(file)
    facts = {
        **_facts(contract, source, sender, content_type=type_of(name)),
        "filename": hide_number(load_key_ring(database.settings), name),
        "size_bytes": size,
        "sha256": sha256,
        "options": Jsonb(options),
    }
    most_bytes = database.settings.max_file_bytes
    try:
        with open_survey_files(file, contract, filename=name, most_bytes=most_bytes, **options) as files:
            estimated = sum(table.estimated_rows for table in files)
    except UnreadableFileError as error:
        with database.transaction() as connection:
            insert_ingestion(connection, facts, status="refused", error_code=error.error_code, error_message=str(error))
        raise
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    suffix = "" if facts["content_type"] == UNKNOWN_TYPE else PurePosixPath(name).suffix.lower()
    key = f"raw/{form}/{day}/{facts['sha256']}{suffix}"
    file.seek(0)
    store.put(key, file, facts["content_type"])
    with database.transaction() as connection:
        receipt = insert_ingestion(connection, facts, status="received", object_key=key, estimated_rows=estimated)
        defer(connection, "land_file", ingestion_id=receipt.ingestion_id)
    return receipt


def receive_batch(database: Database, body: bytes, *, form: str, sender: Sender, json_lines: bool = False) -> Receipt:
    """Store up to 10,000 surveys of one body in one transaction; durable when this returns.

    Each is identified by its own `submission_id` or its content, so that sending the body again is harmless. The
    body is kept beside them and moved to the object store later, as that of a single survey is.

    Raises:
        UnreadableFileError: the body is no JSON, or there is no survey in it.
        RefusedSurveyError: there are too many surveys in it; none is kept.
    """
    contract = load_contract(form)
    facts = {
        **_facts(contract, "api", sender, content_type=type_of("batch.jsonl" if json_lines else "batch.json")),
        "filename": None,
        "size_bytes": len(body),
        "sha256": keyed_digest(load_key_ring(database.settings), body),
        "options": Jsonb({}),
    }
    started = started_clock()
    with sealing(database.settings) as keys, database.transaction() as connection:
        receipt = insert_ingestion(connection, facts, status="received")
        arrival = Arrival(receipt.ingestion_id, contract, "api", receipt.received_at, keys)
        surveys = (open_json_lines if json_lines else open_json)(io.BytesIO(body), contract)
        balance = land(connection, arrival, surveys.names, _at_most(surveys.submissions(), json_lines=json_lines))
        text = body.decode("utf-8", "replace").replace("\0", REPLACEMENT)
        kept = {"ingestion_id": receipt.ingestion_id, "body": keys.seal(text.encode()).decode()}
        connection.execute(queries("ingestion")["insert_body"], kept)
        finish_ingestion(connection, receipt.ingestion_id, balance, started, surveys.notices)
    return replace(receipt, balance=balance)


def insert_ingestion(connection: psycopg.Connection, facts: dict[str, Any], *, status: str, **more: Any) -> Receipt:
    """Write an upload into the ledger."""
    blank = {"object_key": None, "estimated_rows": 0, "error_code": None, "error_message": None}
    values = {**blank, **facts, **more, "status": status}
    row = fetch_row(connection, queries("ingestion")["insert_ingestion"], values)
    assert row is not None  # noqa: S101 - the statement inserts one row or raises
    return Receipt(
        row["ingestion_id"],
        row["duplicate_of"],
        facts["filename"],
        facts["size_bytes"],
        values["estimated_rows"],
        row["received_at"],
    )


def _facts(contract: Contract, source: str, sender: Sender, *, content_type: str) -> dict[str, Any]:
    return {
        "form": contract.form,
        "form_version": contract.version,
        "source": source,
        "client": sender.client,
        "device": sender.device,
        "idempotency_key": sender.idempotency_key,
        "content_type": content_type,
    }


def _at_most(items: Iterator[Item], *, json_lines: bool) -> Iterator[Item]:
    """The items, unless there are too many, or nobody can tell how many there are."""
    for count, item in enumerate(items):
        if isinstance(item, Rejection) and item.code == "row.invalid_json" and not json_lines:
            raise UnreadableFileError(item.message, code="file.invalid_json", remedy="Send the whole array again.")
        if count == MOST_TOGETHER:
            raise RefusedSurveyError(
                f"The body holds more than {MOST_TOGETHER:,} surveys.",
                code="batch.too_many",
                remedy="Send them in several bodies, or as a file.",
            )
        yield item
