"""The check: every rule is looked at, what it finds is opened, what it finds no more is closed, and people are told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from orchestration.alerts.book import STATEMENTS, Alert, select_alerts
from orchestration.alerts.limits import read_limits
from orchestration.alerts.rules import RULES, Rule
from orchestration.alerts.sending import send_due
from orchestration.context import Warehouse
from warehouse.database import fetch_rows, queries
from warehouse.logs import get_logger

logger = get_logger(__name__)
FINDERS = queries("alert_rules")


@dataclass(frozen=True)
class Changes:
    """What a check changed.

    Attributes:
        opened: what is wrong now and was not before.
        repeated: what is still wrong, and was told again.
        resolved: what was wrong and is right again.
    """

    opened: list[Alert]
    repeated: list[Alert]
    resolved: list[Alert]


@dataclass(frozen=True)
class _Finding:
    """Something that a rule found wrong."""

    rule: Rule
    subject: str
    facts: dict[str, Any]

    def values(self, now: datetime) -> dict[str, object]:
        """The row of the book."""
        return {
            "alert": self.rule.name,
            "subject": self.subject,
            "severity": self.rule.severity,
            "message": self.rule.message.format(subject=self.subject, **self.facts),
            "runbook": self.rule.runbook,
            "facts": Jsonb({name: _plain(value) for name, value in self.facts.items()}),
            "now": now,
        }


def check_alerts(warehouse: Warehouse, now: datetime | None = None, *, everything: bool = False) -> Changes:
    """Look at every rule, write down what changed, and tell those who want to know.

    Rules that read what only a run changes are looked at once after each run.

    Args:
        warehouse: what to look at.
        now: the moment to judge at; the present one when omitted.
        everything: look also at what no run has changed since the last look.
    """
    now = now or datetime.now(UTC)
    limits = read_limits(warehouse) | {"now": now}
    with warehouse.database.transaction() as connection:
        connection.execute(STATEMENTS["lock_alerts"])
        rules = _rules_to_look_at(connection, now, everything=everything)
        standing = select_alerts(connection, with_resolved=False)
        findings = [finding for rule in rules for finding in _look(connection, rule, limits)]
        told = _without_consequences(findings, standing, looked_at={rule.name for rule in rules})
        opened, resolved = _write_down(connection, told, rules, now)
    for alert in opened:
        logger.warning("alert", alert=alert.alert, severity=alert.severity, message=alert.message)
    for alert in resolved:
        logger.info("alert resolved", alert=alert.alert)
    return Changes(opened, send_due(warehouse, now), resolved)


def _rules_to_look_at(connection: psycopg.Connection, now: datetime, *, everything: bool) -> list[Rule]:
    needed = sorted({table for rule in RULES for table in rule.needs})
    missing = {row["needed"] for row in fetch_rows(connection, STATEMENTS["missing_tables"], {"tables": needed})}
    fresh = {row["alert"] for row in fetch_rows(connection, STATEMENTS["looked_at_since_runs"], {"now": now})}
    return [
        rule
        for rule in RULES
        if missing.isdisjoint(rule.needs) and (everything or not rule.follows_runs or rule.name not in fresh)
    ]


def _look(connection: psycopg.Connection, rule: Rule, limits: Mapping[str, object]) -> list[_Finding]:
    rows = fetch_rows(connection, FINDERS[rule.name], limits)
    return [_Finding(rule, row.pop("subject"), row) for row in rows]


def _without_consequences(
    findings: Sequence[_Finding], standing: Sequence[Alert], looked_at: Collection[str]
) -> list[_Finding]:
    """The findings, less those that follow from another one; what is open already stays open."""
    causes = {finding.rule.name for finding in findings}
    causes |= {alert.alert for alert in standing if alert.alert not in looked_at}
    is_open = {(alert.alert, alert.subject) for alert in standing}
    return [
        finding
        for finding in findings
        if causes.isdisjoint(finding.rule.explained_by) or (finding.rule.name, finding.subject) in is_open
    ]


def _write_down(
    connection: psycopg.Connection, findings: Sequence[_Finding], rules: Sequence[Rule], now: datetime
) -> tuple[list[Alert], list[Alert]]:
    """The alerts that were opened, and those that were closed."""
    written = [
        row for finding in findings for row in fetch_rows(connection, STATEMENTS["record_finding"], finding.values(now))
    ]
    names = [rule.name for rule in rules]
    left_alone = [rule.name for rule in RULES if rule.name not in names]
    values = {"now": now, "found": [row["alert_id"] for row in written], "left_alone": left_alone}
    closed = fetch_rows(connection, STATEMENTS["resolve"], values)
    connection.execute(STATEMENTS["note_checks"], {"alerts": names, "now": now})
    opened = [row["alert_id"] for row in written if row["is_new"]]
    return select_alerts(connection, opened), select_alerts(connection, [row["alert_id"] for row in closed])


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)
