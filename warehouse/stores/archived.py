"""Originals in the archive: under another key, mostly compressed, and read as if nothing had happened to them."""

import gzip
import shutil
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from warehouse.errors import IntegrityError
from warehouse.stores.protocol import (
    ARCHIVED_ORIGINALS,
    ORIGINALS,
    PACKED,
    ObjectStore,
    checksum_of,
    stated_checksum,
)

COMPRESSIBLE = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".xls")
LEVEL = 6
UNREADABLE = (gzip.BadGzipFile, EOFError, zlib.error)


def archived_key(key: str) -> str:
    """The key of an original in the archive; its content is compressed there where it is not already."""
    packed = PACKED if PurePosixPath(key).suffix.lower() in COMPRESSIBLE else ""
    return ARCHIVED_ORIGINALS + key.removeprefix(ORIGINALS) + packed


def pack(key: str, content: BinaryIO, target: BinaryIO) -> None:
    """Write an original as it stands under its archived key; the same original gives the same bytes."""
    if not key.endswith(PACKED):
        shutil.copyfileobj(content, target)
        return
    with gzip.GzipFile("", "wb", LEVEL, target, mtime=0) as packed:
        shutil.copyfileobj(content, packed)


def open_original(store: ObjectStore, key: str) -> BinaryIO:
    """Open an original for reading and seeking, wherever it stands, with the content that was sent.

    Raises:
        NotFoundError: there is no such object.
        StorageUnavailableError: the store is away.
    """
    content = store.get(key)
    return cast(BinaryIO, _Unpacked(content)) if key.endswith(PACKED) else content


def original_checksum(key: str) -> str | None:
    """The SHA-256 of an original's content as its key states it, None for other keys."""
    return stated_checksum(key.removesuffix(PACKED))


def is_whole(store: ObjectStore, key: str) -> bool:
    """Whether an original can be read to its end and is what its key states.

    Raises:
        NotFoundError: there is no such object.
        StorageUnavailableError: the store is away.
    """
    with open_original(store, key) as content:
        try:
            sha256, _ = checksum_of(content)
        except UNREADABLE:
            return False
    return sha256 == (original_checksum(key) or sha256)


def check_original(store: ObjectStore, key: str) -> None:
    """See that an original is whole.

    Raises:
        IntegrityError: it is not.
    """
    if not is_whole(store, key):
        raise IntegrityError(
            f"The object {key} is not what was written.", remedy="`kyalo storage verify --repair` restores it."
        )


class _Unpacked(gzip.GzipFile):
    """A compressed object's content; closes the object as well."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        """Close both."""
        super().close()
        self._packed.close()
