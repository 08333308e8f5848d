"""The one path into raw: identities first, then the rows that are new, in the caller's transaction."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import psycopg
from psycopg import sql

from ingest_api.records import Layout, Record, Rejection, Submission
from warehouse.contract import Contract
from warehouse.database import queries
from warehouse.raw_tables import ENVELOPE

BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Arrival:
    """What all rows of one ingestion share."""

    ingestion_id: str
    contract: Contract
    source: str
    received_at: datetime


@dataclass
class Balance:
    """What became of the rows: received = stored + duplicate + rejected + conflict."""

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    conflict: int = 0
    unknown_fields: Counter[str] = field(default_factory=Counter)

    @property
    def received(self) -> int:
        """Every row that arrived."""
        return self.stored + self.duplicate + self.rejected + self.conflict


def land(
    connection: psycopg.Connection, arrival: Arrival, layout: Layout, records: Iterable[Record | Rejection]
) -> Balance:
    """Store the records of one ingestion and say what became of each.

    A submission is stored once: its identity is inserted first, under a unique key, and only rows whose identity
    was new follow. A twin in another transaction is waited for. The same identity with other content is kept
    as a conflict.
    """
    balance = Balance()
    connection.execute(queries("ingestion")["create_incoming"])
    waiting = iter(records)
    while batch := list(islice(waiting, BATCH_ROWS)):
        submissions, rejections = _sort(layout, batch)
        _land_submissions(connection, arrival, layout, submissions, balance)
        _copy(connection, queries("ingestion")["copy_rejected"], _rejected_rows(arrival, rejections))
        balance.rejected += len(rejections)
    connection.execute("drop table incoming")
    return balance


def _sort(layout: Layout, batch: Sequence[Record | Rejection]) -> tuple[list[Submission], list[Rejection]]:
    submissions: list[Submission] = []
    rejections: list[Rejection] = []
    for item in batch:
        checked = layout.submission(item) if isinstance(item, Record) else item
        if isinstance(checked, Submission):
            submissions.append(checked)
        else:
            rejections.append(checked)
    return submissions, rejections


def _land_submissions(
    connection: psycopg.Connection, arrival: Arrival, layout: Layout, submissions: list[Submission], balance: Balance
) -> None:
    statements = queries("ingestion")
    keys = ((row.key, row.content_hash, row.number) for row in submissions)
    _copy(connection, statements["copy_incoming"], keys)
    names = {"form": arrival.contract.form, "ingestion_id": arrival.ingestion_id}
    new = {row[0] for row in connection.execute(statements["insert_keys"], names)}
    differing = {row[0] for row in connection.execute(statements["conflicting_rows"], names)} - new
    connection.execute(statements["empty_incoming"])
    stored = [row for row in submissions if row.number in new]
    conflicts = [row for row in submissions if row.number in differing]
    _copy(connection, _copy_raw(arrival.contract.form, layout), _raw_rows(arrival, stored))
    _copy(connection, statements["copy_conflicts"], _conflict_rows(arrival, layout, conflicts))
    balance.stored += len(stored)
    balance.conflict += len(conflicts)
    balance.duplicate += len(submissions) - len(stored) - len(conflicts)
    for row in stored:
        balance.unknown_fields.update(list(json.loads(row.extras or "{}")))


def _copy_raw(form: str, layout: Layout) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, [*ENVELOPE, *layout.names]))
    return sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier("raw", form), columns)


def _raw_rows(arrival: Arrival, submissions: Iterable[Submission]) -> Iterator[Sequence[object]]:
    version, source, received = arrival.contract.version, arrival.source, arrival.received_at.isoformat()
    for row in submissions:
        envelope = (row.key, arrival.ingestion_id, row.number, row.content_hash, version, source, received, row.extras)
        yield (*envelope, *row.values)


def _rejected_rows(arrival: Arrival, rejections: Iterable[Rejection]) -> Iterator[Sequence[object]]:
    for row in rejections:
        yield arrival.ingestion_id, row.number, row.code, row.message, row.content


def _conflict_rows(arrival: Arrival, layout: Layout, rows: Iterable[Submission]) -> Iterator[Sequence[object]]:
    form = arrival.contract.form
    for row in rows:
        content = dict(zip(layout.names, row.values, strict=True)) | json.loads(row.extras or "{}")
        yield form, row.key, row.content_hash, arrival.ingestion_id, row.number, json.dumps(content)


def _copy(connection: psycopg.Connection, statement: sql.SQL | sql.Composed, rows: Iterable[Sequence[object]]) -> None:
    """COPY rows as CSV, where a blank cell is null."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # so that a lone carriage return is quoted, too
    if text.tell():
        with connection.cursor().copy(statement) as copy:
            copy.write(text.getvalue())
