"""Files of surveys without a household's; others' stay on the lines where they stood, and files in archives."""

import gzip
import io
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, cast

import orjson

from ingest_api.landing import conflict_content
from ingest_api.personal import CONTENT
from ingest_api.readers import SurveyFile, open_survey_files
from ingest_api.readers.archives import gunzipped, list_members, open_zip
from ingest_api.readers.csv_lines import Lines
from ingest_api.readers.limits import EXPANDED_BYTES
from ingest_api.readers.sniffing import sniff
from ingest_api.records import Rejection, Submission
from orchestration.erasure.documents import Whose, rest_of_documents, rest_of_lines
from orchestration.erasure.household import Household
from orchestration.erasure.readings import readings
from orchestration.erasure.resent_rows import ResentRows
from orchestration.erasure.rest import JSON_LINES, Rest
from warehouse.contract import Contract
from warehouse.crypto.spool import PrivateFile
from warehouse.errors import UnreadableFileError

WORKBOOKS = (b"\xd0\xcf\x11\xe0", b"PK\x03\x04")  # in which a name may stand in parts
LAST = sys.maxsize


@dataclass(frozen=True)
class Sent:
    """What is known of a file of surveys.

    Attributes:
        contract: the form that its surveys are of.
        filename: what its sender called it.
        options: how it is to be read: its type, the sheet.
        most_bytes: how large it may be when it is unpacked.
    """

    contract: Contract
    filename: str
    options: dict[str, Any] = field(default_factory=dict)
    most_bytes: int = EXPANDED_BYTES


def rest_of_file(whose: Whose, sent: Sent, source: BinaryIO, target: BinaryIO) -> Rest:
    """Write a file without the surveys that are to go.

    Text stays text, and blank lines stand where the household stood; workbooks and Parquet become JSON lines. A file
    that cannot be read, and names a household whose identifier can be nothing else, is kept in no part.
    """
    try:
        found = sniff(source, sent.filename, sent.options.get("file_type"))
        if found == "zip":
            return _rest_of_zip(whose, sent, source, target)
        if found == "gzip":
            with gunzipped(source, sent.most_bytes) as content, gzip.GzipFile("", "wb", 6, target, mtime=0) as packed:
                inner = replace(sent, filename=sent.filename.removesuffix(".gz"))
                rest = rest_of_file(whose, inner, content, cast(BinaryIO, packed))
            return replace(rest, suffix=rest.suffix and f"{rest.suffix}.gz")
        if found == "json":
            return rest_of_documents(whose, sent.contract, source, target)
        if found == "jsonl":
            return rest_of_lines(whose, sent.contract, source, target)
        return _rest_of_table(whose, sent, source, target)
    except UnreadableFileError:
        return Rest(gone=1 if isinstance(whose, Household) and is_surely_named(whose, source) else 0)


def may_hold(whose: Whose, content: BinaryIO) -> bool:
    """Whether a survey of the household can be in a content: it is named there, or nobody can tell but who reads it."""
    content.seek(0)
    head = content.read(len(WORKBOOKS[0]))
    if isinstance(whose, ResentRows) or whose.is_hidden or head.startswith(WORKBOOKS):
        return True
    return is_named(whose, content)


def is_surely_named(household: Household, content: BinaryIO) -> bool:
    """Whether a content names the household by an identifier that can be nothing else."""
    return household.is_distinct and is_named(household, content)


def is_named(household: Household, content: BinaryIO) -> bool:
    """Whether a content names the household anywhere, however it is packed and written."""
    return any(map(household.is_named_in, readings(content)))


def _rest_of_table(whose: Whose, sent: Sent, source: BinaryIO, target: BinaryIO) -> Rest:
    """That of a CSV file, a workbook or a Parquet file."""
    rest = Rest()
    with _table(sent, source) as table:
        if table.format == "csv":
            gone = list(_rows_of(whose, sent.contract, table, rest))
        else:
            rest.suffix = JSON_LINES
            _write_rows(whose, sent.contract, table, target, rest)
    if table.format == "csv" and gone:
        _write_lines(source, target, gone)
    return rest


@contextmanager
def _table(sent: Sent, source: BinaryIO) -> Iterator[SurveyFile]:
    options = {**sent.options, "most_bytes": sent.most_bytes}
    with open_survey_files(source, sent.contract, filename=sent.filename, **options) as tables:
        (table,) = tables
        yield table


def _rows_of(whose: Whose, contract: Contract, table: SurveyFile, rest: Rest) -> Iterator[range]:
    """The lines on which its surveys stand, each to the line before the next survey."""
    begun: int | None = None
    for item in table.submissions():
        if begun is not None:
            yield range(begun, item.number)
        is_its = _is_its(whose, contract, table.names, item)
        rest.count(item.number, is_its=is_its)
        begun = item.number if is_its else None
    if begun is not None:
        yield range(begun, LAST)


def _write_lines(source: BinaryIO, target: BinaryIO, gone: Sequence[range]) -> None:
    source.seek(0)
    lines, left = Lines(source), iter(gone)
    rows = next(left, None)
    for line in lines:
        while rows is not None and lines.number >= rows.stop:
            rows = next(left, None)
        is_its = rows is not None and lines.number in rows
        target.write((line[len(line.rstrip("\r\n")) :] if is_its else line).encode("utf-8", "replace"))


def _write_rows(whose: Whose, contract: Contract, table: SurveyFile, target: BinaryIO, rest: Rest) -> None:
    line = 1
    for item in table.submissions():
        target.write(b"\n" * (item.number - line))
        line = max(line, item.number)
        is_its = _is_its(whose, contract, table.names, item)
        rest.count(item.number, is_its=is_its)
        if not is_its:
            target.write(_written(item, table.names))


def _written(item: Submission | Rejection, names: Sequence[str]) -> bytes:
    if isinstance(item, Submission):
        return conflict_content(item, names).encode()
    return orjson.dumps({CONTENT: item.content})


def _is_its(whose: Whose, contract: Contract, names: Sequence[str], item: Submission | Rejection) -> bool:
    if isinstance(whose, ResentRows):
        return item.number in whose.numbers
    if isinstance(item, Rejection):
        return whose.is_told_by(item.content)
    if not whose.may_be_in(item.line):
        return False
    answers = orjson.loads(conflict_content(item, names))
    return whose.is_it(answers.get(contract.identifier))


def _rest_of_zip(whose: Whose, sent: Sent, source: BinaryIO, target: BinaryIO) -> Rest:
    """That of an archive: each file in it without the surveys that are to go, and all others as they are."""
    rest = Rest()
    with (
        open_zip(source) as archive,
        zipfile.ZipFile(cast(BinaryIO, _Forward(target)), "w", zipfile.ZIP_DEFLATED) as new,
    ):
        read = {info.filename for info in list_members(archive, sent.most_bytes)}
        for info in archive.infolist():
            with archive.open(info) as packed, PrivateFile() as content, PrivateFile() as without:
                shutil.copyfileobj(packed, content)
                files = cast(BinaryIO, content), cast(BinaryIO, without)
                inner = replace(sent, filename=info.filename, options={})
                taken = rest_of_file(_behind(whose, rest.last), inner, *files) if info.filename in read else Rest(1)
                rest.add(taken)
                if not taken.gone:
                    _add(new, info.filename, files[0])
                elif taken.kept:
                    _add(new, info.filename + (taken.suffix or ""), files[1])
    return rest


def _behind(whose: Whose, last: int) -> Whose:
    """The same rows in the file that follows one whose last row has that number: archives count on."""
    return whose.behind(last) if isinstance(whose, ResentRows) else whose


def _add(archive: zipfile.ZipFile, name: str, content: BinaryIO) -> None:
    content.seek(0)
    with archive.open(name, "w", force_zip64=True) as member:
        shutil.copyfileobj(content, member)


class _Forward(io.RawIOBase):
    """A target that is written in order and never sought in."""

    def __init__(self, target: BinaryIO) -> None:
        super().__init__()
        self._target = target

    def writable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Not told, so that nobody goes back."""
        raise OSError

    def write(self, content: Any) -> int:
        """Write on."""
        return self._target.write(content)
