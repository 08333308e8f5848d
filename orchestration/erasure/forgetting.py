"""Forgetting a household: objects first, then rows, then a search that must find nothing.

The rows tell what to look for in the objects, so they go last: an erasure that was interrupted is done again from its
beginning, and ends the same.
"""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from ingest_api.personal import hide_number
from orchestration.context import Warehouse
from orchestration.erasure.files import is_named
from orchestration.erasure.household import Household
from orchestration.erasure.objects import erase_objects, search_objects
from orchestration.erasure.rows import erase_bodies, erase_rows, find_household, search_rows
from orchestration.graph.lock import holding_pipeline
from orchestration.keys.rotation import LOCK as KEYS_LOCK
from orchestration.lifecycle.archiving import LOCK as ARCHIVE_LOCK
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import fetch_row, queries
from warehouse.errors import NotFoundError

statements = queries("erasure")
BEYOND_REACH = (
    "the audit log, which tells who saw the household and is never changed",
    "backups, and copies that partners have taken",
    "the database's write-ahead log until it is recycled, and space on the disk until it is used again",
)


@dataclass(frozen=True)
class Place:
    """A table, an object or a log, and how much in it named the household."""

    name: str
    found: int


@dataclass(frozen=True)
class Erasure:
    """What was found, and what was left when it was looked for again.

    Attributes:
        found: where it stood.
        left: where it still stands.
        beyond_reach: what an erasure does not reach.
    """

    found: Sequence[Place]
    left: Sequence[Place] = ()
    beyond_reach: Sequence[str] = field(default=BEYOND_REACH)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return not self.left


def forget_household(
    warehouse: Warehouse, household_id: str, *, reason: str, requested_by: str, dry_run: bool = False
) -> Erasure:
    """Erase a household everywhere, and search for it again.

    Hashes of its submissions stay among the submission keys: what was sent before is not stored when it is sent again.

    Args:
        warehouse: where from.
        household_id: its identifier.
        reason: why, for the record.
        requested_by: who asks, for the record.
        dry_run: only say where it stands.

    Raises:
        BusyError: the pipeline is at work, objects are archived, or keys are changed.
        NotFoundError: nothing of such a household is anywhere, and none was erased.
        StorageUnavailableError: the store is away; ask again when it is back.
    """
    keys = load_key_ring(warehouse.settings)
    household = Household(household_id.strip(), partial(hide_number, keys))
    if dry_run:
        return Erasure(_search_known(warehouse, keys, _find(warehouse, household)))
    with _holding_all(warehouse):
        keys = load_key_ring(warehouse.settings)  # nobody drops one of them from now on
        household = _find(warehouse, household)
        found = _search_known(warehouse, keys, household)
        erasure_id = _begin(warehouse, keys, household, reason, requested_by)
        with warehouse.database.transaction() as connection:
            erase_bodies(connection, keys, household)
        erased = {Place(key, 1) for key in erase_objects(warehouse, household)}
        with warehouse.database.transaction() as connection:
            erase_rows(connection, keys, household)
        more = sorted(erased.difference(found), key=lambda place: place.name)
        done = Erasure([*found, *more], _search(warehouse, keys, household))
        with warehouse.database.transaction() as connection:
            report = Jsonb(_report(done, household))
            values = {"erasure_id": erasure_id, "is_complete": done.is_complete, "report": report}
            connection.execute(statements["end_erasure"], values)
    return done


@contextmanager
def _holding_all(warehouse: Warehouse) -> Iterator[None]:
    """Keep everybody away who writes tables or objects anew: what was erased would come back."""
    with (
        holding_pipeline(warehouse.database, "kyalo forget"),
        warehouse.database.lock(ARCHIVE_LOCK),
        warehouse.database.lock(KEYS_LOCK),
    ):
        yield


def _begin(warehouse: Warehouse, keys: KeyRing, household: Household, reason: str, requested_by: str) -> int:
    values = {
        "household_hash": _hash(keys, household),
        "requested_by": requested_by,
        "reason": reason,
    }
    with warehouse.database.transaction() as connection:
        row = fetch_row(connection, statements["begin_erasure"], values)
    assert row is not None  # noqa: S101 - it returns one number or raises
    return int(row["erasure_id"])


def _hash(keys: KeyRing, household: Household) -> str:
    """By which an erased household is known, and from which nobody can guess it."""
    return hmac.digest(keys.derive("forgotten"), household.names[-1].encode(), "sha256").hex()


def _report(done: Erasure, household: Household) -> dict[str, Any]:
    """The account as it is kept: no name of a place in it names the household."""
    return {
        name: [asdict(place) for place in places if not household.is_named_in(place.name)]
        for name, places in (("found", done.found), ("left", done.left))
    }


def _find(warehouse: Warehouse, household: Household) -> Household:
    with warehouse.database.transaction() as connection:
        return find_household(connection, household)


def _search_known(warehouse: Warehouse, keys: KeyRing, household: Household) -> list[Place]:
    """Every place that holds the household; one that is nowhere, and was not erased, is a slip of the pen."""
    found = _search(warehouse, keys, household)
    with warehouse.database.transaction() as connection:
        erased = fetch_row(connection, statements["is_erased"], {"household_hash": _hash(keys, household)})
    if not found and not (erased and erased["is_erased"]):
        raise NotFoundError(
            f"Nothing of a household {household.identifier!r} is anywhere, and none of that name was erased.",
            code="household.not_found",
            remedy="Give the identifier as the survey has it.",
        )
    return found


def _search(warehouse: Warehouse, keys: KeyRing, household: Household) -> list[Place]:
    """Every place that holds the household, or names it where its identifier can be nothing else."""
    with warehouse.database.transaction() as connection:
        found = [Place(name, rows) for name, rows in search_rows(connection, keys, household).items()]
    found += [Place(key, 1) for key in search_objects(warehouse, household)]
    return found + [Place(name, 1) for name in _logs(warehouse.settings.home / "logs", household)]


def _logs(folder: Path, household: Household) -> Iterator[str]:
    for path in sorted(folder.rglob("*")) if household.is_distinct else ():
        if path.is_file():
            with path.open("rb") as content:
                if is_named(household, content):
                    yield f"logs/{path.relative_to(folder)}"
