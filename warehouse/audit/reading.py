"""What the log says: of a time, of somebody, of a household."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import class_row

from warehouse.contract import IDENTIFIER, list_forms, load_contract
from warehouse.database import Database, fetch_rows, queries

MOST = 1000


@dataclass(frozen=True)
class Entry:
    """One entry of the log; see the table `ops.audit_log`. Without a chain it is from the ledger of uploads.

    What was changed to a time that no calendar has is listed at the end of the calendar that is nearest to it.
    """

    at: datetime
    door: str
    action: str
    actor: str | None
    source: str | None
    subject: str | None
    result: str
    code: str | None
    http_status: int | None
    records: int | None
    households: list[str]
    request_id: str | None
    chain_id: str | None
    sequence: int | None


def list_entries(
    database: Database,
    *,
    since: datetime | None = None,
    actor: str | None = None,
    action: str | None = None,
    household_id: str | None = None,
    limit: int = MOST,
) -> list[Entry]:
    """Entries, the newest first.

    Args:
        database: where the log is.
        since: none that is older.
        actor: only of this client or user.
        action: only of this action; `quarantine.*` are all that begin so.
        household_id: only those that name this household.
        limit: at most so many.
    """
    values = {
        "since": since,
        "actor": actor,
        "action": _pattern(action),
        "household_id": household_id,
        "limit": limit,
    }
    with database.transaction() as connection:
        cursor = connection.cursor(row_factory=class_row(Entry))
        return cursor.execute(queries("audit")["list_entries"], values).fetchall()


def who_saw(database: Database, household_id: str, *, limit: int = MOST) -> list[Entry]:
    """Who saw or changed a household, the newest first: by the log, and by the ledger who sent it with many others.

    The ledger names clients; who loaded a file on the machine itself stands in the log.

    Args:
        database: where both are.
        household_id: as the survey has it.
        limit: at most so many of each.
    """
    logged = list_entries(database, household_id=household_id, limit=limit)
    found = [*logged, *_sent(database, household_id, {entry.subject for entry in logged}, limit)]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _sent(database: Database, household_id: str, known: set[str | None], limit: int) -> list[Entry]:
    """Uploads that brought rows of a household and that no entry names."""
    uploads = []
    for form in list_forms():
        if IDENTIFIER not in load_contract(form).names:
            continue
        statement = queries("audit")["senders_of_household"].format(
            raw_table=sql.Identifier("raw", form), identifier=sql.Identifier(IDENTIFIER)
        )
        values = {"household_id": household_id, "known": [name for name in known if name], "limit": limit}
        with database.transaction() as connection:
            uploads += fetch_rows(connection, statement, values)
    sent = {"result": "allowed", "households": [household_id]}
    unknown = dict.fromkeys(("source", "code", "http_status", "records", "request_id", "chain_id", "sequence"))
    return [Entry(**{**unknown, **sent, **upload}) for upload in uploads]


def _pattern(action: str | None) -> str | None:
    """An action as `like` takes it."""
    if action is None:
        return None
    plain = action.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return plain.replace("*", "%")
