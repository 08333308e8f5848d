"""Sealing beside a change of keys: nothing comes to light under a key after it was found to be of no use.

Whoever seals shares the lock of the newest key until what is sealed can be seen: until the commit, or until the store
has the object. Whoever drops a key, which is then not the newest and never becomes it again, waits until nobody shares
its lock, and counts after that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.errors import BusyError
from warehouse.folders import make_folder
from warehouse.locks import holding
from warehouse.settings import Settings

PATIENCE_SECONDS = 10.0


@contextmanager
def sealing(settings: Settings) -> Iterator[KeyRing]:
    """The keys to seal with; leave the block when what was sealed can be seen by others, and not before.

    Keys that ENCRYPTION_KEY names need no lock, since Kyalo drops none of them.

    Raises:
        ConfigurationError: a key is not what it should be.
    """
    if settings.encryption_key:
        yield load_key_ring(settings)
        return
    while True:
        newest = load_key_ring(settings).current_id
        with holding(_lock_of(settings, newest), is_shared=True):
            keys = load_key_ring(settings)
            if keys.current_id == newest:
                yield keys
                return


def wait_for_sealing(settings: Settings, key_id: str) -> None:
    """Wait until nobody seals with a key that is not the newest any more; nobody begins to after that.

    Raises:
        BusyError: somebody still does after a while.
    """
    if settings.encryption_key:
        return
    try:
        with holding(_lock_of(settings, key_id), patience=PATIENCE_SECONDS):
            return
    except TimeoutError:
        raise BusyError(
            f"What began before the newest key was made is still being encrypted with key {key_id}.",
            code="keys.in_use",
            remedy="Try again when it has ended: `kyalo status` tells what is being landed.",
        ) from None


def _lock_of(settings: Settings, key_id: str) -> Path:
    folder = settings.home / "sealing"
    make_folder(folder)
    return folder / key_id
