"""The commands about models and policies: what they say, what they do, how they end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ml.promotion.consider import consider
from orchestration.cli import app
from orchestration.context import Warehouse
from tests.registered import make_features_function, make_scored_rows, register_model
from warehouse.errors import KyaloError, NotFoundError
from warehouse.settings import get_settings

pytestmark = [pytest.mark.xdist_group("mlflow")]
PLAIN, GOOD, BETTER = 1.5, 1.2, 0.9


@pytest.fixture(scope="module")
def module_warehouse(module_warehouse_in_a_new_place: Warehouse) -> Warehouse:
    """A warehouse where none was before: MLflow remembers by its address whether a database is set up."""
    return module_warehouse_in_a_new_place


@pytest.fixture(scope="module")
def ready(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with three models, the first of which is champion."""
    make_features_function(module_warehouse.database)
    first, *_ = [register_model(module_warehouse, make_scored_rows(noise)) for noise in (GOOD, PLAIN, BETTER)]
    consider(module_warehouse.database, module_warehouse.store, first, actor="ada")
    return module_warehouse


@pytest.fixture(autouse=True)
def environment(module_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that names the warehouse, for the length of a test."""
    settings = module_warehouse.settings
    named = {"KYALO_HOME": str(settings.home), "STORAGE_PATH": str(settings.store_folder)}
    for name, value in {**named, **module_warehouse.database.environment()}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def run(*command: str) -> Result:
    result = CliRunner().invoke(app, command)
    if isinstance(result.exception, KyaloError):
        raise result.exception
    return result


def answer(*command: str) -> Any:
    return json.loads(run(*command, "--json").stdout)


def test_models_are_promoted_refused_listed_and_rolled_back(ready: Warehouse) -> None:
    refused = run("models", "promote", "screening/2")
    assert refused.exit_code == 1
    assert "failed  Its AUC is" in refused.stdout
    promoted = run("models", "promote", "screening/3")
    assert (promoted.exit_code, promoted.stdout.splitlines()[-1]) == (
        0,
        "done: vulnerability_screening version 3 is champion; `kyalo run` scores everything by it",
    )
    listed = run("models", "list").stdout.splitlines()
    assert [line[:12] for line in listed[1:4]] == ["* screening/", "  screening/", "  screening/"]
    assert "0.790 (0.760 to 0.810)" in listed[1]
    assert listed[-1] == "done: 3 models; * marks champions"
    versions = answer("models", "list")
    assert [row["event"] for row in versions] == ["promoted", "refused", "promoted"]
    assert all(row["mlflow_run_id"] for row in versions)
    assert answer("models", "rollback", "screening", "--reason", "hills")["model_version"] == 1
    shown = answer("models", "show", "screening")
    assert [event["event"] for event in shown["events"]] == ["registered", "promoted", "rolled_back"]
    assert [event["actor"] for event in shown["events"]][1] == "ada"


def test_two_models_are_compared_without_a_trace(ready: Warehouse) -> None:
    events = "select count(*) from ml.model_events"
    with ready.database.transaction() as connection:
        before = connection.execute(events).fetchone()
    compared = run("models", "compare", "screening/3", "screening/2").stdout
    assert "0.790 (0.760 to 0.810)" in compared
    assert compared.splitlines()[-1] == "done: screening/3 would take the place of screening/2"
    with ready.database.transaction() as connection:
        assert connection.execute(events).fetchone() == before


def test_what_is_no_model_is_refused(ready: Warehouse) -> None:
    with pytest.raises(NotFoundError, match="no model version 9"):
        run("models", "show", "screening/9")
    assert "is not TRACK/VERSION" in run("models", "show", "three").stderr


def test_a_policy_is_set_shown_and_listed(ready: Warehouse) -> None:
    told = run("policies", "set", "--quota", "0.4", "--district", "Kanungu=0.3", "--reason", "money").stdout
    assert "policy 2: 40% of each district, Kanungu 30%, thresholds of vulnerability_screening" in told
    assert "exclusion at 0.5" in told
    effects = answer("policies", "show")["effects"]
    assert effects["Kanungu"]["selected"] == pytest.approx(0.3, abs=0.002)
    listed = run("policies", "list").stdout.splitlines()
    assert listed[-1] == "done: 2 policies; the first one holds"
    assert "0.50 on, everywhere" in listed[2]


@pytest.mark.parametrize(
    "options",
    [
        ("--reason", "no rule"),
        ("--reason", "two rules", "--quota", "0.4", "--cut", "0.5"),
        ("--reason", "a cut by district", "--cut", "0.5", "--district", "Kanungu=0.3"),
        ("--reason", "no share", "--quota", "0.4", "--district", "Kanungu"),
        ("--reason", "too much", "--quota", "0.4", "--district", "Kanungu=30"),
    ],
)
def test_a_policy_that_says_two_things_or_none_is_refused(ready: Warehouse, options: tuple[str, ...]) -> None:
    assert run("policies", "set", *options).exit_code == 2
