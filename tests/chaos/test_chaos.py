"""The API, the worker and PostgreSQL killed at named points: nothing acknowledged is lost, nothing is doubled."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestration.originals import verify_originals
from tests.chaos.scenarios import SCENARIOS, Scenario, play
from tests.chaos.stand import Stand, standing

pytestmark = pytest.mark.xdist_group("chaos")

IN_SUITE = [scenario for scenario in SCENARIOS if not scenario.only_by_make]


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """One stand for all scenarios: what one leaves behind must not hurt the next."""
    with standing() as stand:
        yield stand


@pytest.mark.parametrize("scenario", IN_SUITE, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_or_doubled(stand: Stand, scenario: Scenario) -> None:
    play(stand, scenario, f"run{IN_SUITE.index(scenario)}")


def test_one_repair_leaves_the_store_as_the_ledger_says(stand: Stand) -> None:
    database, store = stand.database, stand.warehouse.store
    verify_originals(database, store, repair=True, grace=timedelta())
    assert verify_originals(database, store, grace=timedelta()).findings == []
