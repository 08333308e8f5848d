"""PostgreSQL's binary format of COPY, read as matrices and written from arrays.

A file has a header, for each row the number of its fields and for each field its length and value, and a trailer.
PostgreSQL sends each row as a message of its own; the header comes with the first.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg import sql

from ml.features import Feature

Floats = NDArray[np.float64]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
COUNT_BYTES = 2
JSONB_VERSION = b"\x01"


def read_rows(connection: psycopg.Connection, query: sql.Composable) -> list[bytes]:
    """The rows that a query gives, each as its fields in the binary format."""
    statement = sql.SQL("copy ({}) to stdout with (format binary)").format(query)
    with connection.cursor().copy(statement) as copy:
        first, *others = copy
    *rows, _ = [first[len(HEADER) :], *others]
    return [bytes(row[COUNT_BYTES:]) for row in rows]


def split_rows(rows: Sequence[bytes], columns: int) -> tuple[Floats, list[bytes]]:
    """Rows that begin with doubles, none of them null: these as a matrix, infinite ones as NaN; and what follows."""
    width = columns * _field(">f8").itemsize
    cells = np.frombuffer(b"".join([row[:width] for row in rows]), dtype=_field(">f8"))
    matrix = cells["value"].astype(np.float64).reshape(len(rows), columns)
    matrix[np.isinf(matrix)] = np.nan
    return matrix, [row[width:] for row in rows]


def as_double(feature: Feature, categories: Mapping[str, Sequence[str]]) -> sql.Composed:
    """A column of the mart (`mart`) as a double, as `Encoding.encode` would have it."""
    column = sql.SQL("mart.{}").format(sql.Identifier(feature.name))
    if feature.kind == "boolean":
        column += sql.SQL("::integer")
    if feature.kind == "category":
        # places count from 1 in PostgreSQL
        known = sql.Literal(list(categories[feature.name]))
        column = sql.SQL("case when {} is not null then coalesce(array_position({}::text[], {}) - 1, -1) end").format(
            column, known, column
        )
    return sql.SQL("coalesce(({})::double precision, 'NaN')").format(column)


def text_field(text: str) -> bytes:
    """A text as a field."""
    content = text.encode()
    return struct.pack(">i", len(content)) + content


def number_fields(alike: bytes, numbers: Sequence[tuple[str, NDArray[np.generic]]]) -> pa.Array:
    """Fields that are the same in every row, and after them numbers: each its type in numpy's words, and its values."""
    types = [(f"number_{place}", _field(kind)) for place, (kind, _) in enumerate(numbers)]
    fields = np.empty(len(numbers[0][1]), dtype=[("alike", f"V{len(alike)}"), *types])
    fields["alike"] = np.void(alike)
    for (name, kind), (_, values) in zip(types, numbers, strict=True):
        fields[name]["length"] = kind["value"].itemsize
        fields[name]["value"] = values
    return _as_binary(fields)


def jsonb_fields(texts: pa.Array) -> pa.Array:
    """Texts of JSON as fields."""
    frames = np.empty(len(texts), dtype=[("length", ">i4"), ("version", f"V{len(JSONB_VERSION)}")])
    frames["length"] = pc.binary_length(texts).to_numpy() + len(JSONB_VERSION)
    frames["version"] = np.void(JSONB_VERSION)
    return pc.binary_join_element_wise(_as_binary(frames), texts.cast(pa.binary()), b"")


def write_rows(copy: psycopg.Copy, count: int, *fields: pa.Array) -> None:
    """Send rows of `count` fields each, which lie one after the other in the arrays; one array may hold several."""
    rows = pc.binary_join_element_wise(pa.scalar(struct.pack(">h", count)), *fields, b"")
    start, end = np.frombuffer(rows.buffers()[1], dtype=np.int32)[[0, len(rows)]]
    copy.write(HEADER)
    copy.write(memoryview(rows.buffers()[2])[start:end])
    copy.write(TRAILER)


def _field(kind: str) -> np.dtype[np.void]:
    return np.dtype([("length", ">i4"), ("value", kind)])


def _as_binary(rows: NDArray[np.void]) -> pa.Array:
    content = pa.py_buffer(rows.view(np.uint8))
    return pa.Array.from_buffers(pa.binary(rows.itemsize), len(rows), [None, content]).cast(pa.binary())
