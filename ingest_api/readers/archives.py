"""Files within files: gzip and zip, unpacked into an encrypted temporary file and never by a name that they give."""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from ingest_api.readers.limits import DIRECTORY_BYTES, EXPANDED_BYTES, MEMBERS, check_expansion
from warehouse.crypto.spool import PrivateFile
from warehouse.errors import UnreadableFileError

CHUNK_BYTES = 1024**2
END_RECORD = struct.Struct("<4s4H2LH")
LONG_END_RECORD = struct.Struct("<4sQ2H2L4Q")
LONG_LOCATOR_BYTES = 20
SEE_LONG_RECORD = 0xFFFFFFFF
LONGEST_COMMENT = 65_535
ENCRYPTED = 0x1
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
WORKBOOK_PARTS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, struct.error, NotImplementedError, ValueError)


def is_workbook(file: BinaryIO) -> bool:
    """Whether a zip file is a workbook of Excel or LibreOffice."""
    with open_zip(file) as archive:
        names = {info.filename for info in archive.infolist()}
        if names & WORKBOOK_PARTS and len(names) > 1:
            infos = archive.infolist()
            check_expansion(sum(info.file_size for info in infos), sum(info.compress_size for info in infos))
            return True
        return False


@contextmanager
def open_zip(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """A zip file whose table of contents is small enough to be read.

    Raises:
        UnreadableFileError: it is damaged, or names too many files.
    """
    file.seek(0)
    try:
        if _directory_bytes(file) > DIRECTORY_BYTES:
            raise too_many_members()
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise _damaged(error) from error
    with archive:
        yield archive


def list_members(archive: zipfile.ZipFile, most_bytes: int = EXPANDED_BYTES) -> list[zipfile.ZipInfo]:
    """The files of an archive that may hold surveys, each once even if their names repeat.

    Raises:
        UnreadableFileError: there are too many or none, or one of them is encrypted or grows too much.
    """
    members = [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(info.filename)]
    if len(members) > MEMBERS:
        raise too_many_members()
    if not members:
        raise UnreadableFileError("There is no file in the archive.", code="file.empty")
    for info in members:
        if info.flag_bits & ENCRYPTED:
            raise UnreadableFileError(
                "The archive is protected by a password.", code="file.encrypted", remedy="Send it without one."
            )
        if info.compress_type not in METHODS:
            raise UnreadableFileError(
                "The archive is packed in a way that is not read here.",
                code="file.unknown_format",
                remedy="Pack it as an ordinary zip (deflate).",
            )
        check_expansion(info.file_size, info.compress_size, most_bytes)
    check_expansion(sum(info.file_size for info in members), sum(info.compress_size for info in members), most_bytes)
    return members


@contextmanager
def unzipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> Iterator[BinaryIO]:
    """One file of an archive, unpacked; its size is bounded by what `list_members` has checked."""
    try:
        packed = archive.open(member)
    except (*DAMAGED, RuntimeError) as error:
        raise _damaged(error) from error
    with packed, _unpacked(packed, lambda: member.compress_size, most_bytes) as file:
        yield file


@contextmanager
def gunzipped(file: BinaryIO, most_bytes: int = EXPANDED_BYTES) -> Iterator[BinaryIO]:
    """What a gzip file holds."""
    file.seek(0)
    with gzip.GzipFile(fileobj=file) as packed, _unpacked(packed, file.tell, most_bytes) as plain:
        yield plain


def too_many_members() -> UnreadableFileError:
    """The error of an archive that names too many files."""
    return UnreadableFileError(
        f"The archive holds more than {MEMBERS} files.", code="file.too_many_members", remedy="Send several archives."
    )


@contextmanager
def _unpacked(packed: gzip.GzipFile | IO[bytes], packed_bytes: Callable[[], int], most: int) -> Iterator[BinaryIO]:
    with PrivateFile() as file:
        try:
            while block := packed.read(CHUNK_BYTES):
                file.write(block)
                check_expansion(file.tell(), packed_bytes(), most)
        except (*DAMAGED, OSError) as error:
            raise _damaged(error) from error
        file.seek(0)
        yield cast(BinaryIO, file)


def _directory_bytes(file: BinaryIO) -> int:
    """How long the table of contents is by the archive's end record: it is read whole, so this is asked first."""
    size = file.seek(0, 2)
    tail_start = max(0, size - END_RECORD.size - LONGEST_COMMENT - LONG_LOCATOR_BYTES - LONG_END_RECORD.size)
    file.seek(tail_start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise zipfile.BadZipFile("it ends too early")
    directory = int(END_RECORD.unpack_from(tail, end)[5])
    locator = end - LONG_LOCATOR_BYTES
    if locator >= LONG_END_RECORD.size and tail.startswith(b"PK\x06\x07", locator):
        in_long_record = LONG_END_RECORD.unpack_from(tail, locator - LONG_END_RECORD.size)[8]
        directory = max(in_long_record, directory if directory != SEE_LONG_RECORD else 0)
    return directory


def _is_hidden(name: str) -> bool:
    """Whether an operating system has put the file there for itself."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith((".", "~$"))


def _damaged(error: BaseException) -> UnreadableFileError:
    return UnreadableFileError(
        f"The archive is damaged: {str(error)[:200]}.", code="file.damaged", remedy="Pack it again and send that."
    )
