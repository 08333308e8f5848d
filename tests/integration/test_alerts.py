"""Alerts: what opens one and what closes it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ml.watching.batch import LEAST_BATCH
from orchestration.alerts import check_alerts
from orchestration.alerts.book import list_alerts
from orchestration.alerts.checking import FINDERS
from orchestration.alerts.limits import LEAST
from orchestration.alerts.rules import RULES
from orchestration.context import Warehouse
from tests.wrong import NOW, PREDICTION, RUN, WRONG, clear, do, names
from warehouse.settings import PROJECT_ROOT


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse in which nothing is wrong."""
    module_warehouse.settings.store_folder.mkdir(parents=True, exist_ok=True)
    yield module_warehouse
    clear(module_warehouse)


def test_an_empty_warehouse_has_no_alert(warehouse: Warehouse) -> None:
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [])


@pytest.mark.parametrize("rule", WRONG)
def test_what_is_wrong_opens_one_alert_and_what_is_nearly_so_none(warehouse: Warehouse, rule: str) -> None:
    wrong, nearly = WRONG[rule]
    do(warehouse, wrong)
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([rule], [], [])
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [])
    (alert,) = list_alerts(warehouse.database)
    assert alert.opened_at == NOW
    assert not re.search(r"[{}]|None", alert.message)
    clear(warehouse, keeps_alerts=True)
    do(warehouse, nearly)
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [rule])


def test_personal_data_that_no_contract_marks_is_one_alert_for_a_form(warehouse: Warehouse) -> None:
    do(warehouse, WRONG["unmarked_personal_data"][0])
    check_alerts(warehouse, NOW)
    (alert,) = list_alerts(warehouse.database)
    assert alert.subject == "household_survey"
    fields = "next_of_kin (name in 9 rows), remarks (phone in 6 rows, name in 2 rows)"
    assert f"{fields}; the newest upload is two." in alert.message


def test_store_that_is_gone_is_told(warehouse: Warehouse) -> None:
    warehouse.settings.store_folder.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])


def test_paused_pipeline_is_not_late(warehouse: Warehouse) -> None:
    do(warehouse, WRONG["late_run"][0])
    do(
        warehouse,
        "insert into ops.schedules (job, schedule, timezone, is_paused, settled_until)"
        " values ('pipeline', '0 2 * * *', 'UTC', true, '2026-03-02')",
    )
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])


def test_consequence_is_not_told_beside_its_cause(warehouse: Warehouse) -> None:
    do(warehouse, WRONG["backlog"][0])
    store = warehouse.settings.store_folder
    store.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])
    store.mkdir()
    assert names(check_alerts(warehouse, NOW)) == (["backlog"], [], ["store_away"])
    store.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])
    assert {alert.alert for alert in list_alerts(warehouse.database)} == {"backlog", "store_away"}


def test_what_only_runs_change_is_looked_at_once_after_each(warehouse: Warehouse) -> None:
    _, right = WRONG["wrong_champion"]
    do(warehouse, right)
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])
    do(warehouse, "truncate ml.predictions;" + PREDICTION.format(1))
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])
    do(warehouse, RUN.format("next", "succeeded", "-1 hour", "-1 hour", ""))
    assert names(check_alerts(warehouse, NOW + timedelta(hours=2))) == (["wrong_champion"], [], [])


def test_each_rule_has_its_statement_and_its_section_in_the_runbooks() -> None:
    rules = [rule.name for rule in RULES]
    sections = re.findall(r"^## (.+)$", (PROJECT_ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    assert sections == rules
    assert sorted(FINDERS) == sorted(rules)
    assert {cause for rule in RULES for cause in rule.explained_by} <= set(rules)
    assert LEAST["least_batch"] == LEAST_BATCH
