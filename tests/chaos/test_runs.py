"""A run that is killed at some of its steps and gone on with makes what an undisturbed run makes."""

from pathlib import Path

import pytest

from orchestration.context import Warehouse
from orchestration.pipeline import run_pipeline
from orchestration.sample import SAMPLE
from tests.chaos.kills import KILLS
from tests.chaos.runs import outcome, receive, survive
from tests.conftest import cloned_warehouse
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.xdist_group("chaos_runs"), pytest.mark.timeout(900)]

IN_SUITE = [("build", "dbt"), ("publish", "run")]
# Too few to train on: kills elsewhere are left to `make chaos`, and these take half a minute less.
SURVEYS = b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[:90])


@pytest.fixture(scope="module")
def undisturbed(module_warehouse: Warehouse) -> dict[str, str]:
    """What a run makes that nobody disturbs."""
    receive(module_warehouse, SURVEYS)
    run_pipeline(module_warehouse)
    return outcome(module_warehouse)


def test_killed_run_that_is_gone_on_with_makes_the_same(
    undisturbed: dict[str, str], test_server: EmbeddedServer, template: str, homes: Path
) -> None:
    with cloned_warehouse(test_server, template, homes) as warehouse:
        receive(warehouse, SURVEYS)
        survive(warehouse, [one for one in KILLS if (one.step, one.victim) in IN_SUITE], resume=True)
        assert outcome(warehouse) == undisturbed
