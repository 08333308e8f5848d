"""Landing what waits: a pending file's rows, its balance and its state in one transaction; bodies into bundles."""

import csv
import hashlib
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson
import psycopg
from psycopg.types.json import Jsonb

from ingest_api.landing import Arrival, Balance, land
from ingest_api.personal import describe_findings, say_findings, say_unknown
from ingest_api.readers import open_survey_files
from warehouse.contract import load_contract
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.crypto.sealing import sealing
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import DatabaseUnavailableError, IntegrityError, KyaloError, Terminal, UnreadableFileError
from warehouse.jobs import drop_reminders
from warehouse.logs import log_context
from warehouse.stores import ObjectStore, checksum_of

LANDING_PAUSES = (0.2, 1.0)  # seconds before the second and the third try
PROGRESS_SECONDS = 1.0
PATIENCE = "set local lock_timeout = '60s'"  # for twins in another upload; a job comes again later


def land_next(database: Database, store: ObjectStore, ingestion_id: str | None = None) -> str | None:
    """Land one pending file (the oldest, or the one named) and return its identifier, None when none waits.

    Several processes may do this side by side: a file is claimed by one, and where two wait for each other's rows
    PostgreSQL tells one of them, which begins again.
    """
    for pause in LANDING_PAUSES:
        try:
            return _land_one(database, store, ingestion_id)
        except DatabaseUnavailableError:
            time.sleep(pause)
    return _land_one(database, store, ingestion_id)


def fail_ingestion(connection: psycopg.Connection, ingestion_id: str, error: KyaloError) -> None:
    """Note in the ledger that an upload will not be landed, and why."""
    values = {"ingestion_id": ingestion_id, "error_code": error.error_code, "error_message": str(error)}
    connection.execute(queries("ingestion")["fail_ingestion"], values)
    connection.execute(queries("ingestion")["end_progress"], values)


def finish_ingestion(
    connection: psycopg.Connection, ingestion_id: str, balance: Balance, started: float, notices: list[str]
) -> None:
    """Write an upload's balance into the ledger.

    Args:
        connection: in the transaction that holds its rows.
        ingestion_id: the upload.
        balance: what became of its rows.
        started: when its landing began, by `started_clock`.
        notices: what its sender should know.
    """
    findings = describe_findings(balance.findings)
    values = {
        "ingestion_id": ingestion_id,
        "received_rows": balance.received,
        "stored_rows": balance.stored,
        "duplicate_rows": balance.duplicate,
        "rejected_rows": balance.rejected,
        "conflict_rows": balance.conflict,
        "unknown_fields": Jsonb(balance.unknown_fields),
        "personal_fields": Jsonb(findings),
        "notices": Jsonb([*notices, *say_findings(findings)]),
        "load_seconds": started_clock() - started,
    }
    connection.execute(queries("ingestion")["finish_ingestion"], values)
    connection.execute(queries("ingestion")["end_progress"], values)


def started_clock() -> float:
    """A clock to take durations by, in seconds."""
    return time.perf_counter()


def bundle_bodies(database: Database, store: ObjectStore, form: str) -> int:
    """Move waiting bodies of single surveys into one object of the store; how many were moved."""
    with database.transaction() as connection:
        waiting = fetch_rows(connection, queries("ingestion")["next_bodies"], {"form": form})
        if not waiting:
            return 0
        keys = load_key_ring(database.settings)
        bodies = ({**row, "body": keys.open_waiting(row["body"]).decode()} for row in waiting)
        lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in bodies)
        key = f"raw/{form}/{datetime.now(UTC):%Y-%m-%d}/{hashlib.sha256(lines).hexdigest()}.jsonl"
        store.put(key, io.BytesIO(lines), "application/jsonl")
        values = {"object_key": key, "ingestion_ids": [row["ingestion_id"] for row in waiting]}
        connection.execute(queries("ingestion")["bundle_bodies"], values)
    return len(waiting)


def _land_one(database: Database, store: ObjectStore, ingestion_id: str | None) -> str | None:
    with sealing(database.settings) as keys, database.transaction() as connection:
        values = {"ingestion_id": ingestion_id}
        pending = fetch_row(connection, queries("ingestion")["claim_pending"], values)
        if pending is None:
            return None
        connection.execute(PATIENCE)
        try:
            with log_context(ingestion_id=pending["ingestion_id"]), connection.transaction():
                _land_file(database, connection, store, keys, pending)
        except (Terminal, psycopg.DataError, csv.Error, UnicodeError) as error:
            # Whatever is wrong with this file, the ones behind it must not wait for it.
            told = error if isinstance(error, Terminal) else UnreadableFileError(f"The file cannot be read: {error}.")
            fail_ingestion(connection, pending["ingestion_id"], told)
        drop_reminders(connection, pending["ingestion_id"])
    return str(pending["ingestion_id"])


def _land_file(
    database: Database, connection: psycopg.Connection, store: ObjectStore, keys: KeyRing, pending: dict[str, Any]
) -> None:
    started = started_clock()
    contract = load_contract(pending["form"])
    arrival = Arrival(pending["ingestion_id"], contract, pending["source"], pending["received_at"], keys)
    tell = _progress_teller(database, arrival.ingestion_id)
    balance, notices, unknown = Balance(), [], dict[str, None]()
    with store.get(pending["object_key"]) as file:
        _verify(file, pending)
        most_bytes = database.settings.max_file_bytes
        with open_survey_files(
            file, contract, filename=pending["filename"] or "", most_bytes=most_bytes, **pending["options"]
        ) as tables:
            for table in tables:
                balance.add(land(connection, arrival, table.names, table.submissions(), tell))
                notices += table.notices
                unknown |= dict.fromkeys(table.unknown)
    notices += say_unknown(contract.form, unknown, balance.findings)
    finish_ingestion(connection, arrival.ingestion_id, balance, started, notices)


def _verify(file: BinaryIO, pending: dict[str, Any]) -> None:
    sha256, _ = checksum_of(file)
    if sha256 != pending["sha256"]:
        raise IntegrityError(f"The object {pending['object_key']} is not what was received.")


def _progress_teller(database: Database, ingestion_id: str) -> Callable[[int], None]:
    """A function that adds up rows and writes their number, in a transaction of its own, once a second at most."""
    last = started_clock()
    rows = 0

    def tell(more: int) -> None:
        nonlocal last, rows
        rows += more
        if started_clock() - last >= PROGRESS_SECONDS:
            last = started_clock()
            with database.transaction() as connection:
                values = {"ingestion_id": ingestion_id, "landed_rows": rows}
                connection.execute(queries("ingestion")["set_progress"], values)

    return tell
