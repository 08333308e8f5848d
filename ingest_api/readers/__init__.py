"""Readers: any file that a field office sends, as submissions.

A reader opens a file by its first rows and gives what follows one survey at a time: a 1 GB file takes no more memory
than a small one. Workbooks, which must be read whole, are read in a process of their own.
"""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from ingest_api.readers.archives import gunzipped, list_members, open_zip, unzipped
from ingest_api.readers.csv_reader import open_csv
from ingest_api.readers.excel import open_excel
from ingest_api.readers.json_reader import open_json, open_json_lines
from ingest_api.readers.limits import EXPANDED_BYTES
from ingest_api.readers.members import Member, UnreadableMember
from ingest_api.readers.sniffing import check_declared, sniff
from ingest_api.readers.survey_file import SurveyFile
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

__all__ = ["SurveyFile", "open_survey_files"]

# Among good files of an archive, one that is only no survey file costs itself; what is hostile costs the archive.
HARMLESS = {
    "file.damaged", "file.empty", "file.encrypted", "file.invalid_json", "file.no_identifier", "file.no_rows",
    "file.no_sheet", "file.not_csv", "file.unknown_format", "file.unknown_header", "file.wrong_type",
}  # fmt: skip


@dataclass(frozen=True)
class _Opener:
    """How the files of one upload are to be read."""

    contract: Contract
    file_type: str | None
    sheet: str | None
    most_bytes: int

    @contextmanager
    def open(self, file: BinaryIO, filename: str) -> Iterator[SurveyFile]:
        """A file that is no archive."""
        found = sniff(file, filename, self.file_type)
        if found in {"gzip", "zip"}:
            message = f"The file holds an archive within an archive ({found})."
            raise UnreadableFileError(message, code="file.nested_archive", remedy="Pack the files once.")
        check_declared(found, self.file_type)
        if found == "excel":
            with open_excel(file, self.contract, self.sheet) as table:
                yield table
        elif found == "parquet":
            # 0.2 s and 60 MB that other formats need not pay
            from ingest_api.readers.parquet import open_parquet

            yield open_parquet(file, self.contract, self.most_bytes)
        elif found == "json":
            yield open_json(file, self.contract)
        elif found == "jsonl":
            yield open_json_lines(file, self.contract)
        else:
            yield open_csv(file, self.contract)

    def open_members(self, archive: zipfile.ZipFile) -> Iterator[SurveyFile]:
        """The files of an archive, one open at a time; those that cannot be read come last."""
        refused: list[tuple[str, UnreadableFileError]] = []
        last = 0
        members = list_members(archive, self.most_bytes)
        for info in members:
            name = _printable(info.filename)
            try:
                with unzipped(archive, info, self.most_bytes) as file, self.open(file, info.filename) as opened:
                    member = Member(name, opened, last)
                    yield member
                    last = member.last
            except UnreadableFileError as error:
                if error.error_code not in HARMLESS:
                    raise
                refused.append((name, error))
        if len(refused) == len(members):
            raise refused[0][1]
        for number, (name, reason) in enumerate(refused, start=last + 1):
            yield UnreadableMember(name, number, list(self.contract.names), reason)


@contextmanager
def open_survey_files(
    file: BinaryIO,
    contract: Contract,
    *,
    filename: str,
    file_type: str | None = None,
    sheet: str | None = None,
    most_bytes: int = EXPANDED_BYTES,
) -> Iterator[Iterable[SurveyFile]]:
    """The tables or lists of surveys that a file holds: one, or as many as a zip file has members.

    They are to be read in order, each before the next is asked for.

    Args:
        file: its bytes; may be sought in.
        contract: the form that its surveys are of.
        filename: what its sender calls it; decides only where the content leaves a choice.
        file_type: what its sender says it is: csv, excel, json, jsonl or parquet.
        sheet: the sheet of a workbook; the first one when omitted.
        most_bytes: how large it may be when it is unpacked.

    Raises:
        UnreadableFileError: no survey of it can be read, or it is not what it says it is.
    """
    opener = _Opener(contract, file_type, sheet, most_bytes)
    with ExitStack() as opened:
        found = sniff(file, filename, file_type)
        if found == "zip":
            archive = opened.enter_context(open_zip(file))
            yield opener.open_members(archive)
            return
        if found == "gzip":
            file = opened.enter_context(gunzipped(file, most_bytes))
            filename = filename.removesuffix(".gz")
        yield [opened.enter_context(opener.open(file, filename))]


def _printable(name: str) -> str:
    """A member's name as a message can bear it."""
    return "".join(character if character.isprintable() else "?" for character in name[:100])
