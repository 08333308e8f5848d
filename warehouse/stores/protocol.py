"""What every object store can do, and what all of them share: keys, chunks, checksums."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from warehouse.errors import ConfigurationError, NotFoundError, StorageUnavailableError

CHUNK_BYTES = 1024**2
PART_BYTES = 8 * 1024**2  # more than this goes to a server in parts, and comes from it by way of a temporary file
KEY_BYTES = 1024  # what S3 allows
UNKNOWN_TYPE = "application/octet-stream"
# The kinds of objects that Kyalo writes or is given, by suffix.
TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".ndjson": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".xml": "text/xml",
    ".gz": "application/gzip",
    ".zip": "application/zip",
}
CHECKSUM = re.compile(r"[0-9a-f]{64}")
ORIGINALS, ARCHIVED_ORIGINALS, EXPORTED_ROWS = "raw/", "archive/originals/", "archive/raw/"
PACKED = ".archived.gz"  # ends the key of an original that the archive has compressed; no sender's own does


@dataclass(frozen=True)
class StoredObject:
    """One object of the store.

    Attributes:
        sha256: its checksum, None where finding it would cost a full read (listings).
        content_type: its media type, None in listings of servers that do not tell.
        modified_at: when it was last written; not part of what makes two objects equal.
    """

    key: str
    size_bytes: int
    sha256: str | None
    content_type: str | None = None
    modified_at: datetime | None = field(default=None, compare=False)


class ObjectStore(Protocol):
    """What every store can do. Keys are `/`-separated names, none of which is empty or starts with a dot.

    Every method raises StorageUnavailableError when the store does not answer or refuses.
    """

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep all that is left of `source` (seekable) under `key`, durably and whole or not at all."""

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading and seeking, in little memory whatever its size; raises NotFoundError."""

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object, None when there is none."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key; names that are no keys are left out."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:
        """What was begun before a moment and never finished (its writer died), removed if asked to."""


def check_key(key: str) -> str:
    """The key itself.

    Raises:
        NotFoundError: it is no key: it would leave the store, hide in it, or mean another thing in another store.
    """
    if not is_key(key):
        raise NotFoundError(f"{key!r} is no key of the object store.", code="storage.bad_key")
    return key


def is_key(key: str) -> bool:
    """Whether an object can bear that name in every store."""
    parts = key.split("/")
    return (
        all(part and not part.startswith(".") for part in parts)
        and not any(character in key for character in "\0\\\r\n")
        and len(key.encode("utf-8", "replace")) <= KEY_BYTES
        and key == key.encode("utf-8", "ignore").decode()
    )


def type_of(key: str) -> str:
    """The media type that a key's suffix tells."""
    return TYPES.get(PurePosixPath(key).suffix.lower(), UNKNOWN_TYPE)


def stated_checksum(key: str) -> str | None:
    """The SHA-256 of an object's bytes that its key states, None for keys that state none."""
    if key.endswith(PACKED):
        return None  # it states that of the content
    name = PurePosixPath(key).name.partition(".")[0]
    return name if CHECKSUM.fullmatch(name) else None


def checksum_of(source: BinaryIO) -> tuple[str, int]:
    """SHA-256 and number of bytes of what is left of `source`, which stands afterwards where it stood."""
    digest, start = hashlib.sha256(), source.tell()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
    size = source.tell() - start
    source.seek(start)
    return digest.hexdigest(), size


def not_found(key: str) -> NotFoundError:
    """The error of an object that is not there."""
    return NotFoundError(f"The object store holds no {key}.", code="storage.not_found")


def unavailable(doing: str, reason: object, remedy: str) -> StorageUnavailableError:
    """The error of a store that does not do what it was asked to."""
    return StorageUnavailableError(f"{doing}: {reason}.", remedy=remedy)


def misconfigured(message: str, remedy: str) -> ConfigurationError:
    """The error of settings with which no store can be used."""
    return ConfigurationError(f"{message}.", code="storage.misconfigured", remedy=remedy)
