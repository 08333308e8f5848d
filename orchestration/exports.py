"""Files for those who read tables without a database: Parquet in the object store, and a manifest that names them.

The manifest is written last: what it names is whole, and what it does not name is of an earlier run or of one that was
killed. A table whose rows did not change keeps its file.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from ml.tracks import TRACKS
from orchestration.context import Warehouse
from orchestration.parquet import Column, read_columns, write_parquet
from orchestration.runs import record
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.stores import ObjectStore, StoredObject, checksum_of

PARQUET, JSON = "application/vnd.apache.parquet", "application/json"
PROCESSED, PREDICTIONS = "processed", "predictions"


@dataclass(frozen=True)
class Extract:
    """What goes into one file.

    Attributes:
        folder: where in the store its files lie, one for each state of its rows.
        relation: the table that it is of.
        query: gives its rows.
    """

    folder: str
    relation: str
    query: sql.Composed


@dataclass(frozen=True)
class Exported:
    """How many tables were looked at, and how many files and rows were written."""

    tables: int
    files: int
    rows: int


def export(warehouse: Warehouse, run_id: str) -> Exported:
    """Write the tables whose rows changed since their last export, as they all were at one moment.

    Args:
        warehouse: what to export, and where to.
        run_id: the run that is told of in the manifests.

    Raises:
        StorageUnavailableError: the store does not take it; the manifests still name what they named before.
    """
    with warehouse.database.transaction() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        parts = [
            _export(warehouse, connection, run_id, PROCESSED, _processed(connection)),
            _export(warehouse, connection, run_id, PREDICTIONS, [_predictions(track) for track in TRACKS]),
        ]
    return Exported(*map(sum, zip(*((part.tables, part.files, part.rows) for part in parts), strict=True)))


def read_manifest(store: ObjectStore, area: str) -> dict[str, Any]:
    """The manifest of `processed` or `predictions`: each table's file, by its folder; empty where there is none."""
    try:
        with store.get(_manifest_key(area)) as file:
            return {entry["folder"]: entry for entry in json.load(file)["files"]}
    except NotFoundError:
        return {}


def _export(
    warehouse: Warehouse, connection: psycopg.Connection, run_id: str, area: str, extracts: list[Extract]
) -> Exported:
    before, keys = read_manifest(warehouse.store, area), load_key_ring(warehouse.settings)
    present, written = {}, []
    for extract in extracts:
        columns = _with_sealed(warehouse, read_columns(connection, extract.query))
        fingerprint = _fingerprint(connection, extract, columns, keys)
        standing = before.get(extract.folder)
        if standing and standing["fingerprint"] == fingerprint:
            present[extract.folder] = standing
            continue
        present[extract.folder] = {
            **_write(warehouse, connection, run_id, extract, columns, keys),
            "fingerprint": fingerprint,
        }
        written.append(present[extract.folder])
    if present != before:
        _put_manifest(warehouse.store, area, run_id, present)
    return Exported(len(extracts), len(written), sum(entry["rows"] for entry in written))


def _write(
    warehouse: Warehouse,
    connection: psycopg.Connection,
    run_id: str,
    extract: Extract,
    columns: list[Column],
    keys: KeyRing,
) -> dict[str, Any]:
    with tempfile.TemporaryFile() as file:
        rows = write_parquet(connection, extract.query, columns, file, keys)
        file.seek(0)
        sha256, _ = checksum_of(file)
        stored = warehouse.store.put(f"{extract.folder}/{sha256}.parquet", file, PARQUET)
    _note(warehouse, run_id, extract, stored, rows)
    return {
        "folder": extract.folder,
        "relation": extract.relation,
        "key": stored.key,
        "run_id": run_id,
        "rows": rows,
        "bytes": stored.size_bytes,
        "sha256": sha256,
        "columns": [_described(column) for column in columns],
    }


def _note(warehouse: Warehouse, run_id: str, extract: Extract, stored: StoredObject, rows: int) -> None:
    record(
        warehouse.database,
        "insert_export",
        run_id=run_id,
        object_key=stored.key,
        relation=extract.relation,
        sha256=stored.sha256,
        bytes=stored.size_bytes,
        rows=rows,
    )


def _put_manifest(store: ObjectStore, area: str, run_id: str, present: Mapping[str, dict[str, Any]]) -> None:
    manifest = {"run_id": run_id, "written_at": datetime.now(UTC).isoformat(), "files": [*present.values()]}
    store.put(_manifest_key(area), io.BytesIO(json.dumps(manifest, indent=2).encode()), JSON)


def _manifest_key(area: str) -> str:
    return f"{area}/manifest.json"


def _with_sealed(warehouse: Warehouse, columns: list[Column]) -> list[Column]:
    """The columns, those marked that the settings want encrypted."""
    named = {name.strip() for name in warehouse.settings.export_encrypted_columns.split(",")}
    return [replace(column, is_sealed=column.name in named) for column in columns]


def _described(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": str(column.arrow_type)} | ({"is_encrypted": True} if column.is_sealed else {})


def _fingerprint(connection: psycopg.Connection, extract: Extract, columns: list[Column], keys: KeyRing) -> str:
    """What stays the same as long as no column, no row and no key changes, whatever the order of the rows."""
    found = fetch_row(connection, queries("runs")["fingerprint_rows"].format(query=extract.query))
    shape = [(column.name, column.type, column.is_array) for column in columns]
    if sealed := [column.name for column in columns if column.is_sealed]:
        shape.append((keys.current_id, ",".join(sealed), True))
    return hashlib.sha256(repr((shape, found)).encode()).hexdigest()


def _processed(connection: psycopg.Connection) -> list[Extract]:
    """The feature mart and the published tables that analysts start from."""
    return [
        Extract(
            f"{PROCESSED}/{row['table_name']}",
            f"{row['table_schema']}.{row['table_name']}",
            sql.SQL("select * from {}").format(sql.Identifier(row["table_schema"], row["table_name"])),
        )
        for row in fetch_rows(connection, queries("runs")["tables_to_export"])
    ]


def _predictions(track: str) -> Extract:
    """What the champion of a track says now."""
    query = queries("runs")["current_predictions"].format(track=sql.Literal(track))
    return Extract(f"{PREDICTIONS}/{track}", "ml.predictions", query)
