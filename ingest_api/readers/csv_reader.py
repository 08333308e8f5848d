"""CSV as the field sends it: any delimiter, any encoding, and single bad rows that cost no good one."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ingest_api.layouts import Layout
from ingest_api.readers.csv_lines import LONGEST_LINE, MOST_LINES, Lines, RecordTooLongError
from ingest_api.readers.limits import check_columns
from ingest_api.records import Rejection, Submission, excerpt
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 20  # lines: above it a title may stand
HEAD_BYTES = 65_536
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
FOREIGN_FORMATS = {
    b"PK\x03\x04": "a zip or Excel file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "gzipped",
}

csv.field_size_limit(LONGEST_LINE)


@dataclass
class CsvFile:
    """An opened CSV file whose header is known; iterate once over `submissions`.

    Attributes:
        estimated_rows: from the size of the file and of its first lines.
        notices: what its owner should know, complete after the last submission.
    """

    layout: Layout
    delimiter: str
    estimated_rows: int
    lines: Lines
    notices: list[str] = field(default_factory=list)
    format: str = "csv"

    @property
    def names(self) -> list[str]:
        """The fields that its rows have, in order."""
        return self.layout.names

    @property
    def unknown(self) -> list[str]:
        """The headers that the contract does not know."""
        return self.layout.unknown

    def submissions(self) -> Iterator[Submission | Rejection]:
        """Every record of the file, in order; blank lines are none."""
        lines, delimiter, layout = self.lines, self.delimiter, self.layout
        marks = layout.width - 1
        blank = 0
        for line in lines:
            if '"' in line:
                lines.push_back(line)
                if (submission := self._quoted_record()) is None:
                    blank += 1
                else:
                    yield submission
                continue
            line = line.rstrip("\r\n")  # noqa: PLW2901 - its ending is none of the line's cells
            if line.count(delimiter) == marks and delimiter == "," and lines.is_calm and line.strip(","):
                yield layout.plain_submission(lines.number, line)
            elif not line.replace(delimiter, "").strip():
                blank += 1
            else:
                yield self._row(lines.number, line.split(delimiter), line)
        self._note(blank)

    def _quoted_record(self) -> Submission | Rejection | None:
        """The record that begins at the next line, whose quotes may run over several; None where it is blank."""
        lines = self.lines
        lines.begin_record()
        number = lines.number + 1
        try:
            cells = next(csv.reader(lines, delimiter=self.delimiter, strict=True))
            if len(lines.record) > 1 and len(cells) != self.layout.width:
                return self._mend(number)
            return self._row(number, cells, "".join(lines.record)) if any(cells) else None
        except (csv.Error, RecordTooLongError):
            return self._mend(number)
        finally:
            lines.end_record()

    def _row(self, number: int, cells: list[str], text: str) -> Submission | Rejection:
        width = self.layout.width
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) == width:
            return self.layout.submission(number, cells)
        message = f"The row has {len(cells)} cells, the header has {width}."
        return Rejection(number, "row.ragged", message, excerpt(text))

    def _mend(self, number: int) -> Submission | Rejection:
        """The first line of a record whose quotes go wrong, by itself; the lines that it swallowed are read anew."""
        line = self.lines.retreat()
        if line.count('"') % 2 == 0:
            cells = next(csv.reader([line], delimiter=self.delimiter), [])
            if len(cells) == self.layout.width:
                return self.layout.submission(number, cells)
        message = "A quote is opened in this row and not closed before the end of the line."
        return Rejection(number, "row.unclosed_quote", message, excerpt(line))

    def _note(self, blank: int) -> None:
        if self.lines.recoded:
            self.notices.append(f"{self.lines.recoded} lines were not UTF-8 and were read as Windows-1252.")
        if blank:
            self.notices.append(f"{blank} blank lines were passed over.")


def open_csv(file: BinaryIO, contract: Contract) -> CsvFile:
    """Read the header of a CSV file.

    Raises:
        UnreadableFileError: the file is no CSV, is empty, or its header names no known field.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    _refuse_foreign(head)
    file.seek(0)
    lines = Lines(file)
    layout, delimiter = _read_header(lines, contract)
    line_bytes = len(head) / max(1, head.count(b"\n") or head.count(b"\r"))
    if not lines.has_more():
        raise UnreadableFileError("The file has a header and no rows.", code="file.no_rows")
    return CsvFile(layout, delimiter, max(1, round(size / max(1.0, line_bytes)) - 1), lines)


def _read_header(lines: Lines, contract: Contract) -> tuple[Layout, str]:
    """The layout of the first line that names fields; what stands above it is a title."""
    headers: list[str] = []
    while len(headers) < HEADER_WITHIN and (header := _next_header(lines)):
        headers.append(header)
        layout, delimiter = _best_layout(contract, header)
        if layout.has_identifier:
            return layout, delimiter
    if not headers:
        raise UnreadableFileError("The file is empty.", code="file.empty", remedy="Send a header and one row a survey.")
    if any(_best_layout(contract, header)[0].names for header in headers[:1]):
        raise UnreadableFileError(
            f"No column holds the identifier ({contract.identifier}).",
            code="file.no_identifier",
            remedy=f"Add a column {contract.identifier}, or name another form than {contract.form}.",
        )
    # What stands there is not repeated: where the header is missing, it is somebody's answers.
    raise UnreadableFileError(
        f"Nothing in the first line of {len(headers[0].strip()):,} characters is a field of the form {contract.form}.",
        code="file.unknown_header",
        remedy="The first line must name the fields, parted by comma, semicolon, tab or bar.",
    )


def _next_header(lines: Lines) -> str:
    """The next line that is not blank, with those that its quoted line breaks run over."""
    header = ""
    lines.begin_record()
    for line in lines:
        header += line if header or line.strip() else ""
        if header and header.count('"') % 2 == 0:
            break
        if len(lines.record) >= MOST_LINES - 1:
            break
    lines.end_record()
    return header


def _best_layout(contract: Contract, header: str) -> tuple[Layout, str]:
    """The layout under the delimiter that makes most of the header known."""
    splits = [(_split(header, mark), mark) for mark in DELIMITERS]
    check_columns(max(len(names) for names, _ in splits))
    layouts = [(Layout(contract, names), mark) for names, mark in splits]
    return max(layouts, key=lambda candidate: len(candidate[0].names))


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
