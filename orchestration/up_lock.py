"""One `kyalo up` in a KYALO_HOME at a time, which `kyalo stop` can end."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from warehouse.errors import BusyError
from warehouse.folders import make_folder

LOCK_FILE = "up-lock"
PATIENCE_SECONDS = 20.0  # processes get nine, PostgreSQL some more
LOOK_SECONDS = 0.1


@contextmanager
def keeping_home_up(home: Path) -> Iterator[None]:
    """Be the only `kyalo up` of a home for the length of the block, and however this process ends.

    Raises:
        BusyError: there is another one.
    """
    make_folder(home)
    with (home / LOCK_FILE).open("a+") as file:
        if not _lock(file.fileno()):
            raise BusyError(
                f"`kyalo up` keeps {home} up already, as process {_holder(home)}.",
                code="up.running",
                remedy="`kyalo stop` ends it.",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def end_up(home: Path) -> bool:
    """Ask the `kyalo up` of a home to end, and wait for it; False when there is none.

    Raises:
        BusyError: it does not end.
    """
    if not _is_held(home):
        return False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _is_held(home):
        holder = _holder(home)
        if time.monotonic() > deadline:
            raise BusyError(f"`kyalo up`, process {holder}, does not end.", code="up.running", remedy="Kill it.")
        if holder:
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGTERM)
        time.sleep(LOOK_SECONDS)
    return True


def _holder(home: Path) -> int | None:
    """The process that holds the lock; None before it wrote its number, right after it took it."""
    number = (home / LOCK_FILE).read_text()
    return int(number) if number else None


def _is_held(home: Path) -> bool:
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR)
    except (FileNotFoundError, PermissionError):  # another user's is not ours to end
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
