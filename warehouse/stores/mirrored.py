"""Two stores as one: every original is written to both, and read from whichever has it."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from warehouse.errors import NotFoundError, StorageUnavailableError
from warehouse.logs import get_logger
from warehouse.stores.protocol import ARCHIVED_ORIGINALS, EXPORTED_ROWS, ORIGINALS, ObjectStore, StoredObject

logger = get_logger(__name__)
COPIED = (ORIGINALS, ARCHIVED_ORIGINALS, EXPORTED_ROWS)
PAUSE_SECONDS = 60.0  # a second store that is away costs an upload its time-out once in so long


class MirroredStore:
    """The first store, with a second that gets a copy of every original.

    A copy that cannot be made at once does not fail the upload: `orchestration.copies` makes it later.

    Args:
        primary: the store whose answer counts.
        secondary: the store of the copies.
    """

    def __init__(self, primary: ObjectStore, secondary: ObjectStore) -> None:
        self.primary = primary
        self.secondary = secondary
        self._away_until = 0.0

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep `source` in the first store, and an original in the second as well."""
        start = source.tell()
        stored = self.primary.put(key, source, content_type)
        if key.startswith(COPIED) and time.monotonic() >= self._away_until:
            source.seek(start)
            self._copy(key, source, content_type)
        return stored

    def get(self, key: str) -> BinaryIO:
        """Open an object; its copy where the first store is away or has lost it."""
        try:
            return self.primary.get(key)
        except (NotFoundError, StorageUnavailableError):
            if not key.startswith(COPIED):
                raise
            try:
                copy = self.secondary.get(key)
            except (NotFoundError, StorageUnavailableError):
                copy = None
            if copy is None:
                raise
        logger.warning("an original was read from the second store", key=key)
        return copy

    def head(self, key: str) -> StoredObject | None:
        """What the first store knows of an object."""
        return self.primary.head(key)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects of the first store."""
        return self.primary.list(prefix)

    def delete(self, key: str) -> None:
        """Remove an object, and its copy."""
        self.primary.delete(key)
        if key.startswith(COPIED):
            self.secondary.delete(key)

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:
        """What was never finished, in both stores."""
        return [*self.primary.drafts(before, remove=remove), *self.secondary.drafts(before, remove=remove)]

    def _copy(self, key: str, source: BinaryIO, content_type: str) -> None:
        try:
            self.secondary.put(key, source, content_type)
        except StorageUnavailableError as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("the second store is away: the copy is made later", key=key, problem=error.message)


def single_stores(store: ObjectStore) -> list[ObjectStore]:
    """The stores that a store is made of: itself, or the first and the second."""
    return [store.primary, store.secondary] if isinstance(store, MirroredStore) else [store]
