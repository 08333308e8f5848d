"""A folder as object store; a file is written aside, synced to disk and renamed."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from warehouse.stores.protocol import CHUNK_BYTES, StoredObject, check_key, is_key, not_found, type_of, unavailable

REMEDY = "Free space or check the folder's permissions, then try again."
DRAFT_NAME = re.compile(r"\..+\.[0-9a-f]{8}")


class LocalStore:
    """A folder as object store; an object's content type is told by its key's suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The store in a folder, which is made where there is none and it can be: one that is gone later is away."""
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder)

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:  # noqa: ARG002 - for other stores
        """Keep all that is left of `source` under `key`."""
        path = self._path(key)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with _telling(f"{key} could not be written to the object store"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                sha256 = _write_synced(draft, source)
                draft.rename(path)
                _sync_folder(path.parent)
            except OSError:
                _remove(draft)
                raise
            return _describe(key, path, sha256)

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading."""
        with _telling(f"{key} could not be read from the object store"):
            try:
                return self._path(key).open("rb")
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                if not self.folder.is_dir():  # its disk is not mounted: the object may be there tomorrow
                    raise
                raise not_found(key) from error

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; its checksum is computed from what is on disk now."""
        path = self._path(key)
        with _telling(f"{key} could not be read from the object store"):
            try:
                with path.open("rb") as file:
                    return _describe(key, path, hashlib.file_digest(file, "sha256").hexdigest())
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""
        with _telling("The object store could not be listed"):
            for key, path in sorted(self._files(prefix)):
                try:
                    yield _describe(key, path, None)
                except FileNotFoundError:
                    continue  # moved away since

    def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(key)
        with _telling(f"{key} could not be removed from the object store"):
            _remove(path)

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:
        """Files that `put` began before a moment and never renamed."""
        with _telling("The object store could not be searched for drafts"):
            drafts = [path for path in self.folder.rglob(".*") if _is_draft(path, before)]
            for path in drafts if remove else []:
                _remove(path)
        return sorted(path.relative_to(self.folder).as_posix() for path in drafts)

    def _files(self, prefix: str) -> Iterator[tuple[str, Path]]:
        """Key and path of every object under the deepest folder that the prefix names."""
        above = prefix.rpartition("/")[0]
        if above and not is_key(above):
            return
        for folder, _, names in os.walk(self.folder / above):
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self.folder).as_posix()
                if key.startswith(prefix) and is_key(key):
                    yield key, path

    def _path(self, key: str) -> Path:
        return self.folder.joinpath(*check_key(key).split("/"))


@contextmanager
def _telling(doing: str) -> Iterator[None]:
    """Turn what the disk says into the store's error."""
    try:
        yield
    except OSError as error:
        raise unavailable(doing, error.strerror or error, REMEDY) from error


def _describe(key: str, path: Path, sha256: str | None) -> StoredObject:
    facts = path.stat()
    return StoredObject(key, facts.st_size, sha256, type_of(key), datetime.fromtimestamp(facts.st_mtime, UTC))


def _is_draft(path: Path, before: datetime) -> bool:
    return (
        bool(DRAFT_NAME.fullmatch(path.name))
        and path.is_file()
        and datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
    )


def _write_synced(path: Path, source: BinaryIO) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return  # a part of its name is a file: there is no such object


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
