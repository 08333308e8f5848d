"""Bytes as texts: unpacked, decoded and unescaped, so that a name is seen however it was written."""

import codecs
import gzip
import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO

import pyarrow as pa
from pyarrow import parquet

GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BLOCK_BYTES = 1024**2
ENDS = ("\n", '"', "<")  # no name runs over one of them
JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|/)")
DAMAGED = (
    OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, pa.ArrowException,
)  # fmt: skip


def readings(content: BinaryIO) -> Iterator[str]:
    """Every text that the content may be, a piece at a time; of what cannot be unpacked, that of the bytes as they are.

    Args:
        content: may be sought in; is read from its beginning.
    """
    content.seek(0)
    head = content.read(len(PARQUET))
    content.seek(0)
    try:
        if head.startswith(GZIP):
            with gzip.GzipFile(fileobj=content) as unpacked:
                yield from _texts(unpacked)
        elif head == PARQUET:
            yield from _rows(content)
        elif head.startswith(ZIP):
            yield from _members(content)
    except DAMAGED:
        pass  # what it is not, or under a password: what is left is its bytes
    content.seek(0)
    yield from _texts(content)


def _members(content: BinaryIO) -> Iterator[str]:
    with zipfile.ZipFile(content) as archive:
        for member in archive.infolist():
            yield member.filename
            with archive.open(member) as file:
                yield from _texts(file)


def _rows(content: BinaryIO) -> Iterator[str]:
    with parquet.ParquetFile(pa.PythonFile(content, mode="r")) as file:
        yield " ".join(file.schema_arrow.names)
        for batch in file.iter_batches():
            yield repr(batch.to_pylist())


def _texts(content: "IO[bytes] | gzip.GzipFile") -> Iterator[str]:
    head = content.read(BLOCK_BYTES)
    encodings = ["utf-16"] if head.startswith(UTF16_MARKS) else ["utf-8", "cp1252"]
    decoders = [codecs.getincrementaldecoder(encoding)("replace") for encoding in encodings]
    rests = [""] * len(decoders)
    block = head
    while True:
        for place, decoder in enumerate(decoders):
            text = rests[place] + decoder.decode(block, final=not block)
            end = 1 + max(map(text.rfind, ENDS)) if block else len(text)
            rests[place] = text[end:]
            if place == 0 or not text.isascii():  # where it is, the encodings say the same
                yield from _unescaped(text[:end])
        if not block:
            return
        block = content.read(BLOCK_BYTES)


def _unescaped(text: str) -> Iterator[str]:
    yield text
    if "\\u" in text or "\\/" in text:
        yield JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", text)
    if "&" in text:
        yield html.unescape(text)
