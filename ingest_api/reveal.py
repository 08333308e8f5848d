"""Personal answers, opened for who may see them; the audit log tells of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from ingest_api.personal import hide_number, open_token
from warehouse import audit
from warehouse.contract import list_forms, load_contract
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import NotFoundError
from warehouse.grants import CUSTODIAN


@dataclass(frozen=True)
class Revealed:
    """The personal answers of one submission: field to answer, as it was sent."""

    form: str
    submission_key: str
    ingestion_id: str
    row_number: int
    received_at: datetime
    answers: dict[str, str]


def reveal_household(database: Database, household_id: str) -> list[Revealed]:
    """The personal answers of everything that was sent about a household, the newest first.

    Raises:
        NotFoundError: nothing about it is stored.
        IntegrityError: none of the keys opens one of them.
    """
    keys = load_key_ring(database.settings)
    found: list[Revealed] = []
    is_known = False
    household_id = hide_number(keys, household_id)
    audit.note(subject=household_id, households=[household_id])
    with database.transaction() as connection, _as_custodian(connection):
        for form in list_forms():
            statement = queries("personal")["personal_of_household"].format(
                raw_table=sql.Identifier("raw", form), identifier=sql.Identifier(load_contract(form).identifier)
            )
            for row in fetch_rows(connection, statement, {"household_id": household_id}):
                token = row.pop("token")
                is_known = True
                found += [Revealed(form=form, answers=open_token(keys, token), **row)] if token else []
    if not is_known:
        raise NotFoundError(
            f"Nothing about a household {household_id!r} is stored.",
            code="household.not_found",
            remedy="Give the identifier as the survey has it.",
        )
    audit.note(records=len(found))
    return sorted(found, key=lambda each: each.received_at, reverse=True)


def personal_answers(
    connection: psycopg.Connection, keys: KeyRing, ingestion_id: str, row_number: int
) -> dict[str, str]:
    """The personal answers of one row, by field; none where it came with none.

    Raises:
        IntegrityError: none of the keys opens them.
    """
    place = {"ingestion_id": ingestion_id, "row_number": row_number}
    with _as_custodian(connection):
        rows = fetch_rows(connection, queries("personal")["personal_of_row"], place)
    return open_token(keys, rows[0]["token"]) if rows else {}


@contextmanager
def _as_custodian(connection: psycopg.Connection) -> Iterator[None]:
    """Take on, in the caller's transaction, the one role that may read tokens; then what one was before."""
    before = connection.execute("select current_setting('role')").fetchone()
    connection.execute("select set_config('role', %s, true)", [CUSTODIAN])
    yield
    connection.execute("select set_config('role', %s, true)", before)
