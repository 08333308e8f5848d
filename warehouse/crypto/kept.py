"""Secrets that Kyalo makes for itself, each in a file that only its owner may read."""

import os
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from warehouse.folders import make_folder


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file, made where there is none; of several processes that make it at once, one wins."""
    if not path.exists():
        draft = write_draft(path, make())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(16)
def _read(path: Path, _modified: int) -> str:
    """The text of a file that was last modified at that time: secrets are asked for with every survey."""
    return path.read_text().strip()


def replace_secret(path: Path, text: str) -> None:
    """Put another text in the place of a secret, at one stroke."""
    write_draft(path, text).replace(path)


def write_draft(path: Path, text: str) -> Path:
    """A new file beside another, for its owner alone, safely on the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    make_folder(path.parent)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
