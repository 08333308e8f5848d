"""Parquet, read a batch of rows at a time."""

import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from ingest_api.layouts import Layout
from ingest_api.readers.excel_child import cell_text
from ingest_api.readers.limits import EXPANDED_BYTES, check_columns, check_expansion
from ingest_api.readers.tables import Row, Table, no_rows, unknown_fields
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

BATCH_ROWS = 1_000
BUFFER_BYTES = 128 * 1024  # read at a time of each column; whole row groups would not fit into memory
MOST_COLUMNS_IN_FOOTER = 100_000  # of all row groups together
LONGEST_FOOTER = 16 * 1024**2


def open_parquet(file: BinaryIO, contract: Contract, most_bytes: int = EXPANDED_BYTES) -> Table:
    """Read the schema of a Parquet file.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large, empty, or has no field of the form.
    """
    parquet = _open(file)
    metadata = parquet.metadata
    check_columns(metadata.num_columns)
    # A column of one value packs into nothing: as text each of its cells takes a byte at least.
    as_text = max(
        metadata.num_rows * metadata.num_columns,
        *(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)),
        0,
    )
    check_expansion(as_text, file.seek(0, io.SEEK_END), most_bytes)
    layout = Layout(contract, parquet.schema_arrow.names)
    if not layout.has_identifier:
        raise unknown_fields(contract, layout)
    rows = _rows(parquet)
    first = next(rows, None)
    if first is None:
        raise no_rows()
    return Table(layout, chain([first], rows), metadata.num_rows, "parquet")


def _open(file: BinaryIO) -> Any:
    file.seek(0)
    try:
        return ParquetFile(
            pa.PythonFile(file, mode="r"),
            pre_buffer=False,
            buffer_size=BUFFER_BYTES,
            thrift_string_size_limit=LONGEST_FOOTER,
            thrift_container_size_limit=MOST_COLUMNS_IN_FOOTER,
        )
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from error


def _rows(parquet: Any) -> Iterator[Row]:
    """Every row, numbered from 1."""
    number = 0
    try:
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            columns = [list(map(_text_of(column), _values(column))) for column in batch.columns]
            yield from enumerate(zip(*columns, strict=True), start=number + 1)
            number += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _damaged(error) from error


def _values(column: Any) -> list[Any]:
    """A column's values as Python has them; times finer than a microsecond as text, which Python's cannot hold."""
    kind = column.type
    if (pa.types.is_timestamp(kind) or pa.types.is_time64(kind)) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else "time64[us]", safe=False)
    return list(column.to_pylist())


def _text_of(column: Any) -> Callable[[Any], str]:
    return _nested_text if pa.types.is_nested(column.type) else _plain_text


def _plain_text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else cell_text(value)


def _nested_text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=_json_value)


def _json_value(value: Any) -> str:
    if isinstance(value, (bytes, dt.date, dt.time)):
        return _plain_text(value)
    return str(value)


def _damaged(error: Exception) -> UnreadableFileError:
    reason = " ".join(str(error).split())[:200]
    return UnreadableFileError(
        f"The Parquet file cannot be read: {reason}.", code="file.damaged", remedy="Write it again and send that."
    )
