"""Originals in the object store, compared with the ledger that speaks of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from orchestration.copies import copy_object
from orchestration.orphans import find_orphans, is_wrong_ledger, put_back, set_aside
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.stores import (
    ORIGINALS,
    MirroredStore,
    ObjectStore,
    StoredObject,
    is_whole,
    original_checksum,
    single_stores,
    type_of,
)

ARCHIVE = "archive/"
GRACE = timedelta(hours=1)
Problem = Literal["missing", "corrupt", "uncopied", "orphan", "draft"]
Watch = Callable[[list[str]], Iterable[str]]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: missing or corrupt originals; uncopied ones, which the second store lacks; orphans, which nothing
            speaks of; drafts of writers that died.
        is_repaired: whether it is right again.
    """

    problem: Problem
    key: str
    is_repaired: bool


@dataclass(frozen=True)
class Verification:
    """What a comparison of ledger and store found.

    Attributes:
        originals: how many objects the ledger speaks of.
        waiting_copies: how many of them the worker has still to copy to the second store.
        is_refused: whether orphans were left in their place, because the ledger may be the wrong one.
    """

    originals: int
    waiting_copies: int
    findings: list[Finding]
    is_refused: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong, or nothing any more."""
        return all(finding.is_repaired for finding in self.findings)


def list_objects(database: Database, store: ObjectStore, prefix: str) -> Iterator[dict[str, Any]]:
    """Every object with what store and ledger know of it, in order of key.

    The checksum of an original is the one that its key states; other objects are asked for theirs.
    """
    known = _known_objects(database, prefix)
    for listed in store.list(prefix):
        sha256, kind = original_checksum(listed.key), listed.content_type
        if sha256 is None:
            found = store.head(listed.key)
            sha256, kind = (found.sha256, found.content_type) if found else (None, kind)
        entry = known.get(listed.key, {})
        yield {
            "key": listed.key,
            "size_bytes": listed.size_bytes,
            "sha256": sha256,
            "content_type": kind or type_of(listed.key),
            "form": entry.get("form"),
            "ingestion_id": entry.get("ingestion_id"),
            "ingestions": entry.get("references_count", 0),
            "modified_at": listed.modified_at,
        }


def verify_originals(
    database: Database,
    store: ObjectStore,
    *,
    repair: bool = False,
    force: bool = False,
    grace: timedelta = GRACE,
    watch: Watch = iter,
) -> Verification:
    """Compare the ledger with the store, object by object and byte by byte, and mend what can be mended.

    A lost or damaged original is restored from the second store, or from the orphans. Objects under `raw/` that
    nothing speaks of are moved to `archive/orphans/`, and drafts removed, once they are older than the grace period:
    an upload writes its object first and its entry in the ledger after it, so that a young object may be one that is
    just arriving. Orphans stay where they are when they are so many that the ledger may be the wrong one. What was
    archived is compared as well, but nothing in the archive is ever set aside.

    Args:
        database: the warehouse.
        store: the object store, with its second store where there is one.
        repair: whether to mend.
        force: whether to move orphans however many they are.
        grace: the age below which an object or a draft is left alone.
        watch: is given the originals and gives them back one by one, to show how far it has come.

    Raises:
        StorageUnavailableError: a store is away.
    """
    before = datetime.now(UTC) - grace
    known = sorted(_known_objects(database, ORIGINALS))
    archived = sorted(_known_objects(database, ARCHIVE))
    waiting = _waiting_copies(database)
    stores = single_stores(store)
    listed = [{found.key: found for found in each.list(ORIGINALS)} for each in stores]
    everything = [*known, *archived]
    findings = [finding for key in watch(everything) for finding in _check(database, key, store, repair=repair)]
    if isinstance(store, MirroredStore):
        held = [
            {found.key: found for found in each.list(ARCHIVE)} | raw for each, raw in zip(stores, listed, strict=True)
        ]
        findings += _uncopied(store, [key for key in everything if key not in waiting], *held, repair=repair)
    is_refused = False
    for each, objects in zip(stores, listed, strict=True):
        orphans = find_orphans(database, each, set(objects).difference(known), before)
        is_doubtful = repair and not force and is_wrong_ledger(known, objects, orphans)
        can_move = repair and not is_doubtful
        findings += [Finding("orphan", key, can_move and set_aside(database, each, key)) for key in orphans]
        findings += [Finding("draft", name, repair) for name in each.drafts(before, remove=repair)]
        is_refused |= is_doubtful
    return Verification(len(everything), len(waiting) if len(stores) > 1 else 0, findings, is_refused)


def _check(database: Database, key: str, store: ObjectStore, *, repair: bool) -> Iterator[Finding]:
    """What is wrong with an original in the first store; nothing, where it was moved or deleted since by a policy."""
    primary = single_stores(store)[0]
    problem = _problem(primary, key)
    if problem and key in _known_objects(database, key):
        yield Finding(problem, key, repair and _restore(primary, key, store))


def _problem(store: ObjectStore, key: str) -> Problem | None:
    try:
        return None if is_whole(store, key) else "corrupt"
    except NotFoundError:
        return "missing"


def _restore(primary: ObjectStore, key: str, store: ObjectStore) -> bool:
    """Bring an original back from the second store, if that has it whole, or from the orphans."""
    if isinstance(store, MirroredStore) and not _problem(store.secondary, key):
        return copy_object(store.secondary, primary, key)
    return put_back(primary, key)


def _uncopied(
    store: MirroredStore,
    keys: list[str],
    held: dict[str, StoredObject],
    copies: dict[str, StoredObject],
    *,
    repair: bool,
) -> Iterator[Finding]:
    """Originals whose copy is absent, or of another size."""
    for key in keys:
        if key in held and (key not in copies or copies[key].size_bytes != held[key].size_bytes):
            yield Finding("uncopied", key, repair and copy_object(store.primary, store.secondary, key))


def _known_objects(database: Database, prefix: str) -> dict[str, dict[str, Any]]:
    with database.transaction() as connection:
        rows = fetch_rows(connection, queries("objects")["known_objects"], {"prefix": prefix})
    return {row["object_key"]: row for row in rows}


def _waiting_copies(database: Database) -> set[str]:
    with database.transaction() as connection:
        return {key for (key,) in connection.execute(queries("objects")["waiting_copies"])}
