"""Whether the log is what was written: every entry, every chain and every end, against the key and the last anchor."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from warehouse.audit.anchors import Anchor
from warehouse.audit.chain import ALL_CHAINS, NOTHING, Hasher, Head
from warehouse.audit.entries import FIELDS
from warehouse.database import Database, fetch_rows, queries

ROWS_AT_ONCE = 10_000
WHOLE_LOG = "the log"
FIRST, LAST = 2, 2 + len(FIELDS)


@dataclass(frozen=True)
class Finding:
    """Something that was changed.

    Attributes:
        chain_id: the chain; empty where it is about the chain of chains, `the log` where about all of it.
        sequence: the entry, or the first of those that are missing; None where it is about the whole chain.
        what: what is wrong with it.
    """

    chain_id: str
    sequence: int | None
    what: str

    def __str__(self) -> str:
        """The finding in words."""
        place = f"entry {self.sequence} of " if self.sequence is not None else ""
        return f"{place}{self.chain_id or 'the chain of chains'}: {self.what}"


@dataclass
class Verification:
    """What a verification came to.

    Attributes:
        entries: how many entries were read.
        heads: the ends of all chains as the database has them.
    """

    entries: int = 0
    chains: int = 0
    findings: list[Finding] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(database: Database, anchor: Anchor | None) -> Verification:
    """Read the whole log, as it is at one moment, and say what was changed in it.

    Args:
        database: where the log is.
        anchor: the ends that were kept elsewhere last; without one a log cut back to an older state is not told.
    """
    with database.transaction() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return Verifier(connection, Hasher(database.settings), anchor).verify()


class Verifier:
    """One reading of the log."""

    def __init__(self, connection: psycopg.Connection, hasher: Hasher, anchor: Anchor | None) -> None:
        self._connection = connection
        self._hasher = hasher
        self._anchored = dict(anchor.heads) if anchor else {}
        self._found = Verification()

    def verify(self) -> Verification:
        """What was read, and what was found.

        Raises:
            DatabaseUnavailableError: it cannot be read now.
        """
        try:
            self._read()
        except (psycopg.DataError, psycopg.NotSupportedError, psycopg.ProgrammingError) as error:
            problem = str(error).splitlines()[0]
            self._tell(WHOLE_LOG, None, f"its tables are not as they were made, and cannot be read: {problem}")
        return self._found

    def _read(self) -> None:
        """Chains first, which say where each begins; then their entries; then what there should be besides."""
        self._read_heads()
        starts = self._read_chains()
        ends = self._read_entries(starts)
        for chain_id, head in ends.items():
            self._check_end(chain_id, head)
        for chain_id in self._found.heads.keys() - starts.keys() - {ALL_CHAINS}:
            self._tell(chain_id, None, "the chain is missing")
        for chain_id in self._anchored.keys() - ends.keys() - {ALL_CHAINS}:
            self._tell(chain_id, None, "the chain is missing, and was there when the last anchor was taken")

    def _read_heads(self) -> None:
        for row in fetch_rows(self._connection, queries("audit")["read_heads"]):
            chain_id, head = row["chain_id"], Head(row["sequence"], row["hash"])
            self._found.heads[chain_id] = head
            if not hmac.compare_digest(row["seal"], self._hasher.seal(chain_id, head)):
                self._tell(chain_id, head.sequence, "the end that the database names was changed")

    def _read_chains(self) -> dict[str, Head]:
        """Where each chain begins."""
        starts: dict[str, Head] = {}
        last = Head(0, NOTHING)
        for row in fetch_rows(self._connection, queries("audit")["read_chains"]):
            position, chain_id, previous = row["position"], row["chain_id"], row["previous_hash"]
            made = self._hasher.chain(position, chain_id, row["opened_at"], row["opened_by"], previous)
            self._check_place(ALL_CHAINS, position, last, previous)
            if not hmac.compare_digest(made, row["hash"]):
                self._tell(ALL_CHAINS, position, f"the beginning of {chain_id} was changed")
            last = Head(position, row["hash"])
            self._check_anchored(ALL_CHAINS, last)
            starts[chain_id] = Head(0, row["hash"])
        self._found.chains = len(starts)
        if starts or ALL_CHAINS in self._found.heads or ALL_CHAINS in self._anchored:
            self._check_end(ALL_CHAINS, last)
        return starts

    def _read_entries(self, starts: dict[str, Head]) -> dict[str, Head]:
        """Where each chain ends."""
        ends = dict(starts)
        make, compare = self._hasher.entry, hmac.compare_digest
        for row in self._rows():
            chain_id, sequence, previous, stated = row[0], row[1], row[LAST], row[LAST + 1]
            if chain_id not in ends:
                self._tell(chain_id, sequence, "its chain was never opened")
                ends[chain_id] = Head(sequence - 1, previous)
            last = ends[chain_id]
            if sequence != last.sequence + 1 or previous != last.hash:
                self._check_place(chain_id, sequence, last, previous)
            if not compare(make(chain_id, sequence, row[FIRST:LAST], previous), stated):
                self._tell(chain_id, sequence, "it was changed, or written by another")
            ends[chain_id] = last = Head(sequence, stated)
            if self._anchored:
                self._check_anchored(chain_id, last)
            self._found.entries += 1
        return ends

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor("audit", scrollable=False) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(queries("audit")["read_entries"], binary=True)

    def _check_place(self, chain_id: str, sequence: int, last: Head, previous: bytes) -> None:
        if sequence != last.sequence + 1:
            others = f", and all up to {sequence - 1}" if sequence > last.sequence + 2 else ""
            self._tell(chain_id, last.sequence + 1, f"it is missing{others}")
        elif previous != last.hash:
            self._tell(chain_id, sequence, "it does not follow the one before it")

    def _check_end(self, chain_id: str, last: Head) -> None:
        """Whether a chain ends where it should, by the database and by the anchor."""
        head, anchored = self._found.heads.get(chain_id), self._anchored.get(chain_id)
        if head is None:
            self._tell(chain_id, None, "its end is not on record")
        elif head != last:
            what = "it is missing, and all that follow" if head.sequence > last.sequence else "it is beyond the end"
            self._tell(chain_id, min(head.sequence, last.sequence) + 1, what)
        if anchored and anchored.sequence > last.sequence:
            self._tell(chain_id, last.sequence + 1, "it was there when the last anchor was taken, and is missing")

    def _check_anchored(self, chain_id: str, last: Head) -> None:
        anchored = self._anchored.get(chain_id)
        if anchored and anchored.sequence == last.sequence and anchored.hash != last.hash:
            self._tell(chain_id, last.sequence, "it is another one than when the last anchor was taken")

    def _tell(self, chain_id: str, sequence: int | None, what: str) -> None:
        self._found.findings.append(Finding(chain_id, sequence, what))
