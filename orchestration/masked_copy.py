"""A masked copy of the surveys in another, empty warehouse: what is built of it behaves as what is built here."""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from pydantic import SecretStr

from orchestration.masked_times import companies_of, masked_moments
from orchestration.masking import Masker, subject
from warehouse.contract import Contract, list_forms, load_contract
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import ConflictError, MisuseError
from warehouse.folders import make_folder
from warehouse.migrations import migrate
from warehouse.settings import Settings

MESSAGE = "The reason is kept, the row is not."
ROWS_AT_A_TIME = 2_000
BYTES_A_ROW = 1_000  # the size of an upload would tell which one of the source it is
Row = dict[str, Any]


@dataclass(frozen=True)
class Copied:
    """How many uploads were copied, and how many surveys of all forms."""

    uploads: int
    surveys: int


@dataclass(frozen=True)
class Moved:
    """What an upload is in the copy.

    Attributes:
        name: its identifier there, which holds the day on which it came there.
        received_at: when it, and all of its rows, came there.
        back: how far the dates of its rows go back.
    """

    name: str
    received_at: datetime
    back: timedelta


def target_settings(settings: Settings, address: str) -> Settings:
    """The settings of a warehouse at an address.

    Args:
        settings: the process's own.
        address: `postgresql://user@host:port/database`, with the password in it or in PGPASSWORD.

    Raises:
        MisuseError: the address cannot be read.
    """
    try:
        place = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise MisuseError(
            "The address of the other database cannot be read.",
            code="copy.bad_address",
            remedy="Write it as postgresql://user@host:5432/database.",
        ) from error
    return settings.model_copy(
        update={
            "db_host": str(place.get("host") or "localhost"),
            "db_port": int(place.get("port") or 5432),
            "db_name": str(place.get("dbname") or "kyalo"),
            "db_user": str(place.get("user") or "kyalo"),
            "db_password": SecretStr(str(place.get("password") or os.environ.get("PGPASSWORD", ""))),
        }
    )


@contextmanager
def open_target(settings: Settings) -> Iterator[Database]:
    """The other warehouse, running and migrated; the keys of this one are not its own, and it learns none of them."""
    make_folder(settings.home)
    with closing(Database(settings)) as database:
        migrate(database)
        yield database


def copy_masked(source: Database, target: Database) -> Copied:
    """Copy every landed upload and its surveys, masked, into an empty warehouse; all of it or nothing.

    Personal answers, originals, bodies, rows in conflict and the text of rejected rows are not read at all.

    Args:
        source: the owner's.
        target: the owner's, migrated.

    Raises:
        ConflictError: the other warehouse holds surveys.
    """
    statements = queries("copying")
    with source.transaction() as read, target.transaction() as written:
        read.execute("set transaction isolation level repeatable read, read only")
        _require_empty(written)
        masker = Masker(_known_districts(read))
        ledger = {row["ingestion_id"]: row for row in fetch_rows(read, statements["uploads"])}
        uploads = _moved_uploads(read, masker, ledger)
        _write(written, "ingestions", _masked_ledger(read, masker, ledger, uploads))
        surveys = sum(_copy_form(read, written, masker, uploads, load_contract(form)) for form in list_forms())
        for table, statement, mask in (
            ("submission_keys", "keys", _key),
            ("repeated_rows", "repeats", _repeat),
            ("rejected_rows", "rejects", _reject),
        ):
            _write(written, table, _masked(read, statements[statement], uploads, mask, masker))
        written.execute(statements["continue_numbers"], {"last": len(uploads)})
    return Copied(len(uploads), surveys)


def _require_empty(written: psycopg.Connection) -> None:
    found = fetch_row(written, queries("copying")["has_uploads"])
    if found is None or found["has_uploads"]:
        raise ConflictError(
            "The other warehouse holds surveys already.",
            code="copy.not_empty",
            remedy="Copy into an empty database, or another --home.",
        )


def _known_districts(read: psycopg.Connection) -> list[str]:
    """The districts that may keep their names; none before the first build."""
    found = fetch_row(read, queries("partners")["has_districts"])
    if not found or not found["has_districts"]:
        return []
    return [row["district"] for row in fetch_rows(read, queries("copying")["known_districts"])]


def _moved_uploads(read: psycopg.Connection, masker: Masker, ledger: Mapping[str, Row]) -> dict[str, Moved]:
    """What every upload is called in the copy, and when it came there, in the order of its names."""
    received = {upload: row["received_at"] for upload, row in ledger.items()}
    moments = masked_moments(masker, received, companies_of(_pairs(read)))
    return {
        upload: Moved(f"ing_{moment:%Y%m%d}_{number:06}", moment, back)
        for number, (upload, (moment, back)) in enumerate(moments.items(), 1)
    }


def _pairs(read: psycopg.Connection) -> Iterator[tuple[Hashable, Hashable]]:
    """What belongs together: uploads and what they are about, what corrects and what is sent again."""
    statements = queries("copying")
    for form in list_forms():
        names = {
            "raw_table": sql.Identifier("raw", form),
            "identifier": sql.Identifier(load_contract(form).identifier),
        }
        for row in fetch_rows(read, statements["abouts"].format(**names)):
            yield row["ingestion_id"], (form, subject(row["about"]))
        for row in fetch_rows(read, statements["corrections"].format(raw_table=names["raw_table"])):
            yield row["ingestion_id"], row["other_id"]
    for row in fetch_rows(read, statements["resends"]):
        yield row["ingestion_id"], row["other_id"]


def _masked_ledger(
    read: psycopg.Connection, masker: Masker, ledger: Mapping[str, Row], uploads: Mapping[str, Moved]
) -> Iterator[Row]:
    statements = queries("copying")
    stored = {
        (form, row["ingestion_id"]): row["stored_rows"]
        for form in list_forms()
        for row in fetch_rows(read, statements["stored_rows"].format(raw_table=sql.Identifier("raw", form)))
    }
    for upload, moved in uploads.items():
        row = ledger[upload]
        yield _upload(masker, row, moved, stored.get((row["form"], upload), 0))


def _copy_form(
    read: psycopg.Connection,
    written: psycopg.Connection,
    masker: Masker,
    uploads: Mapping[str, Moved],
    contract: Contract,
) -> int:
    def mask(masker: Masker, row: Row, moved: Moved) -> Row:
        return masker.row(contract, row, moved.back) | {
            "submission_key": masker.submission(row["submission_key"]),
            "row_number": row["row_number"],
            "content_hash": masker.pseudonym("content", row["content_hash"]),
            "form_version": row["form_version"],
            "source": row["source"],
            "received_at": moved.received_at,
            "deprecates": row["deprecates"] and masker.submission(row["deprecates"]),
        }

    query = queries("copying")["rows_of_form"].format(raw_table=sql.Identifier("raw", contract.form))
    return _write(written, contract.form, _masked(read, query, uploads, mask, masker))


def _masked(
    read: psycopg.Connection,
    query: sql.SQL | sql.Composed,
    uploads: Mapping[str, Moved],
    mask: Callable[[Masker, Row, Moved], Row],
    masker: Masker,
) -> Iterator[Row]:
    """The masked rows of a query, upload by upload as the copy has them: where a row lies tells no other order."""
    values = {"uploads": [*uploads], "names": [moved.name for moved in uploads.values()]}
    with read.cursor("copied", row_factory=dict_row) as cursor:
        cursor.itersize = ROWS_AT_A_TIME
        for row in cursor.execute(query, values):
            moved = uploads[row["ingestion_id"]]
            yield mask(masker, row, moved) | {"ingestion_id": moved.name}


def _write(written: psycopg.Connection, table: str, rows: Iterable[Row]) -> int:
    """Write rows that all have the same columns, and return how many."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, first))
    statement = queries("copying")["copy_into"].format(table=sql.Identifier("raw", table), columns=columns)
    count = 1
    with written.cursor().copy(statement) as copy:
        copy.write_row([*first.values()])
        for row in rows:
            copy.write_row([row[name] for name in first])
            count += 1
    return count


def _upload(masker: Masker, row: Row, moved: Moved, stored_rows: int) -> Row:
    hidden = {
        name: row[name] and f"{name}-{masker.pseudonym(name, row[name], length=12)}" for name in ("client", "device")
    }
    received_rows = stored_rows + row["duplicate_rows"] + row["rejected_rows"]
    return {
        **row,
        **hidden,
        "ingestion_id": moved.name,
        "status": "loaded",
        "filename": row["filename"] and f"file-{masker.pseudonym('filename', row['filename'], length=12)}",
        "size_bytes": BYTES_A_ROW * received_rows,
        "sha256": masker.pseudonym("file", row["sha256"], length=64),
        "stored_rows": stored_rows,
        "received_rows": received_rows,
        "received_at": moved.received_at,
        "loaded_at": moved.received_at,
    }


def _key(masker: Masker, row: Row, _moved: Moved) -> Row:
    return {
        "identity": masker.identity(row["identity"]),
        "form": row["form"],
        "content_hash": masker.identity(row["content_hash"]),
        "row_number": row["row_number"],
    }


def _repeat(masker: Masker, row: Row, _moved: Moved) -> Row:
    return {"row_number": row["row_number"], "identity": masker.identity(row["identity"])}


def _reject(_masker: Masker, row: Row, _moved: Moved) -> Row:
    return {"row_number": row["row_number"], "reason_code": row["reason_code"], "message": MESSAGE}
