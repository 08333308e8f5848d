"""Alerts: what opens one, what closes it, who is told of it."""

from datetime import UTC, datetime

from orchestration.alerts import check_alerts
from orchestration.context import Warehouse

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_an_empty_warehouse_has_no_alert(warehouse: Warehouse) -> None:
    warehouse.settings.store_folder.mkdir(parents=True)
    changes = check_alerts(warehouse, NOW, everything=True)
    assert changes.opened == changes.repeated == changes.resolved == []
