"""A store that does not live for ever."""

from typing import Any, BinaryIO

from warehouse.stores import ObjectStore, StoredObject


class Died(BaseException):
    """The power was cut."""


class MortalStore:
    """A store whose process dies at one of its writes, before or after it is done."""

    def __init__(self, store: ObjectStore, lives: int) -> None:
        self._store = store
        self._lives = lives

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep an object, or die."""
        self._live()
        stored = self._store.put(key, source, content_type)
        self._live()
        return stored

    def delete(self, key: str) -> None:
        """Remove an object, or die."""
        self._live()
        self._store.delete(key)
        self._live()

    def _live(self) -> None:
        self._lives -= 1
        if self._lives < 0:
            raise Died
