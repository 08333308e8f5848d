"""Rows of the warehouse that are a household's: found, deleted, and searched for again."""

from collections.abc import Collection, Iterator
from typing import Any

import psycopg
from psycopg import sql

from ingest_api.personal import open_token
from orchestration.erasure.bodies import body_without
from orchestration.erasure.household import SPACES, Household
from orchestration.erasure.originals import household_forms
from warehouse.contract import IDENTIFIER, list_forms, load_contract
from warehouse.crypto.keys import KeyRing
from warehouse.database import fetch_row, fetch_rows, queries

statements = queries("erasure")
KEY_COLUMNS = ("submission_id", "submission_key", "corrected_by")
APART = {("review", "decisions"), ("review", "conflicts")}  # dealt with by statements of their own
Place = tuple[str, int]


def find_household(connection: psycopg.Connection, household: Household) -> Household:
    """The household with what it sent: what stands in raw, and what left raw for the archive and is still staged."""
    values = _names(household)
    rows = [row for form in household_forms() for row in _submissions(connection, form, values)]
    keys = {row["submission_key"] for row in rows}
    others = [form for form in list_forms() if form not in household_forms()]
    shared = {row["submission_key"] for form in others for row in _under_keys(connection, form, keys)}
    found = {**values, "forms": household_forms(), "identifier": IDENTIFIER, "keys": list(keys)}
    conflicts = fetch_rows(connection, statements["conflicts_of_household"], found)
    return Household(
        household.identifier, household.hide, keys, shared, {*map(_place, rows)}, {*map(_place, conflicts)}
    )


def search_rows(connection: psycopg.Connection, keys: KeyRing, household: Household) -> dict[str, int]:
    """How many rows of each table hold the household, encrypted ones included; tables without any are left out.

    Where its identifier can be nothing else, rows that only name it count as well.
    """
    found = {
        f"{table['schema']}.{table['name']}": _count(connection, table, household) for table in _tables(connection)
    }
    personal = fetch_row(connection, statements["count_personal"], _rows({*household.stored, *household.conflicts}))
    found["raw.personal"] = int(personal["rows"]) if personal else 0
    found["raw.rejected_rows, encrypted"] = len(_rejected(connection, keys, household))
    found["raw.bodies, encrypted"] = len(_bodies(connection, keys, household))
    return {name: rows for name, rows in found.items() if rows}


def erase_bodies(connection: psycopg.Connection, keys: KeyRing, household: Household) -> None:
    """Take it out of the bodies that wait to be bundled: of a batch the others' surveys stay."""
    for ingestion_id, kept in _bodies(connection, keys, household).items():
        replace_body(connection, keys, ingestion_id, kept)


def replace_body(connection: psycopg.Connection, keys: KeyRing, ingestion_id: str, kept: str | None) -> None:
    """Put what stays of a body that waits in its place; where nothing does, it goes."""
    values = {"ingestion_id": ingestion_id, "body": kept and keys.seal(kept.encode()).decode()}
    connection.execute(statements["replace_body" if kept else "delete_body"], values)


def erase_rows(connection: psycopg.Connection, keys: KeyRing, household: Household) -> None:
    """Delete its rows everywhere, and count in the ledger what is gone from raw."""
    own = {"keys": list(household.own_keys)}
    rejected = _rejected(connection, keys, household)
    connection.execute(statements["note_erased_identities"], _rows({*household.stored, *household.conflicts}))
    connection.execute(statements["delete_repeated"], _rows(household.stored))
    connection.execute(statements["delete_personal"], _rows({*household.stored, *household.conflicts, *rejected}))
    connection.execute(statements["delete_conflicts"], _rows(household.conflicts))
    connection.execute("alter table review.decisions disable trigger refuse_change")
    connection.execute(statements["blank_decisions"], own)
    connection.execute("alter table review.decisions enable trigger refuse_change")
    connection.execute(statements["take_out_of_requests"], _names(household))
    connection.execute(statements["delete_empty_requests"])
    if household.is_distinct:
        connection.execute(statements["blank_uploads"], {"pattern": household.pattern})
    for table in _tables(connection):
        if (table["schema"], table["name"]) not in APART:
            _erase_table(connection, table, household)


def _names(household: Household) -> dict[str, Any]:
    return {"names": list(household.names), "spaces": SPACES}


def _submissions(connection: psycopg.Connection, form: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for table, key in _tables_of_form(connection, form):
        statement = statements["submissions_of_household"].format(
            table=table, key=key, identifier=sql.Identifier(load_contract(form).identifier)
        )
        yield from fetch_rows(connection, statement, values)


def _under_keys(connection: psycopg.Connection, form: str, keys: Collection[str]) -> Iterator[dict[str, Any]]:
    for table, key in _tables_of_form(connection, form):
        statement = statements["submissions_under_keys"].format(table=table, key=key)
        yield from fetch_rows(connection, statement, {"keys": list(keys)})


def _tables_of_form(connection: psycopg.Connection, form: str) -> Iterator[tuple[sql.Identifier, sql.Identifier]]:
    """The tables that hold a form's submissions, each with the column that names one."""
    staging = f"stg_{form}__submissions"
    for schema, table, key in (("raw", form, "submission_key"), ("staging", staging, "submission_id")):
        found = connection.execute("select to_regclass(%s)", [f"{schema}.{table}"]).fetchone()
        if found and found[0]:
            yield sql.Identifier(schema, table), sql.Identifier(key)


def _place(row: dict[str, Any]) -> Place:
    return row["ingestion_id"], row["row_number"]


def _tables(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Every table that may be searched, with its columns that hold a household, a submission or a form."""
    return fetch_rows(connection, statements["tables"])


def _count(connection: psycopg.Connection, table: dict[str, Any], household: Household) -> int:
    condition: sql.Composable
    if household.is_distinct:
        condition = sql.SQL("searched::text ~* %(pattern)s")
    elif IDENTIFIER in table["columns"]:
        condition = _is_its_household()
    else:
        return 0
    statement = sql.SQL("select count(*) as rows from {} as searched where {}").format(_name(table), condition)
    counted = fetch_row(connection, statement, {**_names(household), "pattern": household.pattern})
    return int(counted["rows"]) if counted else 0


def _rejected(connection: psycopg.Connection, keys: KeyRing, household: Household) -> list[Place]:
    """The rejected rows whose encrypted text is the household's."""
    return [
        _place(row)
        for row in fetch_rows(connection, statements["rejected_texts"])
        if any(map(household.is_told_by, open_token(keys, row["token"]).values()))
    ]


def _bodies(connection: psycopg.Connection, keys: KeyRing, household: Household) -> dict[str, str | None]:
    """What stays of the waiting bodies that hold it, by upload."""
    rests = {}
    for row in fetch_rows(connection, statements["waiting_bodies"], {"forms": household_forms()}):
        body = keys.open_waiting(row["body"]).decode()
        rest = body_without(household, load_contract(row["form"]), body, row["content_type"])
        if rest != body:
            rests[row["ingestion_id"]] = rest
    return rests


def _erase_table(connection: psycopg.Connection, table: dict[str, Any], household: Household) -> None:
    """Delete its rows of a table: by its identifier, or where there is none by its submissions."""
    columns = table["columns"]
    named = [sql.SQL("{} = any(%(keys)s)").format(sql.Identifier(name)) for name in KEY_COLUMNS if name in columns]
    keys: Collection[str] = household.own_keys
    if IDENTIFIER in columns:
        condition = _is_its_household()
    elif not named:
        return
    elif "form" in columns:
        condition = sql.SQL("form = any(%(forms)s) and ({})").format(sql.SQL(" or ").join(named))
        keys = household.keys
    else:
        condition = sql.SQL(" or ").join(named)
    statement = sql.SQL("delete from {} where {}").format(_name(table), condition)
    values = {**_names(household), "keys": list(keys), "forms": household_forms()}
    if table["schema"] != "raw" or table["name"] not in household_forms():
        connection.execute(statement, values)
        return
    gone = [row[0] for row in connection.execute(statement + sql.SQL(" returning ingestion_id"), values)]
    connection.execute(statements["note_erased"], {"ingestion_ids": gone})


def _is_its_household() -> sql.Composable:
    return sql.SQL(
        "upper(btrim({}, %(spaces)s)) in (select upper(name) from unnest(%(names)s::text[]) as name)"
    ).format(sql.Identifier(IDENTIFIER))


def _name(table: dict[str, Any]) -> sql.Identifier:
    return sql.Identifier(table["schema"], table["name"])


def _rows(places: Collection[Place]) -> dict[str, list[Any]]:
    ordered = sorted(places)
    return {"ingestion_ids": [place[0] for place in ordered], "row_numbers": [place[1] for place in ordered]}
