"""What a query gives, as a Parquet file: streamed, so that it takes little memory whatever its size."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv, parquet

from warehouse.crypto.keys import KeyRing

BLOCK_BYTES = 32 * 1024**2  # of CSV: one group of rows in the file
TIME = pa.timestamp("us", tz="UTC")
BUFFER_BYTES = 1024**2
MARK = {b"kyalo": b"encrypted"}
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
    """A column of a query.

    Attributes:
        name: its name.
        type: its type in the database.
        is_array: whether that is an array.
        is_sealed: whether each value is encrypted before it is written.
    """

    name: str
    type: str
    is_array: bool
    is_sealed: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """Its type in the file."""
        return pa.string() if self.is_array or self.is_sealed else TYPES.get(self.type, pa.string())

    @property
    def field(self) -> pa.Field:
        """What the file says of it; a sealed one bears a mark, by which `open_table` knows it."""
        return pa.field(self.name, self.arrow_type, metadata=MARK if self.is_sealed else None)


def read_columns(connection: psycopg.Connection, query: sql.Composed) -> list[Column]:
    """The columns that a query gives."""
    described = connection.execute(sql.SQL("select * from ({}) as given limit 0").format(query)).description or ()
    return [_read_column(connection, column) for column in described]


def write_parquet(
    connection: psycopg.Connection,
    query: sql.Composed,
    columns: list[Column],
    target: BinaryIO,
    keys: KeyRing | None = None,
) -> int:
    """Write what a query gives into a file, by its first column, and return how many rows that is.

    Args:
        connection: in a transaction.
        query: gives the rows.
        columns: the query's, by `read_columns`.
        target: where to write.
        keys: what sealed columns are encrypted with; needed where there are some.
    """
    schema = pa.schema([column.field for column in columns])
    rows = 0
    with (
        connection.cursor().copy(_copy(query, columns)) as copy,
        parquet.ParquetWriter(target, schema, compression="zstd") as writer,
    ):
        for batch in _read(_Chunks(iter(copy)), schema):
            writer.write_batch(_sealed(batch, columns, keys) if keys else batch)
            rows += batch.num_rows
    return rows


def open_table(source: BinaryIO, keys: KeyRing) -> pa.Table:
    """A Parquet file as a table, its sealed columns opened; their values are text, as the database writes them.

    Raises:
        IntegrityError: none of the keys opens a value.
    """
    table = parquet.read_table(pa.PythonFile(source, mode="r"))
    for position, field in enumerate(table.schema):
        if (field.metadata or {}).items() >= MARK.items():
            opened = [token and keys.open(token).decode() for token in table.column(position).to_pylist()]
            table = table.set_column(position, field.name, pa.array(opened, pa.string()))
    return table


def _sealed(batch: pa.RecordBatch, columns: list[Column], keys: KeyRing) -> pa.RecordBatch:
    for position, column in enumerate(columns):
        if column.is_sealed:
            values = batch.column(position).to_pylist()
            tokens = [value if value is None else keys.seal(value.encode()).decode() for value in values]
            batch = batch.set_column(position, column.field, pa.array(tokens, pa.string()))
    return batch


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
