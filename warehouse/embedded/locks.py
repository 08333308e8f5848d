"""Locks between processes, which the system lets go of when their holder dies."""

import fcntl
import os
from pathlib import Path


def open_locked(path: Path) -> int:
    """Wait for the lock that a file is, and return its descriptor: closing that lets go of it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
