"""The main job, from a device and an office to the marts, on the real survey where it is present."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from orchestration.demo import run_demo
from orchestration.pipeline import run_pipeline
from orchestration.report import collect_account
from orchestration.runs import Run
from orchestration.sample import SAMPLE
from warehouse.errors import BuildError, BusyError, ConfigurationError

pytestmark = [pytest.mark.xdist_group("main_job"), pytest.mark.timeout(600)]

REAL_ROWS = 2785


@pytest.fixture(scope="module")
def demo(module_warehouse: Warehouse, survey_file: Path) -> tuple[Warehouse, Run, str]:
    """The warehouse after the main job, its run, and the file's ingestion identifier."""
    return module_warehouse, *run_demo(module_warehouse, survey_file)


@pytest.fixture(scope="module")
def account(demo: tuple[Warehouse, Run, str]) -> dict[str, Any]:
    """What the account of the run tells, through JSON as a program would get it."""
    warehouse, run, _ = demo
    told: dict[str, Any] = json.loads(json.dumps(collect_account(warehouse, run), default=str))
    return told


def rows(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.database.transaction() as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]


def test_every_row_is_accounted_for(account: dict[str, Any], survey_file: Path) -> None:
    ledger, layers = account["ledger"], account["layers"]
    written = survey_file.read_bytes().count(b"\n") - 1
    assert ledger["received"] == written
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["conflict"]
    assert ledger["stored"] == layers["released"] + layers["quarantined"] + layers["superseded"]


def test_real_survey_comes_out_as_measured(account: dict[str, Any], survey_file: Path) -> None:
    if survey_file == SAMPLE:
        pytest.skip("the real survey is not here")
    assert account["ledger"]["received"] == REAL_ROWS
    assert account["layers"]["quarantined"] == 63
    assert [row["rows"] for row in account["quarantined"]] == [63]
    scores = {model["track"]: model["overall"] for model in account["models"]}
    assert scores["assessment"]["accuracy"] >= 0.979
    assert scores["assessment"]["f1"] >= 0.976
    assert scores["screening"]["auc"] >= 0.78


def test_every_quarantined_row_has_its_reasons(demo: tuple[Warehouse, Run, str]) -> None:
    warehouse, _, _ = demo
    unexplained = rows(
        warehouse,
        "select submission_id from marts.fct_quarantined_submissions "
        "where jsonb_array_length(reasons) <> cardinality(failed_rules) or failed_rules = '{}'",
    )
    assert unexplained == []


def test_every_released_household_is_predicted(demo: tuple[Warehouse, Run, str]) -> None:
    warehouse, _, _ = demo
    unscored = rows(
        warehouse,
        "select household_id from validated.fct_households as households where not exists ("
        "select 1 from ml.predictions where predictions.submission_id = households.submission_id "
        "and predictions.track = 'screening')",
    )
    assert unscored == []


def test_features_are_many(account: dict[str, Any]) -> None:
    assert account["layers"]["columns_of_features"] > 50


def test_districts_are_told_with_their_errors(account: dict[str, Any]) -> None:
    for model in account["models"]:
        assert set(model["by_district"]) == {row["district"] for row in account["districts"]}
        for scores in model["by_district"].values():
            assert {"accuracy", "auc", "exclusion_error", "inclusion_error"} <= scores.keys()


def test_status_tells_the_outcome_over_http(demo: tuple[Warehouse, Run, str], account: dict[str, Any]) -> None:
    warehouse, _, ingestion_id = demo
    with serving_api(warehouse) as client:
        status = client.get(f"/api/v1/status/{ingestion_id}").json()
    assert status["status"] == "completed"
    assert status["results"]["predictions_generated"] == account["layers"]["predicted"]
    assert status["progress"]["valid_records"] == account["layers"]["released"] + account["layers"]["superseded"]


@pytest.fixture(scope="module")
def second_run(demo: tuple[Warehouse, Run, str]) -> tuple[Run, list[tuple[Any, ...]]]:
    """A second run with no new data, and the predictions before it."""
    warehouse, _, _ = demo
    before = rows(warehouse, "select * from ml.predictions order by prediction_id")
    return run_pipeline(warehouse), before


def test_second_run_changes_no_row(
    demo: tuple[Warehouse, Run, str], second_run: tuple[Run, list[tuple[Any, ...]]]
) -> None:
    warehouse, _, _ = demo
    run, before = second_run
    assert run.changed_tables == []
    assert rows(warehouse, "select * from ml.predictions order by prediction_id") == before


def test_runs_are_recorded_with_their_steps(
    demo: tuple[Warehouse, Run, str], second_run: tuple[Run, list[tuple[Any, ...]]]
) -> None:
    warehouse, _, _ = demo
    recorded = rows(
        warehouse,
        "select runs.status, count(*) filter (where steps.status = 'succeeded') from ops.pipeline_runs as runs"
        " inner join ops.pipeline_steps as steps on runs.run_id = steps.run_id group by runs.run_id",
    )
    assert recorded == [("succeeded", 10), ("succeeded", 10)]


def test_two_runs_do_not_overlap(demo: tuple[Warehouse, Run, str]) -> None:
    warehouse, _, _ = demo
    with warehouse.database.lock("kyalo.pipeline"), pytest.raises(BusyError):
        run_pipeline(warehouse)


def test_sample_does_not_mix_with_surveys_of_others(demo: tuple[Warehouse, Run, str], survey_file: Path) -> None:
    warehouse, _, _ = demo
    if survey_file == SAMPLE:
        pytest.skip("the real survey is not here")
    with pytest.raises(ConfigurationError, match="not the sample's"):
        run_demo(warehouse, None)


def test_failed_gate_leaves_the_marts_as_they_were(demo: tuple[Warehouse, Run, str]) -> None:
    """Runs last: it takes a row out of raw behind the ledger's back."""
    warehouse, _, _ = demo
    before = rows(warehouse, "select * from marts.fct_household_risk order by household_id")
    with warehouse.database.transaction() as connection:
        connection.execute(
            "delete from raw.household_survey where ctid in (select ctid from raw.household_survey limit 1)"
        )
    with pytest.raises(BuildError, match="ledger_balances"):
        run_pipeline(warehouse)
    assert rows(warehouse, "select * from marts.fct_household_risk order by household_id") == before
    ((status, code),) = rows(
        warehouse, "select status, error_code from ops.pipeline_runs order by started_at desc limit 1"
    )
    assert (status, code) == ("failed", "build.failed")
