"""A store in which originals, whatever may hold an answer, are encrypted whole."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

from warehouse.crypto.frames import HEAD_BYTES, content_size, open_sealed, read_head, seal
from warehouse.crypto.keys import load_key_ring
from warehouse.crypto.sealing import sealing
from warehouse.settings import Settings
from warehouse.stores.protocol import ORIGINALS, ObjectStore, StoredObject, checksum_of

SEALED = (ORIGINALS, "archive/")
RECEIPT = ".receipt.json"  # what a partner reads who has dropped a file into the inbox


def is_sealed(key: str) -> bool:
    """Whether the object of a key is to be encrypted."""
    return key.startswith(SEALED) and not key.endswith(RECEIPT)


class EncryptedStore:
    """A store whose originals and archive are sealed; other objects (models, exports, the inbox) pass as they are.

    Sizes and checksums are those of the content. What was written before it was encrypted is read as it stands, until
    `kyalo keys rotate` seals it.

    Args:
        inner: where the bytes are kept.
        settings: where the keys are; they may be changed while the store is open.
    """

    def __init__(self, inner: ObjectStore, settings: Settings) -> None:
        self.inner = inner
        self._settings = settings

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep all that is left of `source`, sealed where its key asks for it."""
        if not is_sealed(key):
            return self.inner.put(key, source, content_type)
        sha256, size = checksum_of(source)
        with sealing(self._settings) as keys:
            stored = self.inner.put(key, seal(source, keys), content_type)
        return replace(stored, size_bytes=size, sha256=sha256)

    def get(self, key: str) -> BinaryIO:
        """Open an object's content for reading and seeking.

        Raises:
            NotFoundError: there is none.
            IntegrityError: none of the keys opens it.
        """
        content = self.inner.get(key)
        return open_sealed(content, load_key_ring(self._settings)) if is_sealed(key) else content

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; a sealed one is read to its end, since no one else knows its checksum."""
        found = self.inner.head(key)
        if found is None or not is_sealed(key):
            return found
        with self.get(key) as content:
            sha256, size = checksum_of(content)
        return replace(found, size_bytes=size, sha256=sha256)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""
        return map(_described, self.inner.list(prefix))

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.inner.delete(key)

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:
        """What was begun before a moment and never finished."""
        return self.inner.drafts(before, remove=remove)

    def key_of(self, key: str) -> str | None:
        """The name of the key that an object is sealed with, None of one that is not.

        Raises:
            NotFoundError: there is no such object.
        """
        with self.inner.get(key) as source:
            head = read_head(source)
        return head[0] if head else None


def _described(found: StoredObject) -> StoredObject:
    """An object as a listing shows it: with the size of its content."""
    if not is_sealed(found.key):
        return found
    return replace(found, size_bytes=content_size(max(0, found.size_bytes - HEAD_BYTES)), sha256=None)
