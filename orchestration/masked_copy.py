"""A masked copy of the surveys in another, empty warehouse: what is built of it behaves as what is built here."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from pydantic import SecretStr

from orchestration.masking import Masker
from warehouse.contract import Contract, list_forms, load_contract
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import ConflictError, MisuseError
from warehouse.settings import Settings

MESSAGE = "The reason is kept, the row is not."
ROWS_AT_A_TIME = 2_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Copied:
    """How many uploads were copied, and how many surveys of all forms."""

    uploads: int
    surveys: int


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


def copy_masked(source: Database, target: Database) -> Copied:
    """Copy every landed upload and its surveys, masked, into an empty warehouse; all of it or nothing.

    Personal answers, originals, bodies, rows in conflict and the text of rejected rows are not read at all.

    Args:
        source: the owner's.
        target: the owner's, migrated.

    Raises:
        ConflictError: the other warehouse holds surveys.
    """
    masker, statements = Masker(), queries("copying")
    with source.transaction() as read, target.transaction() as written:
        read.execute("set transaction isolation level repeatable read, read only")
        found = fetch_row(written, statements["has_uploads"])
        if found is None or found["has_uploads"]:
            raise ConflictError(
                "The other warehouse holds surveys already.",
                code="copy.not_empty",
                remedy="Copy into an empty database, or another --home.",
            )
        stored = {
            (form, row["ingestion_id"]): row["stored_rows"]
            for form in list_forms()
            for row in fetch_rows(read, statements["stored_rows"].format(raw_table=sql.Identifier("raw", form)))
        }
        uploads = fetch_rows(read, statements["uploads"])
        names = {row["ingestion_id"]: f"ing_20000101_{number:06}" for number, row in enumerate(uploads, 1)}
        _write(written, "ingestions", (_upload(masker, names, row, stored) for row in uploads))
        surveys = sum(_copy_form(read, written, masker, names, load_contract(form)) for form in list_forms())
        for table, statement, mask in (
            ("submission_keys", "keys", _key),
            ("repeated_rows", "repeats", _repeat),
            ("rejected_rows", "rejects", _reject),
        ):
            _write(written, table, _masked(read, statements[statement], names, mask, masker))
        written.execute(statements["continue_numbers"], {"last": len(uploads)})
    return Copied(len(uploads), surveys)


def _copy_form(
    read: psycopg.Connection, written: psycopg.Connection, masker: Masker, names: Mapping[str, str], contract: Contract
) -> int:
    def mask(masker: Masker, row: Row) -> Row:
        about = str(row[contract.identifier] or "").strip().upper()
        return masker.row(contract, row) | {
            "submission_key": masker.submission(row["submission_key"]),
            "row_number": row["row_number"],
            "content_hash": masker.pseudonym("content", row["content_hash"]),
            "form_version": row["form_version"],
            "source": row["source"],
            "received_at": row["received_at"] - masker.days_back(about),
            "deprecates": row["deprecates"] and masker.submission(row["deprecates"]),
        }

    query = queries("copying")["rows_of_form"].format(raw_table=sql.Identifier("raw", contract.form))
    return _write(written, contract.form, _masked(read, query, names, mask, masker))


def _masked(
    read: psycopg.Connection,
    query: sql.SQL | sql.Composed,
    names: Mapping[str, str],
    mask: Callable[[Masker, Row], Row],
    masker: Masker,
) -> Iterator[Row]:
    """The masked rows of a query, of the uploads that are copied."""
    with read.cursor("copied", row_factory=dict_row) as cursor:
        cursor.itersize = ROWS_AT_A_TIME
        for row in cursor.execute(query):
            if row["ingestion_id"] in names:
                yield mask(masker, row) | {"ingestion_id": names[row["ingestion_id"]]}


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


def _upload(masker: Masker, names: Mapping[str, str], row: Row, stored: Mapping[tuple[str, str], int]) -> Row:
    stored_rows = stored.get((row["form"], row["ingestion_id"]), 0)
    hidden = {
        name: row[name] and f"{name}-{masker.pseudonym(name, row[name], length=12)}" for name in ("client", "device")
    }
    return {
        **row,
        **hidden,
        "ingestion_id": names[row["ingestion_id"]],
        "status": "loaded",
        "filename": row["filename"] and f"file-{masker.pseudonym('filename', row['filename'], length=12)}",
        "sha256": masker.pseudonym("file", row["sha256"], length=64),
        "stored_rows": stored_rows,
        "received_rows": stored_rows + row["duplicate_rows"] + row["rejected_rows"],
    }


def _key(masker: Masker, row: Row) -> Row:
    masked = {"identity": masker.identity(row["identity"]), "content_hash": masker.identity(row["content_hash"])}
    return {**row, **masked}


def _repeat(masker: Masker, row: Row) -> Row:
    return {**row, "identity": masker.identity(row["identity"])}


def _reject(_masker: Masker, row: Row) -> Row:
    return {**row, "message": MESSAGE}
