"""What a query gives, as a Parquet file: streamed, so that it takes little memory whatever its size."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv, parquet

BLOCK_BYTES = 32 * 1024**2  # of CSV: one group of rows in the file
TIME = pa.timestamp("us", tz="UTC")
BUFFER_BYTES = 1024**2
# What is none of these is text: identifiers as they are written, arrays and documents as JSON.
TYPES = {
    "bool": pa.bool_(),
    "date": pa.date32(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "numeric": pa.float64(),
    "timestamptz": TIME,
}


@dataclass(frozen=True)
class Column:
    """A column of a query: its name, its type in the database and whether that is an array."""

    name: str
    type: str
    is_array: bool

    @property
    def arrow_type(self) -> pa.DataType:
        """Its type in the file."""
        return pa.string() if self.is_array else TYPES.get(self.type, pa.string())


def read_columns(connection: psycopg.Connection, query: sql.Composed) -> list[Column]:
    """The columns that a query gives."""
    described = connection.execute(sql.SQL("select * from ({}) as given limit 0").format(query)).description or ()
    return [_read_column(connection, column) for column in described]


def write_parquet(connection: psycopg.Connection, query: sql.Composed, columns: list[Column], target: BinaryIO) -> int:
    """Write what a query gives into a file, by its first column, and return how many rows that is.

    Args:
        connection: in a transaction.
        query: gives the rows.
        columns: the query's, by `read_columns`.
        target: where to write.
    """
    schema = pa.schema([(column.name, column.arrow_type) for column in columns])
    rows = 0
    with (
        connection.cursor().copy(_copy(query, columns)) as copy,
        parquet.ParquetWriter(target, schema, compression="zstd") as writer,
    ):
        for batch in _read(_Chunks(iter(copy)), schema):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _read_column(connection: psycopg.Connection, described: psycopg.Column) -> Column:
    info = connection.adapters.types.get(described.type_code)
    if info is None:
        return Column(described.name, "text", is_array=False)
    return Column(described.name, info.name, is_array=info.array_oid == described.type_code)


def _copy(query: sql.Composed, columns: list[Column]) -> sql.Composed:
    values = sql.SQL(", ").join(
        sql.SQL("to_jsonb({name})::text as {name}" if column.is_array else "{name}").format(
            name=sql.Identifier(column.name)
        )
        for column in columns
    )
    return sql.SQL("copy (select {} from ({}) as given order by 1) to stdout (format csv)").format(values, query)


def _read(chunks: "_Chunks", schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        reader = csv.open_csv(
            io.BufferedReader(chunks, BUFFER_BYTES),
            read_options=csv.ReadOptions(column_names=schema.names, block_size=BLOCK_BYTES),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid:
        if chunks.has_given:
            raise
        return  # the query gives no row
    yield from reader


class _Chunks(io.RawIOBase):
    """The chunks of a COPY as a file to read from."""

    def __init__(self, chunks: Iterator[bytes | bytearray | memoryview]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = memoryview(b"")
        self.has_given = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Give the next bytes, as many as there are at once."""
        if not self._left:
            self._left = memoryview(next(self._chunks, b""))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        self.has_given = self.has_given or size > 0
        return size
