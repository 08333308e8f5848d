"""Forgetting a household: objects first, then rows, then a search that must find nothing.

The rows tell what to look for in the objects, so they go last: an erasure that was interrupted is done again from its
beginning, and ends the same.
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ingest_api.personal import open_token
from orchestration.context import Warehouse
from orchestration.erasure.objects import erase_objects, without_household
from orchestration.erasure.traces import Household, list_tables, search_logs, search_objects, search_tables
from orchestration.graph.lock import holding_pipeline
from warehouse.contract import IDENTIFIER, list_forms, load_contract
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import fetch_row, fetch_rows, queries

statements = queries("erasure")
NAMING_COLUMNS = ("submission_id", "submission_key", "corrected_by")
KEPT = {("review", "decisions")}  # who decided what stays known, without the words
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
        BusyError: the pipeline is at work.
        StorageUnavailableError: the store is away; ask again when it is back.
    """
    if dry_run:
        return Erasure(_search(warehouse, _find(warehouse, household_id)))
    keys = load_key_ring(warehouse.settings)
    with holding_pipeline(warehouse.database, "kyalo forget"):
        household = _find(warehouse, household_id)
        erasure_id = _begin(warehouse, keys, household, reason, requested_by)
        found = _search(warehouse, household)
        erased = {Place(key, 1) for key in erase_objects(warehouse, household)}
        with warehouse.database.transaction() as connection:
            _erase_rows(connection, keys, household)
        done = Erasure(
            [*found, *sorted(erased - {*found}, key=lambda place: place.name)], _search(warehouse, household)
        )
        with warehouse.database.transaction() as connection:
            report = Jsonb(_report(done, household))
            values = {"erasure_id": erasure_id, "is_complete": done.is_complete, "report": report}
            connection.execute(statements["end_erasure"], values)
    return done


def _begin(warehouse: Warehouse, keys: KeyRing, household: Household, reason: str, requested_by: str) -> int:
    plain = household.identifier.strip().upper()
    values = {
        "household_hash": hmac.digest(keys.derive("forgotten"), plain.encode(), "sha256").hex(),
        "requested_by": requested_by,
        "reason": reason,
    }
    with warehouse.database.transaction() as connection:
        row = fetch_row(connection, statements["begin_erasure"], values)
    assert row is not None  # noqa: S101 - it returns one number or raises
    return int(row["erasure_id"])


def _report(done: Erasure, household: Household) -> dict[str, Any]:
    """The account as it is kept: no name of a place in it names the household."""
    return {
        name: [asdict(place) for place in places if not household.is_named_in(place.name.encode())]
        for name, places in (("found", done.found), ("left", done.left))
    }


def _find(warehouse: Warehouse, household_id: str) -> Household:
    """What the household sent: what stands in raw, and what was exported from it and is still staged."""
    with warehouse.database.transaction() as connection:
        rows = [row for form in _forms() for row in _submissions(connection, form, household_id)]
        keys = {row["submission_key"] for row in rows}
        values = {"household_id": household_id, "keys": list(keys)}
        conflicts = fetch_rows(connection, statements["conflicts_of_household"], values)
    keys |= {row["submission_key"] for row in conflicts}
    return Household(household_id, keys, {*map(_place, rows)}, {*map(_place, conflicts)})


def _forms() -> list[str]:
    return [form for form in list_forms() if load_contract(form).identifier == IDENTIFIER]


def _submissions(connection: psycopg.Connection, form: str, household_id: str) -> Iterator[dict[str, Any]]:
    staging = f"stg_{form}__submissions"
    for schema, table, key in (("raw", form, "submission_key"), ("staging", staging, "submission_id")):
        is_there = connection.execute("select to_regclass(%s)", [f"{schema}.{table}"]).fetchone()
        if is_there and is_there[0]:
            statement = statements["submissions_of_household"].format(
                table=sql.Identifier(schema, table), key=sql.Identifier(key), identifier=sql.Identifier(IDENTIFIER)
            )
            yield from fetch_rows(connection, statement, {"household_id": household_id})


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["ingestion_id"], row["row_number"]


def _search(warehouse: Warehouse, household: Household) -> list[Place]:
    """Every place that names the household, sealed texts of the database included."""
    with warehouse.database.transaction() as connection:
        rows = search_tables(connection, household)
        sealed = len(_sealed_texts(connection, load_key_ring(warehouse.settings), household))
        sealed += len(_bodies(connection, load_key_ring(warehouse.settings), household))
        places = {**_tokens(connection, household), "sealed texts": sealed}
    found = [Place(name, number) for name, number in {**rows, **places}.items() if number]
    found += [Place(key, 1) for key in search_objects(warehouse.store, household)]
    return found + [Place(name, 1) for name in search_logs(warehouse, household)]


def _tokens(connection: psycopg.Connection, household: Household) -> dict[str, int]:
    """How many tokens of personal answers the household has."""
    row = fetch_row(connection, statements["count_personal"], _rows({*household.stored, *household.conflicts}))
    return {"raw.personal": int(row["rows"]) if row else 0}


def _sealed_texts(connection: psycopg.Connection, keys: KeyRing, household: Household) -> list[tuple[str, int]]:
    """The rejected rows whose text names the household."""
    return [
        _place(row)
        for row in fetch_rows(connection, statements["rejected_texts"])
        if household.is_named_in(repr(open_token(keys, row["token"])).encode())
    ]


def _bodies(connection: psycopg.Connection, keys: KeyRing, household: Household) -> dict[str, bytes]:
    """The waiting bodies that name it, by upload."""
    opened = {
        row["ingestion_id"]: keys.open_waiting(row["body"])
        for row in fetch_rows(connection, statements["waiting_bodies"])
    }
    return {ingestion_id: body for ingestion_id, body in opened.items() if household.is_named_in(body)}


def _erase_bodies(connection: psycopg.Connection, keys: KeyRing, household: Household) -> None:
    """Take it out of the bodies that wait: of a batch the others' surveys stay."""
    for ingestion_id, body in _bodies(connection, keys, household).items():
        kept = without_household(household, body)
        values = {"ingestion_id": ingestion_id, "body": keys.seal(kept).decode() if kept else None}
        connection.execute(statements["replace_body" if kept else "delete_body"], values)


def _erase_rows(connection: psycopg.Connection, keys: KeyRing, household: Household) -> None:
    """Delete its rows everywhere, and count in the ledger what is gone from raw."""
    named = {"keys": list(household.keys), "pattern": household.pattern}
    sealed = _sealed_texts(connection, keys, household)
    _erase_bodies(connection, keys, household)
    connection.execute(statements["delete_repeated"], _rows(household.stored))
    connection.execute(statements["delete_personal"], _rows({*household.stored, *household.conflicts, *sealed}))
    connection.execute(statements["delete_conflicts"], _rows(household.conflicts))
    connection.execute("alter table review.decisions disable trigger refuse_change")
    connection.execute(statements["blank_decisions"], named)
    connection.execute("alter table review.decisions enable trigger refuse_change")
    connection.execute(statements["delete_requests"], named)
    for table in list_tables(connection):
        if (table["schema"], table["name"]) not in KEPT:
            _erase_table(connection, table, household)


def _erase_table(connection: psycopg.Connection, table: dict[str, Any], household: Household) -> None:
    name = sql.Identifier(table["schema"], table["name"])
    columns = [sql.SQL("{} = any(%(keys)s)").format(sql.Identifier(c)) for c in NAMING_COLUMNS if c in table["columns"]]
    if IDENTIFIER in table["columns"]:
        columns.append(sql.SQL("upper(btrim({})) = upper(btrim(%(household_id)s))").format(sql.Identifier(IDENTIFIER)))
    if not columns:
        return
    is_raw = table["schema"] == "raw" and table["name"] in _forms()
    statement = sql.SQL("delete from {} where {}").format(name, sql.SQL(" or ").join(columns))
    values = {"keys": list(household.keys), "household_id": household.identifier}
    if not is_raw:
        connection.execute(statement, values)
        return
    gone = [row[0] for row in connection.execute(statement + sql.SQL(" returning ingestion_id"), values)]
    connection.execute(statements["note_erased"], {"ingestion_ids": gone})


def _rows(places: Any) -> dict[str, list[Any]]:
    ordered = sorted(places)
    return {"ingestion_ids": [place[0] for place in ordered], "row_numbers": [place[1] for place in ordered]}
