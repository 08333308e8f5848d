"""Old raw rows leave the database month by month, into Parquet files that are read back before any row is deleted.

What was staged of them stays staged, so that no household leaves the marts. Staging itself can be made anew only with
its raw rows: until they are restored, dbt refuses to.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv, parquet

from orchestration.console import count
from orchestration.context import Warehouse
from orchestration.graph.lock import holding_pipeline
from orchestration.lifecycle.acts import Act, record
from orchestration.lifecycle.policies import Policy
from orchestration.parquet import read_columns, write_parquet
from warehouse.contract import list_forms
from warehouse.database import fetch_row, fetch_rows, queries
from warehouse.errors import IntegrityError, NotFoundError
from warehouse.stores import EXPORTED_ROWS, checksum_of, type_of

statements = queries("lifecycle")


def find_months(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The months whose rows are old enough, all staged, and still in the database."""
    with warehouse.database.transaction() as connection:
        return [
            Act(policy.name, "exported", subject=f"raw.{form} {month['month']}", rows=month["rows"])
            for form in list_forms()
            for month in _months(connection, form, policy.days)
        ]


def export_months(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Take the months that are old enough out of the database; what was done.

    Raises:
        BusyError: the pipeline is at work on the rows.
        IntegrityError: a file does not give back what was written to it; its rows stay.
        StorageUnavailableError: the store is away; the rows stay.
    """
    if not find_months(warehouse, policy):
        return []
    with holding_pipeline(warehouse.database, "kyalo archive"):
        done = []
        for form in list_forms():
            with warehouse.database.transaction() as connection:
                months = _months(connection, form, policy.days)
            done += [_export_month(warehouse, policy, form, month, requested_by) for month in months]
        return done


def restore_rows(warehouse: Warehouse, form: str, month: str | None, requested_by: str) -> list[Act]:
    """Bring exported rows of a form back into its raw table; those of one month, or all.

    Raises:
        NotFoundError: none were exported, or their file is gone.
        IntegrityError: a file is not what was written.
    """
    with warehouse.database.transaction() as connection:
        files = fetch_rows(connection, statements["exported_files"], {"form": form, "month": month})
    if not files:
        raise NotFoundError(
            f"No rows of {form}{f' of {month}' if month else ''} were exported.", code="archive.nothing_exported"
        )
    with holding_pipeline(warehouse.database, "kyalo archive restore"):
        return [_restore_file(warehouse, form, file, requested_by) for file in files]


def _months(connection: psycopg.Connection, form: str, days: int) -> list[dict[str, Any]]:
    staged = fetch_row(connection, statements["has_staging"], {"form": form})
    if not (staged and staged["has_staging"]):
        return []  # nothing of the form was ever built
    statement = statements["months_to_export"].format(staging=sql.Identifier("staging", f"stg_{form}__submissions"))
    return fetch_rows(connection, statement, {"form": form, "days": days})


def _export_month(warehouse: Warehouse, policy: Policy, form: str, month: dict[str, Any], requested_by: str) -> Act:
    uploads = {"ingestion_ids": month["ingestion_ids"]}
    raw_table = sql.Identifier("raw", form)
    with warehouse.database.transaction() as connection, tempfile.TemporaryFile() as file:
        act = _write(warehouse, connection, policy, form, month, file)
        _check_file(warehouse, connection, raw_table, act, month)
        noted = {**uploads, "form": form, "month": month["month"], "object_key": act.object_key}
        connection.execute(statements["note_exported"].format(raw_table=raw_table), noted)
        deleted = connection.execute(statements["delete_uploads"].format(raw_table=raw_table), uploads).rowcount
        _expect(deleted, month["rows"], act.subject)
        record(connection, act, requested_by)
    return act


def _write(
    warehouse: Warehouse,
    connection: psycopg.Connection,
    policy: Policy,
    form: str,
    month: dict[str, Any],
    file: BinaryIO,
) -> Act:
    query = statements["rows_of_uploads"].format(
        raw_table=sql.Identifier("raw", form), ingestion_ids=sql.Literal(month["ingestion_ids"])
    )
    subject = f"raw.{form} {month['month']}"
    _expect(write_parquet(connection, query, read_columns(connection, query), file), month["rows"], subject)
    file.seek(0)
    sha256, size = checksum_of(file)
    key = f"{EXPORTED_ROWS}{form}/{month['month']}/{sha256}.parquet"
    warehouse.store.put(key, file, type_of(key))
    return Act(policy.name, "exported", subject, month["rows"], size, key, sha256)


def _check_file(
    warehouse: Warehouse, connection: psycopg.Connection, raw_table: sql.Identifier, act: Act, month: dict[str, Any]
) -> None:
    """See that the store gives back, as the database reads it, each row as it stands."""
    connection.execute(sql.SQL("create temporary table exported (like {}) on commit drop").format(raw_table))
    with _checked_file(warehouse, str(act.object_key)) as file:
        names = _copy_back(connection, sql.Identifier("exported"), file)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = statements["differing_rows"].format(raw_table=raw_table, columns=columns)
    differing = fetch_row(connection, statement, {"ingestion_ids": month["ingestion_ids"]})
    connection.execute("drop table exported")
    if differing is None or differing["rows"]:
        raise _differs(act.subject)


def _restore_file(warehouse: Warehouse, form: str, file: dict[str, Any], requested_by: str) -> Act:
    act = Act("raw_rows", "restored", f"raw.{form} {file['month']}", file["rows"], object_key=file["object_key"])
    with warehouse.database.transaction() as connection:
        # A restoration beside this one waits here, and then finds nothing left to restore.
        forgotten = connection.execute(statements["forget_exported"], {"object_key": act.object_key}).rowcount
        if not forgotten:
            return Act(act.policy, act.action, act.subject, 0, object_key=act.object_key)
        with _checked_file(warehouse, file["object_key"]) as content:
            _expect(parquet.ParquetFile(content).metadata.num_rows, file["rows"], act.subject)
            _copy_back(connection, sql.Identifier("raw", form), content)
        record(connection, act, requested_by)
    return act


@contextmanager
def _checked_file(warehouse: Warehouse, key: str) -> Iterator[BinaryIO]:
    with warehouse.store.get(key) as file:
        sha256, _ = checksum_of(file)
        if sha256 not in key:
            raise IntegrityError(
                f"The object {key} is not what was written.", remedy="`kyalo storage verify --repair` restores it."
            )
        yield file


def _copy_back(connection: psycopg.Connection, table: sql.Identifier, file: BinaryIO) -> list[str]:
    """COPY the rows of a file into a table, and return the columns that the file has."""
    content = parquet.ParquetFile(file)
    names = [str(name) for name in content.schema_arrow.names]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    with connection.cursor().copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(table, columns)) as copy:
        for batch in content.iter_batches():
            lines = pa.BufferOutputStream()
            csv.write_csv(batch, lines, csv.WriteOptions(include_header=False))
            copy.write(lines.getvalue().to_pybytes())
    return names


def _expect(found: int, expected: int, subject: str) -> None:
    if found != expected:
        raise _differs(subject, f"{count(found, 'row')} in place of {expected:,}")


def _differs(subject: str, how: str = "other rows") -> IntegrityError:
    return IntegrityError(
        f"The file of {subject} holds {how}; nothing was deleted.",
        code="archive.rows_differ",
        remedy="Run `kyalo archive` again; if it stays so, tell the maintainers.",
    )
