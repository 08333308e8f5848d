"""Identities, claimed under a unique key before their rows are stored: the same submission is stored once."""

from collections.abc import Sequence

import numpy as np
import psycopg

from ingest_api.records import Submission
from warehouse.database import queries

FEW_ROWS = 500  # for which the quick way saves nothing
WARY_BATCHES = 10
FILTER_BITS = 27


class Claims:
    """Claims the identities of one ingestion, batch by batch.

    Rows that the file has not shown before are first claimed by COPY, which takes half the time of an insert that
    looks for conflicts. Where one of them is stored already, by another upload or by one that is at work, the batch
    is claimed by such an insert, and so are the next ones: a file that repeats one row often repeats many.

    Args:
        connection: in the transaction of the ingestion.
        form: the form of its rows.
        ingestion_id: the ingestion.
    """

    def __init__(self, connection: psycopg.Connection, form: str, ingestion_id: str) -> None:
        self._connection = connection
        self._names = {"form": form, "ingestion_id": ingestion_id}
        self._seen: SeenIdentities | None = None
        self._wary = 0

    def claim(self, rows: Sequence[Submission]) -> dict[int, bool]:
        """Claim the identities of a batch; the numbers of repeated rows, and whether their content differs.

        A twin in another transaction is waited for. The rows that are repeated with the same content are noted in
        `raw.repeated_rows`.
        """
        doubtful = rows if len(rows) < FEW_ROWS else self._claim_new(rows)
        if not doubtful:
            return {}
        statements = queries("ingestion")
        cursor = self._connection.cursor(binary=True)
        claimed = {row[0] for row in cursor.execute(statements["claim_identities"], self._names | _keys(doubtful))}
        if len(claimed) == len(doubtful):
            return {}
        repeated = [row for row in doubtful if row.number not in claimed]
        return dict(cursor.execute(statements["note_repeated"], self._names | _keys(repeated)).fetchall())

    def _claim_new(self, rows: Sequence[Submission]) -> Sequence[Submission]:
        """Claim those rows of a batch that are new, if they can be; the rows that are still to be claimed."""
        self._seen = self._seen or SeenIdentities()
        is_new = self._seen.note(rows)
        if self._wary:
            self._wary -= 1
            return rows
        try:
            with self._connection.transaction():
                self._copy([row for row, new in zip(rows, is_new, strict=True) if new])
        except psycopg.errors.UniqueViolation:
            self._wary = WARY_BATCHES
            return rows
        return [row for row, new in zip(rows, is_new, strict=True) if not new]

    def _copy(self, rows: list[Submission]) -> None:
        form, ingestion_id = self._names["form"], self._names["ingestion_id"]
        lines = [f"{row.identity},{form},{row.content_hash},{ingestion_id},{row.number}\n" for row in rows]
        lines.sort()  # neighbours in the index are written together, and twins wait for each other in one order
        with self._connection.cursor().copy(queries("ingestion")["copy_identities"]) as copy:
            copy.write("".join(lines))


class SeenIdentities:
    """The identities of the rows that a file has shown so far, in 16 MiB whatever their number.

    One that was seen is known as seen. One that was not may be taken for seen, which costs time and nothing else.
    """

    def __init__(self) -> None:
        self._bits = np.zeros(1 << (FILTER_BITS - 3), np.uint8)

    def note(self, rows: Sequence[Submission]) -> list[bool]:
        """Note rows; whether each was surely not seen before."""
        identities = bytes.fromhex("".join([row.identity for row in rows]))
        places = np.frombuffer(identities, ">u4")[::4] >> (32 - FILTER_BITS)
        cells, bits = places >> 3, np.left_shift(1, places & 7).astype(np.uint8)
        is_new = (self._bits[cells] & bits) == 0
        first = np.zeros(len(rows), bool)
        first[np.unique(places, return_index=True)[1]] = True
        np.bitwise_or.at(self._bits, cells, bits)
        return [bool(new) for new in is_new & first]


def _keys(rows: Sequence[Submission]) -> dict[str, str]:
    """The keys of rows as PostgreSQL's array literals: many times faster than lists."""
    return {
        "identities": f"{{{','.join([row.identity for row in rows])}}}",
        "content_hashes": f"{{{','.join([row.content_hash for row in rows])}}}",
        "row_numbers": f"{{{','.join([str(row.number) for row in rows])}}}",
    }
