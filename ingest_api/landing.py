"""The one path into raw: identities first, then the rows that are new, in the caller's transaction."""

import csv
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from queue import Empty, Full, Queue

import orjson
import psycopg
from psycopg import sql

from ingest_api.claims import Claims
from ingest_api.personal import Finding, Sealer, seal_text
from ingest_api.records import Rejection, Submission, csv_line
from warehouse.contract import Contract
from warehouse.crypto.keys import KeyRing
from warehouse.database import queries
from warehouse.errors import UnreadableFileError
from warehouse.raw_tables import ENVELOPE

BATCH_ROWS = 10_000
BATCH_CHARACTERS = 8 * 1024**2
MOST_REJECTED = 100_000  # rows of a file; more say that the file is wrong, not its rows
MOST_UNKNOWN_FIELDS = 1_000
OTHER_FIELDS = "(others)"  # counts the unknown fields beyond them
WAIT_SECONDS = 0.5
Item = Submission | Rejection


@dataclass(frozen=True)
class Arrival:
    """What all rows of one ingestion share."""

    ingestion_id: str
    contract: Contract
    source: str
    received_at: datetime
    keys: KeyRing


@dataclass
class Balance:
    """What became of the rows: received = stored + duplicate + rejected + conflict.

    Attributes:
        unknown_fields: how many rows had each field that the contract does not know.
        findings: how many rows held personal data in fields that the contract does not mark.
    """

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    conflict: int = 0
    unknown_fields: Counter[str] = field(default_factory=Counter)
    findings: Counter[Finding] = field(default_factory=Counter)

    @property
    def received(self) -> int:
        """Every row that arrived."""
        return self.stored + self.duplicate + self.rejected + self.conflict

    def add(self, other: "Balance") -> None:
        """Count another balance's rows as well.

        Raises:
            UnreadableFileError: too many rows were rejected.
        """
        self.stored += other.stored
        self.duplicate += other.duplicate
        self.conflict += other.conflict
        self.reject(other.rejected)
        self.findings.update(other.findings)
        self.count_unknown(other.unknown_fields)

    def reject(self, rows: int) -> None:
        """Count rejected rows.

        Raises:
            UnreadableFileError: they have become too many for what each of them costs to keep.
        """
        self.rejected += rows
        if self.rejected > MOST_REJECTED:
            raise UnreadableFileError(
                f"More than {MOST_REJECTED:,} rows of the file cannot be kept as surveys; none of it was stored.",
                code="file.too_many_bad_rows",
                remedy="Send its first thousand rows alone: their receipt says what is wrong with them.",
            )

    def count_unknown(self, names: Iterable[str]) -> None:
        """Count fields that the contract does not know, the first thousand by name; a mapping brings its counts."""
        self.unknown_fields.update(names)
        if len(self.unknown_fields) > MOST_UNKNOWN_FIELDS:
            others = self.unknown_fields.pop(OTHER_FIELDS, 0)
            while len(self.unknown_fields) > MOST_UNKNOWN_FIELDS:
                others += self.unknown_fields.popitem()[1]
            self.unknown_fields[OTHER_FIELDS] = others


@dataclass
class Batch:
    """Some rows of one ingestion, and what the database is told of them: nothing that is personal but as a token.

    Attributes:
        findings: what each row held that the contract does not mark, by the row's number.
    """

    submissions: list[Submission] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    tokens: dict[int, str] = field(default_factory=dict)
    findings: dict[int, list[Finding]] = field(default_factory=dict)


def land(
    connection: psycopg.Connection,
    arrival: Arrival,
    names: Sequence[str],
    items: Iterable[Item],
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> Balance:
    """Store the rows of one ingestion and say what became of each.

    A submission is stored once: its identity is inserted first, under a unique key, and only rows whose identity
    was new follow. A twin in another transaction is waited for. The same identity with other content is kept
    as a conflict. Rows are read, hashed and rid of what is personal in a thread while the database works on the batch
    before.

    Args:
        connection: in a transaction that the caller commits.
        arrival: what the rows share.
        names: the fields that every submission's line has, in order.
        items: the rows, in order.
        on_progress: told how many rows each batch had, after it was landed.

    Raises:
        UnreadableFileError: the items cannot be read to their end, or too many of them are rejected.
    """
    balance = Balance()
    claims = Claims(connection, arrival.contract.form, arrival.ingestion_id)
    with _read_ahead(_batches(arrival, Sealer(arrival.keys, arrival.contract.form, names), items)) as batches:
        for batch in batches:
            repeated = claims.claim(batch.submissions)
            _store(connection, arrival, names, batch, repeated, balance)
            on_progress(len(batch.submissions) + len(batch.rejections))
    return balance


def raw_row(contract: Contract, ingestion_id: str, source: str, received_at: datetime, row: Submission) -> str:
    """A submission as a line of CSV for its raw table: the envelope, then the fields."""
    (line,) = _raw_rows(ingestion_id, f"{contract.version},{source},{received_at.isoformat()}", [row])
    return line


def personal_row(ingestion_id: str, number: int, key_id: str, token: str) -> str:
    """The token of a row's personal answers as a line of CSV for `raw.personal`."""
    return f"{ingestion_id},{number},{key_id},{token}"


def _raw_rows(ingestion_id: str, shared: str, submissions: Iterable[Submission]) -> list[str]:
    """Submissions as lines of CSV; a million of them are made in a few seconds."""
    return [
        f"{key if identity == content_hash else csv_line([key])},{ingestion_id},{number},{content_hash},{shared},"
        f"{',' if extras is deprecates is None else csv_line([extras or '', deprecates or ''])},{line}"
        for number, key, identity, content_hash, line, extras, deprecates in submissions
    ]


def copy_lines(connection: psycopg.Connection, statement: sql.SQL | bytes, lines: Sequence[str]) -> None:
    """COPY lines of CSV, of which a blank cell is null."""
    if lines:
        with connection.cursor().copy(statement) as copy:
            copy.write("\n".join(lines))
            copy.write("\n")


@lru_cache(100)
def copy_raw(form: str, names: tuple[str, ...]) -> bytes:
    """The statement that takes the lines of `raw_rows`."""
    columns = sql.SQL(", ").join(map(sql.Identifier, [*ENVELOPE, *names]))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier("raw", form), columns)
    return statement.as_bytes(None)


def conflict_content(submission: Submission, names: Sequence[str]) -> str:
    """The answers of a submission as a JSON object, as a conflict keeps them."""
    (cells,) = csv.reader(io.StringIO(submission.line, newline=""))
    answers = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
    return orjson.dumps(answers | orjson.loads(submission.extras or "{}")).decode()


def _store(
    connection: psycopg.Connection,
    arrival: Arrival,
    names: Sequence[str],
    batch: Batch,
    repeated: dict[int, bool],
    balance: Balance,
) -> None:
    """Store the rows of a batch whose identities were new, and what is kept of the others."""
    balance.reject(len(batch.rejections))
    statements = queries("ingestion")
    conflicts = [row for row in batch.submissions if repeated.get(row.number)]
    rows = batch.rows
    stored = batch.submissions
    if repeated:
        new = [position for position, row in enumerate(batch.submissions) if row.number not in repeated]
        rows, stored = [batch.rows[position] for position in new], [batch.submissions[position] for position in new]
    copy_lines(connection, copy_raw(arrival.contract.form, tuple(names)), rows)
    copy_lines(connection, statements["copy_conflicts"], [_conflict_row(arrival, names, row) for row in conflicts])
    copy_lines(connection, statements["copy_rejected"], [_rejected_row(arrival, row) for row in batch.rejections])
    again = {number for number, differs in repeated.items() if not differs}
    kept = {number: token for number, token in batch.tokens.items() if number not in again} if again else batch.tokens
    key_id = arrival.keys.current_id
    tokens = [personal_row(arrival.ingestion_id, number, key_id, token) for number, token in kept.items()]
    copy_lines(connection, statements["copy_personal"], tokens)
    balance.findings.update(found for number, row in batch.findings.items() if number not in again for found in row)
    balance.stored += len(stored)
    balance.conflict += len(conflicts)
    balance.duplicate += len(repeated) - len(conflicts)
    for row in stored:
        if row.extras:
            balance.count_unknown(orjson.loads(row.extras).keys())


def _batches(arrival: Arrival, sealer: Sealer, items: Iterable[Item]) -> Iterator[Batch]:
    batch, characters = Batch(), 0
    for item in items:
        if isinstance(item, Submission):
            batch.submissions.append(item)
            characters += len(item.line) + len(item.extras or "")
        else:
            batch.rejections.append(item)
            characters += len(item.content)
        if len(batch.submissions) + len(batch.rejections) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield _complete(arrival, sealer, batch)
            batch, characters = Batch(), 0
    yield _complete(arrival, sealer, batch)


def _complete(arrival: Arrival, sealer: Sealer, batch: Batch) -> Batch:
    """The batch as it will be stored: nothing personal is left in its rows."""
    sealed = sealer.seal(batch.submissions)
    batch.submissions, batch.tokens, batch.findings = sealed.submissions, sealed.tokens, sealed.findings
    for rejection in batch.rejections:
        if rejection.content:
            batch.tokens[rejection.number] = seal_text(arrival.keys, rejection.content)
    shared = f"{arrival.contract.version},{arrival.source},{arrival.received_at.isoformat()}"
    batch.rows = _raw_rows(arrival.ingestion_id, shared, batch.submissions)
    return batch


def _conflict_row(arrival: Arrival, names: Sequence[str], row: Submission) -> str:
    content = conflict_content(row, names)
    return csv_line([arrival.contract.form, row.key, row.content_hash, arrival.ingestion_id, str(row.number), content])


def _rejected_row(arrival: Arrival, row: Rejection) -> str:
    return csv_line([arrival.ingestion_id, str(row.number), row.code, row.message])


@contextmanager
def _read_ahead(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """The batches, made in a thread that is one or two ahead; its error is raised where they are used."""
    ready: Queue[Batch | BaseException | None] = Queue(maxsize=2)
    given_up = threading.Event()

    def read() -> None:
        try:
            for batch in batches:
                _put(ready, batch, given_up)
            _put(ready, None, given_up)
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            _put(ready, error, given_up)

    reader = threading.Thread(target=read, name="kyalo-reader", daemon=True)
    reader.start()
    try:
        yield _drain(ready)
    finally:
        given_up.set()
        reader.join()


def _put(
    ready: "Queue[Batch | BaseException | None]", item: Batch | BaseException | None, stop: threading.Event
) -> None:
    while not stop.is_set():
        try:
            ready.put(item, timeout=WAIT_SECONDS)
        except Full:
            continue
        return


def _drain(ready: "Queue[Batch | BaseException | None]") -> Iterator[Batch]:
    while True:
        try:
            item = ready.get(timeout=WAIT_SECONDS)
        except Empty:
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item
