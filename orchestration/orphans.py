"""Objects under `raw/` that the ledger does not name: none is ever deleted, they are set aside.

A ledger that does not name an original may be the wrong one: a new database, an older one that was restored, another
home on the same bucket. What was set aside is put back as soon as a ledger names it.
"""

from collections.abc import Collection
from datetime import datetime

from warehouse.database import Database, queries
from warehouse.errors import NotFoundError
from warehouse.stores import ObjectStore, checksum_of, stated_checksum, type_of

ASIDE = "archive/orphans/"
USUAL_ORPHANS = 100  # uploads that died leave some; more, and more than half of all, speak of a wrong ledger


def find_orphans(database: Database, store: ObjectStore, keys: set[str], before: datetime) -> list[str]:
    """Which of these objects nothing speaks of; both are asked anew, for an upload may have come meanwhile."""
    orphans = []
    for key in sorted(keys.difference(_named_objects(database, keys))):
        found = next((found for found in store.list(key) if found.key == key), None)
        if found and not (found.modified_at and found.modified_at >= before):
            orphans.append(key)
    return orphans


def is_wrong_ledger(known: Collection[str], held: Collection[str], orphans: Collection[str]) -> bool:
    """Whether there are so many orphans that the ledger rather than the store is to be doubted."""
    return bool(orphans) and (not known or len(orphans) > max(USUAL_ORPHANS, len(held) / 2))


def set_aside(database: Database, store: ObjectStore, key: str) -> bool:
    """Move an orphan to `archive/orphans/`, and back again where the ledger names it by now.

    Returns:
        False, and nothing is moved, where the object is gone or another one has its place already.

    Raises:
        StorageUnavailableError: the store is away; the object is in one of the two places, or in both.
    """
    try:
        is_aside = _move(store, key, ASIDE + key)
    except NotFoundError:
        return False
    if is_aside and _named_objects(database, {key}):
        put_back(store, key)
    return is_aside


def put_back(store: ObjectStore, key: str) -> bool:
    """Bring an original back that was set aside; False where it was not, or is not what its key states.

    Raises:
        StorageUnavailableError: the store is away.
    """
    aside = ASIDE + key
    try:
        with store.get(aside) as content:
            sha256, _ = checksum_of(content)
        return sha256 == (stated_checksum(key) or sha256) and _move(store, aside, key, replace=True)
    except NotFoundError:
        return False


def _move(store: ObjectStore, source: str, target: str, *, replace: bool = False) -> bool:
    """Copy an object, read the copy, then delete the object; False where the target is another object."""
    held, there = store.head(source), store.head(target)
    with store.get(source) as content:
        sha256, _ = checksum_of(content)
        if there and there.sha256 != sha256 and not replace:
            return False
        store.put(target, content, (held and held.content_type) or type_of(source))
    with store.get(target) as copy:
        is_whole = checksum_of(copy)[0] == sha256
    if is_whole:
        store.delete(source)
    return is_whole


def _named_objects(database: Database, keys: set[str]) -> set[str]:
    with database.transaction() as connection:
        return {key for (key,) in connection.execute(queries("objects")["named_objects"], {"keys": list(keys)})}
