"""CSV as the field sends it: any delimiter, any encoding, and single bad rows that cost no good one."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ingest_api.records import Layout, Record, Rejection, excerpt
from warehouse.contract import IDENTIFIER, Contract
from warehouse.errors import UnreadableFileError

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 65_536
LONGEST_LINE = 64 * 1024**2
MOST_LINES = 100  # of one record: beyond this a quote was opened and not closed
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"
FOREIGN_FORMATS = {
    b"PK\x03\x04": "a zip or Excel file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "gzipped",
}

csv.field_size_limit(LONGEST_LINE)


@dataclass
class CsvFile:
    """An opened CSV file whose header is known; iterate once over `records`.

    Attributes:
        estimated_rows: from the size of the file and of its first lines.
        notices: what its owner should know, complete after the last record.
    """

    layout: Layout
    delimiter: str
    estimated_rows: int
    _lines: "Lines"
    notices: list[str] = field(default_factory=list)

    def records(self) -> Iterator[Record | Rejection]:
        """Every record of the file, in order; blank lines are none."""
        reader = self._reader()
        blank = 0
        while True:
            self._lines.begin_record()
            number = self._lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except (csv.Error, RecordTooLongError):
                reader = self._reader()
                yield self._mend(number)
                continue
            if len(self._lines.record) > 1 and len(cells) != self.layout.width:
                reader = self._reader()
                yield self._mend(number)
            elif not any(cells):
                blank += 1
            else:
                yield self._record(number, cells)
        self._note(blank)

    def _reader(self) -> "Iterator[list[str]]":
        return csv.reader(self._lines, delimiter=self.delimiter, strict=True)

    def _record(self, number: int, cells: list[str]) -> Record | Rejection:
        width = self.layout.width
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) == width:
            return Record(number, cells)
        message = f"The row has {len(cells)} cells, the header has {width}."
        return Rejection(number, "row.ragged", message, excerpt("".join(self._lines.record)))

    def _mend(self, number: int) -> Record | Rejection:
        """The first line of a record whose quotes go wrong, by itself; the lines that it swallowed are read anew."""
        line = self._lines.retreat()
        if line.count('"') % 2 == 0:
            cells = next(csv.reader([line], delimiter=self.delimiter), [])
            if len(cells) == self.layout.width:
                return Record(number, cells)
        message = "A quote is opened in this row and not closed before the end of the line."
        return Rejection(number, "row.unclosed_quote", message, excerpt(line))

    def _note(self, blank: int) -> None:
        if self._lines.recoded:
            self.notices.append(f"{self._lines.recoded} lines were not UTF-8 and were read as Windows-1252.")
        if blank:
            self.notices.append(f"{blank} blank lines were passed over.")
        self.notices += [f"Column {header!r} is not in the contract; kept in extras." for header in self.layout.unknown]


class RecordTooLongError(Exception):
    """One record spans more lines than any survey has."""


class Lines:
    """Decoded lines that remember the record they belong to, and can give all but its first line back."""

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.recoded = 0
        self.record: list[str] = []
        self._pushed: deque[str] = deque()
        self._lines = self._decode(file)

    def __iter__(self) -> "Lines":
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next line, with its ending."""
        if len(self.record) >= MOST_LINES:
            raise RecordTooLongError
        line = self._pushed.popleft() if self._pushed else next(self._lines)
        self.number += 1
        self.record.append(line)
        return line

    def begin_record(self) -> None:
        """Forget the lines of the record before."""
        self.record = []

    def retreat(self) -> str:
        """Give back all lines of the record but its first, which is returned."""
        first, *rest = self.record
        self._pushed.extendleft(reversed(rest))
        self.number -= len(rest)
        return first

    def _decode(self, file: BinaryIO) -> Iterator[str]:
        head = file.read(HEAD_BYTES)
        file.seek(len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0)
        if head.startswith(UTF16_MARKS):
            yield from _wrapped_lines(file, "utf-16")
        elif b"\n" not in head and b"\r" in head:
            # Lines end in carriage returns alone; Latin-1 gives each byte back as it was.
            yield from (self._decode_line(line.encode("latin-1")) for line in _wrapped_lines(file, "latin-1"))
        else:
            while line := file.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise UnreadableFileError("A line is longer than 64 MiB.", code="file.line_too_long")
                # A carriage return ends a line as well; inside quotes the CSV reader joins the parts again.
                yield from map(self._decode_line, line.splitlines(keepends=True))

    def _decode_line(self, line: bytes) -> str:
        for encoding in ("utf-8", "cp1252"):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            self.recoded += encoding != "utf-8"
            return text
        self.recoded += 1
        return line.decode("latin-1")  # any byte is a character there


def _wrapped_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        yield from text
    finally:
        if not file.closed:
            text.detach()  # the file is the caller's to close


def open_csv(file: BinaryIO, contract: Contract) -> CsvFile:
    """Read the header of a CSV file.

    Raises:
        UnreadableFileError: the file is no CSV, is empty, or its header names no known field.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    _refuse_foreign(head)
    file.seek(0)
    lines = Lines(file)
    header = _read_header(lines)
    if not header:
        raise UnreadableFileError("The file is empty.", code="file.empty", remedy="Send a header and one row a survey.")
    layout, delimiter = _best_layout(contract, header)
    data_bytes = max(0, size - len(header.encode()))
    body = _peek(file, len(header.encode()))
    line_bytes = len(body) / max(1, body.count(b"\n") or body.count(b"\r")) if body else 1
    if not body.strip():
        raise UnreadableFileError("The file has a header and no rows.", code="file.no_rows")
    return CsvFile(layout, delimiter, max(1, round(data_bytes / max(1.0, line_bytes))), lines)


def _read_header(lines: Lines) -> str:
    """The first line that is not blank, with those that its quoted line breaks run over."""
    header = ""
    for line in lines:
        header += line if header or line.strip() else ""
        if header and header.count('"') % 2 == 0:
            break
        if len(lines.record) >= MOST_LINES:
            break
    return header


def _peek(file: BinaryIO, start: int) -> bytes:
    position = file.tell()
    file.seek(start)
    body = file.read(HEAD_BYTES)
    file.seek(position)
    return body


def _best_layout(contract: Contract, header: str) -> tuple[Layout, str]:
    """The layout under the delimiter that makes most of the header known."""
    layouts = [(Layout(contract, _split(header, mark)), mark) for mark in DELIMITERS]
    layout, delimiter = max(layouts, key=lambda candidate: len(candidate[0].names))
    if not layout.names:
        raise UnreadableFileError(
            f"No column of the header is a field of the form {contract.form}: {header.strip()[:200]!r}.",
            code="file.unknown_header",
            remedy="The first line must name the fields, parted by comma, semicolon, tab or bar.",
        )
    if not layout.has_identifier:
        raise UnreadableFileError(
            f"No column holds the household's identifier ({IDENTIFIER}).",
            code="file.no_identifier",
            remedy=f"Add a column {IDENTIFIER}.",
        )
    return layout, delimiter


def _split(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(header.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return []


def _refuse_foreign(head: bytes) -> None:
    for mark, name in FOREIGN_FORMATS.items():
        if head.startswith(mark):
            raise UnreadableFileError(f"The file is {name}, not CSV.", code="file.not_csv", remedy="Export it as CSV.")
    if b"\0" in head.partition(b"\n")[0] and not head.startswith(UTF16_MARKS):
        raise UnreadableFileError("The file is binary, not CSV.", code="file.not_csv", remedy="Export it as CSV.")
