"""Parquet: its footer here, its rows in a process of their own."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from ingest_api.layouts import Layout
from ingest_api.readers.excel_child import END
from ingest_api.readers.limits import EXPANDED_BYTES, PARQUET_MEMORY, check_columns, check_expansion
from ingest_api.readers.tables import Row, Table, no_rows, unknown_fields
from warehouse.contract import Contract
from warehouse.crypto.spool import PrivateFile
from warehouse.errors import UnreadableFileError

CHILD = "ingest_api.readers.parquet_child"
MOST_COLUMNS_IN_FOOTER = 100_000  # of all row groups together
LONGEST_FOOTER = 16 * 1024**2


def open_parquet(file: BinaryIO, contract: Contract, most_bytes: int = EXPANDED_BYTES) -> Table:
    """Read the schema of a Parquet file; its values are decoded only as its rows are read.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large, empty, or has no field of the form. Reading its
            rows may raise it, too.
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
    packed = file.seek(0, io.SEEK_END)
    check_expansion(as_text, packed, most_bytes)
    layout = Layout(contract, parquet.schema_arrow.names)
    if not layout.has_identifier:
        raise unknown_fields(contract, layout)
    if not metadata.num_rows:
        raise no_rows()
    return Table(layout, _bounded(_rows(file), packed, most_bytes), metadata.num_rows, "parquet")


def _open(file: BinaryIO) -> Any:
    file.seek(0)
    try:
        return ParquetFile(
            pa.PythonFile(file, mode="r"),
            pre_buffer=False,
            thrift_string_size_limit=LONGEST_FOOTER,
            thrift_container_size_limit=MOST_COLUMNS_IN_FOOTER,
        )
    except (pa.ArrowException, OSError) as error:
        raise _damaged(str(error)) from error


def _bounded(rows: Iterator[Row], packed: int, most_bytes: int) -> Iterator[Row]:
    """The rows, until their text has grown too much: a value that many rows share is packed only once."""
    expanded = 0
    for row in rows:
        expanded += len(row[1]) + sum(map(len, row[1]))
        check_expansion(expanded, packed, most_bytes)
        yield row


def _rows(file: BinaryIO) -> Iterator[Row]:
    """Every row, numbered from 1."""
    with PrivateFile() as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        encrypted, key = copy.hand_over()
        key_end = _piped(key)
        with subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-m", CHILD, str(PARQUET_MEMORY), str(key_end)],
            stdin=encrypted,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[key_end],
        ) as child:
            os.close(key_end)
            assert child.stdout is not None  # noqa: S101 - it is opened with a pipe
            try:
                yield from _decoded(child.stdout)
            finally:
                child.kill()


def _piped(key: bytes) -> int:
    """The end of a pipe from which a key can be read once: arguments and environments can be seen from outside."""
    key_end, our_end = os.pipe()
    os.write(our_end, key)
    os.close(our_end)
    return key_end


def _decoded(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            break  # the child was killed in the middle of its work
        cells = json.loads(line)
        if cells == END:
            return
        if isinstance(cells, dict):
            if cells["error"] == "file.damaged":
                raise _damaged(cells["reason"])
            break
        yield number, cells
    raise UnreadableFileError(
        f"The file's values take more than {PARQUET_MEMORY // 1024**2} MiB of memory to read.",
        code="file.expands_too_much",
        remedy="Write it in smaller row groups, or send it as CSV.",
    )


def _damaged(reason: str) -> UnreadableFileError:
    reason = " ".join(reason.split())[:200]
    return UnreadableFileError(
        f"The Parquet file cannot be read: {reason}.", code="file.damaged", remedy="Write it again and send that."
    )
