"""Locks between processes, which the system lets go of when their holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.02


def open_locked(path: Path) -> int:
    """Wait for the lock that a file is, and return its descriptor: closing that lets go of it."""
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def holding(path: Path, *, is_shared: bool = False, patience: float | None = None) -> Iterator[None]:
    """Hold the lock that a file is for the length of the block.

    Args:
        path: the file, made where there is none.
        is_shared: hold it beside others who share it.
        patience: seconds to wait for it; without end when omitted.

    Raises:
        TimeoutError: others hold it for longer than that.
    """
    descriptor = _open(path)
    try:
        _lock(descriptor, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX, patience)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int, patience: float | None) -> None:
    if patience is None:
        fcntl.flock(descriptor, kind)
        return
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
