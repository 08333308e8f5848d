"""Workbooks of Excel and LibreOffice (xlsx, xlsb, xls, ods), one sheet of each."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, BinaryIO

from ingest_api.readers.excel_child import END
from ingest_api.readers.limits import WORKBOOK_CELLS, WORKBOOK_MEMORY, WORKBOOK_SECONDS, check_columns
from ingest_api.readers.tables import Row, Table, find_header, no_rows
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

CHILD = Path(__file__).with_name("excel_child.py")
TOO_LARGE = f"The sheet takes more than {WORKBOOK_MEMORY // 1024**2} MiB of memory to read."
REFUSALS = {
    "file.encrypted": ("The workbook is protected by a password.", "Save it without one."),
    "file.too_large": (TOO_LARGE, "Save it as CSV."),
    "file.damaged": ("The workbook is damaged or of an unknown kind", "Open it, save it again and send that."),
    "file.no_sheet": ("The workbook has no such sheet", "Name one of its sheets."),
}


@contextmanager
def open_excel(file: BinaryIO, contract: Contract, sheet: str | None = None) -> Iterator[Table]:
    """One sheet of a workbook, read in a process of its own.

    Args:
        file: the workbook.
        contract: the form that its rows are of.
        sheet: the sheet; the first one when omitted.

    Raises:
        UnreadableFileError: it is damaged, encrypted or too large, or the sheet holds no table of the form.
    """
    limits = map(str, (WORKBOOK_MEMORY, WORKBOOK_SECONDS, WORKBOOK_CELLS))
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", str(CHILD), sheet or "", *limits],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"RUST_BACKTRACE": "0"},  # what an allocation that fails would print costs more than the rest
    )
    try:
        _hand_over(file, _pipe(child.stdin))
        yield _read_table(_pipe(child.stdout), contract, sheet)
    finally:
        child.kill()
        child.wait()
        _pipe(child.stdout).close()


def _hand_over(file: BinaryIO, pipe: IO[bytes]) -> None:
    """Give the whole workbook to the child, which reads it all before it answers; no copy of it touches a disk."""
    file.seek(0)
    with contextlib.suppress(BrokenPipeError):  # what killed the child is told by what it did not write
        shutil.copyfileobj(file, pipe)
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def _read_table(lines: IO[bytes], contract: Contract, sheet: str | None) -> Table:
    first = lines.readline()
    described = json.loads(first) if first.endswith(b"\n") else {"error": "file.too_large"}
    if "error" in described:
        raise _refusal(described, sheet)
    check_columns(described["columns"])
    rows = _rows(lines)
    layout = find_header(rows, contract)
    filled = next((row for row in rows if any(row[1])), None)
    if filled is None:
        raise no_rows()
    return Table(layout, chain([filled], rows), max(1, described["rows"] - 1), "excel")


def _rows(lines: IO[bytes]) -> Iterator[Row]:
    """The rows, numbered as the workbook numbers them."""
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            break  # the child was killed in the middle of its work
        cells = json.loads(line)
        if cells == END:
            return
        yield number, cells
    message, remedy = REFUSALS["file.too_large"]
    raise UnreadableFileError(message, code="file.too_large", remedy=remedy)


def _refusal(described: dict[str, Any], sheet: str | None) -> UnreadableFileError:
    code = described["error"]
    message, remedy = REFUSALS[code]
    if code == "file.no_sheet":
        message, remedy = f"{message}: {sheet!r}.", f"It has {', '.join(map(repr, described['sheets']))}."
    elif code == "file.damaged":
        message = f"{message}: {described['reason']}."
    return UnreadableFileError(message, code=code, remedy=remedy)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - the child is opened with a pipe
    return pipe
