"""A dictionary that forgets its oldest entries, so that nobody can fill the memory."""

import threading
from typing import Generic, TypeVar

MOST_ENTRIES = 10_000
Value = TypeVar("Value")


class Memory(Generic[Value]):
    """What was verified lately, by what was verified."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._entries: dict[bytes, Value] = {}
        self._guard = threading.Lock()
        self.get = self._entries.get

    def keep(self, key: bytes, value: Value) -> None:
        """Remember a value; the oldest one is forgotten when there are too many."""
        with self._guard:
            if len(self._entries) >= self._most:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = value
