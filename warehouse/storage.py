"""Where originals and models are kept: a small protocol, and a local folder behind it."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from warehouse.errors import NotFoundError, StorageUnavailableError
from warehouse.settings import Settings

CHUNK_BYTES = 1024**2


@dataclass(frozen=True)
class StoredObject:
    """One object of the store; `sha256` is None where reading it would cost a full read (listings)."""

    key: str
    size_bytes: int
    sha256: str | None


class ObjectStore(Protocol):
    """What every store can do. Keys are `/`-separated names without `..`."""

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep all of `source` under `key`, durably and whole or not at all."""

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading; raises NotFoundError."""

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object, None when there is none."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""


class LocalStore:
    """A folder as object store; a file is written aside, synced to disk and renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:  # noqa: ARG002 - for other stores
        """Keep all of `source` under `key`; the content type is told by the key's suffix."""
        path = self._path(key)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            stored = _write_synced(draft, source, key)
            draft.rename(path)
            _sync_folder(path.parent)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise StorageUnavailableError(
                f"{key} could not be written to the object store: {error.strerror}.",
                remedy="Free space or check the folder's permissions, then try again.",
            ) from error
        return stored

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise NotFoundError(f"The object store holds no {key}.", code="storage.not_found") from error

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; its checksum is computed from what is on disk now."""
        path = self._path(key)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return StoredObject(key, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""
        for path in sorted(self.folder.rglob("*")):
            key = path.relative_to(self.folder).as_posix()
            if path.is_file() and key.startswith(prefix) and not path.name.startswith("."):
                yield StoredObject(key, path.stat().st_size, None)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or any(part.startswith((".", "/")) or "\0" in part for part in parts):
            raise NotFoundError(f"{key!r} is no key of the object store.", code="storage.bad_key")
        return self.folder.joinpath(*parts)


def open_store(settings: Settings) -> ObjectStore:
    """The store that the settings name."""
    return LocalStore(settings.store_folder)


def _write_synced(path: Path, source: BinaryIO, key: str) -> StoredObject:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            size += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return StoredObject(key, size, digest.hexdigest())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
