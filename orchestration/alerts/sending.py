"""Telling of alerts: after the book is committed, each receiver what it does not know yet, until it has taken it."""

import json
from datetime import datetime
from typing import Literal

from orchestration.alerts.book import STATEMENTS, Alert, select_alerts
from orchestration.alerts.receivers import Receiver, Tone, list_receivers, list_usable_receivers
from orchestration.alerts.rules import Severity
from orchestration.context import Warehouse
from warehouse.database import fetch_rows
from warehouse.errors import BusyError
from warehouse.logs import get_logger

Kind = Literal["opened", "repeated", "resolved"]
TONES: dict[Severity, Tone] = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}
LOCK = "kyalo.alerts.sending"
logger = get_logger(__name__)


def send_due(warehouse: Warehouse, now: datetime) -> list[Alert]:
    """Tell every receiver what is due; what was told again.

    A receiver that does not take a message is asked again at the next check. While another process sends, nothing is
    sent here. A message that was taken just before its process died is sent twice.
    """
    receivers, problems = list_usable_receivers(warehouse.settings)
    for problem in problems:
        logger.error("an address is told of no alert", problem=str(problem))
    if not receivers:
        return []
    try:
        with warehouse.database.lock(LOCK):
            repeated = [alert for receiver in receivers for alert in _send_to(warehouse, receiver, now)]
    except BusyError:
        return []
    return list({alert.alert_id: alert for alert in repeated}.values())


def send_test(warehouse: Warehouse) -> dict[str, str | None]:
    """Send a message without meaning to everybody; by receiver why it was not taken, None where it was.

    Raises:
        ConfigurationError: an address cannot be used.
    """
    body = "This is a test. Whoever reads it is told of alerts."
    return {
        receiver.name: receiver.send("Kyalo: a test", body, "info") for receiver in list_receivers(warehouse.settings)
    }


def _send_to(warehouse: Warehouse, receiver: Receiver, now: datetime) -> list[Alert]:
    """Send a receiver what is due, up to the first message that it does not take; what was told again."""
    repeat_hours = dict(part.split("=") for part in warehouse.settings.alert_repeat_hours.split(",") if part)
    values = {"receiver": receiver.name, "now": now, "repeat_hours": json.dumps(repeat_hours)}
    with warehouse.database.transaction() as connection:
        kinds: dict[str, Kind] = {
            row["alert_id"]: row["kind"] for row in fetch_rows(connection, STATEMENTS["due_messages"], values)
        }
        alerts = {alert.alert_id: alert for alert in select_alerts(connection, list(kinds))}
    repeated = []
    for alert_id, kind in kinds.items():
        problem = receiver.send(*_write(alerts[alert_id], kind))
        _record(warehouse, receiver, alert_id, kind, problem, now)
        if problem:
            logger.warning("an alert was not taken", receiver=receiver.name, problem=problem)
            break
        if kind == "repeated":
            repeated.append(alerts[alert_id])
    return repeated


def _write(alert: Alert, kind: Kind) -> tuple[str, str, Tone]:
    """Title, text and tone of a message."""
    about = f"{alert.alert}{f' ({alert.subject})' if alert.subject else ''}"
    since = f"Since {alert.opened_at:%Y-%m-%d %H:%M %Z}."
    if kind == "resolved":
        return f"Kyalo: resolved: {about}", f"It is right again. It was: {alert.message}\n{since}", "success"
    again = "still " if kind == "repeated" else ""
    body = (
        f"{alert.message}\n{since} What to do: {alert.runbook}\n"
        f"`kyalo alerts ack {alert.alert_id}` says that you know; it is then not told again."
    )
    return f"Kyalo: {again}{alert.severity}: {about}", body, TONES[alert.severity]


def _record(
    warehouse: Warehouse, receiver: Receiver, alert_id: str, kind: Kind, problem: str | None, now: datetime
) -> None:
    """Note a message; of several tries that failed only the last one is kept."""
    values = {
        "alert_id": alert_id,
        "kind": kind,
        "receiver": receiver.name,
        "is_delivered": problem is None,
        "problem": problem,
        "now": now,
    }
    with warehouse.database.transaction() as connection:
        for statement in ("forget_failed_delivery", "record_delivery", "note_sent"):
            connection.execute(STATEMENTS[statement], values)
