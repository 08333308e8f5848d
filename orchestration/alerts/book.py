"""The book of alerts, `ops.alerts`: what is open, since when, and who knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from orchestration.alerts.rules import Severity
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import NotFoundError

STATEMENTS = queries("alerts")


@dataclass(frozen=True)
class Alert:
    """One time that something was wrong.

    Attributes:
        alert: the rule that found it.
        subject: with what, empty where there is only one.
        facts: the figures that were seen.
        last_sent_at: when somebody was told last.
        resolved_at: when it was right again; None while it is open.
    """

    alert_id: str
    alert: str
    subject: str
    severity: Severity
    message: str
    runbook: str
    facts: dict[str, Any]
    opened_at: datetime
    last_seen_at: datetime
    last_sent_at: datetime | None
    times_sent: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None


def list_alerts(database: Database, *, with_resolved: bool = False, limit: int = 1_000) -> list[Alert]:
    """The open alerts, the newest first; then the resolved ones where they are asked for."""
    with database.transaction() as connection:
        return select_alerts(connection, with_resolved=with_resolved, limit=limit)


def select_alerts(
    connection: psycopg.Connection,
    alert_ids: Sequence[str] | None = None,
    *,
    with_resolved: bool = True,
    limit: int | None = None,
) -> list[Alert]:
    """Alerts by their identity, all when omitted."""
    values = {"alert_ids": alert_ids, "with_resolved": with_resolved, "limit": limit}
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(STATEMENTS["select_alerts"], values).fetchall()


def acknowledge(database: Database, alert: str, *, by: str, subject: str | None = None) -> list[Alert]:
    """Note that somebody knows of open alerts, so that they are not told again.

    Args:
        database: where the book is.
        alert: identity of an alert, or name of a rule.
        by: who knows.
        subject: only the alert with that subject; all of the rule when omitted.

    Raises:
        NotFoundError: no such alert is open.
    """
    values = {"alert": alert, "acknowledged_by": by, "subject": subject}
    with database.transaction() as connection:
        found = fetch_rows(connection, STATEMENTS["acknowledge"], values)
        if not found:
            raise NotFoundError(
                f"No alert {alert} is open.", code="alert.not_found", remedy="`kyalo alerts list` shows what is."
            )
        return select_alerts(connection, [row["alert_id"] for row in found])
