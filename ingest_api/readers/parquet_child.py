"""The process that reads the rows of a Parquet file: writes them as JSON, a line each, and is bounded in memory.

A page of a few bytes can hold a value of megabytes and repeat it in every row; what kills this process harms no other.
"""

import contextlib
import datetime as dt
import json
import resource
import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from ingest_api.readers.excel_child import END, cell_text
from warehouse.crypto.spool import open_private, take_key

BATCH_ROWS = 1_000
BATCH_BYTES = 8 * 1024**2  # of values, as far as the file says how large they are
BUFFER_BYTES = 128 * 1024  # read at a time of each column; whole row groups would not fit into memory


def main(memory_bytes: int, key_end: int) -> None:
    """Write the rows of the private Parquet file on standard input, then END, or why they cannot be read.

    Args:
        memory_bytes: what this process may take.
        key_end: the descriptor from which the file's key is read.
    """
    with contextlib.suppress(ValueError, OSError):  # not every system can limit it
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    pa.set_memory_pool(pa.system_memory_pool())  # the others reserve more than they use
    pa.set_cpu_count(1)
    try:
        content = open_private(open(0, "rb"), take_key(key_end))  # noqa: SIM115 - standard input, to be sought in
        with pa.PythonFile(content, mode="r") as file:
            _write_rows(ParquetFile(file, pre_buffer=False, buffer_size=BUFFER_BYTES))
    except MemoryError:
        _write({"error": "file.expands_too_much"})
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        _write({"error": "file.damaged", "reason": str(error)})
    else:
        _write(END)


def _write_rows(parquet: Any) -> None:
    for batch in parquet.iter_batches(batch_size=_batch_rows(parquet.metadata), use_threads=False):
        columns = [list(map(_text_of(column), _values(column))) for column in batch.columns]
        for cells in zip(*columns, strict=True):
            _write(cells)


def _batch_rows(metadata: Any) -> int:
    """How many rows to read at a time, so that even large values are few."""
    groups = [metadata.row_group(position) for position in range(metadata.num_row_groups)]
    row_bytes = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=1)
    return min(BATCH_ROWS, max(1, BATCH_BYTES // max(1, row_bytes)))


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


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
