"""The leak guard on the project's own SQL, as dbt compiles it, and on the rows of the sample."""

import copy
import io
import json
import re
from typing import Any

import pandas as pd
import pytest

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ml.features import load_features, read_rows
from ml.leakage import LeakError, Lineage, guard_against_leaks, track_features
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.sample import SAMPLE
from warehouse.errors import TrainingError

pytestmark = [pytest.mark.xdist_group("leak_guard"), pytest.mark.timeout(300)]

Manifest = dict[str, Any]

FEATURES = load_features()
SCREENING = track_features("screening", FEATURES)
MART, HOUSEHOLDS, STAGED = "fct_household_features", "fct_households", "stg_household_survey__submissions"

PLANTED = {
    "a component": (MART, "rent_income"),
    "the target and noise": (MART, "income_consumption_residues_per_day * (1 + 0.05 * random())"),
    "a ratio of two": (MART, "farm_income / nullif(household_income, 0)"),
    "a rank": (MART, "rank() over (order by perennial_crop_income)"),
    "a category of it": (MART, "case when total_employment_income > 500 then 1 else 0 end"),
    "a mean of the village": (MART, "avg(agricultural_value) over (partition by district, village)"),
    "a whole row": (MART, "(to_jsonb(sums) ->> 'consumption_per_day')::double precision"),
    "what a model said": (MART, "(select avg(said.probability) from ml.current_predictions as said)"),
    "another name in the model before": (HOUSEHOLDS, "submissions.rent_income"),
    "what of it cannot be read": (HOUSEHOLDS, "cardinality(submissions.cast_error_columns)"),
    "another name in staging": (STAGED, "remittances_and_gifts"),
    "how it was written": (STAGED, "self_employment_income_as_sent"),
    "whether all is plainly written": (STAGED, "is_plain::integer"),
}


@pytest.fixture(scope="module")
def manifests(module_warehouse: Warehouse) -> dict[str, Manifest]:
    """What dbt compiles for a warehouse without tables, and for one that was built of the sample."""
    with SAMPLE.open("rb") as sample, Dbt(module_warehouse) as dbt:
        empty = json.loads(dbt.compile_features().read_text())
        content = io.BytesIO(sample.read())
        database, store = module_warehouse.database, module_warehouse.store
        receive_file(database, store, content, form="household_survey", filename="survey.csv", source="cli")
        land_next(database, store)
        dbt.build("--select", f"+{MART}", "--exclude", "resource_type:test", "resource_type:unit_test")
        return {"empty": empty, "built": json.loads(dbt.compile_features().read_text())}


@pytest.fixture(scope="module")
def rows(manifests: dict[str, Manifest], module_warehouse: Warehouse) -> pd.DataFrame:
    """The labelled households of the sample."""
    return pd.concat(read_rows(module_warehouse.database, FEATURES, labelled_only=True), ignore_index=True)


def plant(manifest: Manifest, model: str, expression: str) -> Lineage:
    """The lineage of the project with another expression for `radios_owned` in one of its models."""
    node = dict(manifest["nodes"][f"model.kyalo.{model}"])
    pattern = re.compile(r"^( +)(submissions\.)?radios_owned,$", re.MULTILINE)
    text, count = pattern.subn(rf"\1{expression} as radios_owned,", node["compiled_code"])
    assert count == 1
    node["compiled_code"] = text
    return Lineage({**manifest, "nodes": {**manifest["nodes"], f"model.kyalo.{model}": node}})


@pytest.mark.parametrize("state", ["empty", "built"])
def test_no_feature_of_the_screening_is_blocked(manifests: dict[str, Manifest], state: str) -> None:
    lineage = Lineage(manifests[state])
    assert {feature.name: lineage.find_leak(feature.name) for feature in SCREENING} == {
        feature.name: None for feature in SCREENING
    }


def test_no_feature_of_the_screening_is_blocked_for_what_it_holds(
    manifests: dict[str, Manifest], rows: pd.DataFrame
) -> None:
    assert len(rows) > 1000
    guard_against_leaks("screening", SCREENING, rows, lambda: Lineage(manifests["built"]))


def test_components_are_known_by_the_contract_alone(manifests: dict[str, Manifest]) -> None:
    forgetful = copy.deepcopy(manifests["built"])
    columns = forgetful["nodes"][f"model.kyalo.{MART}"]["columns"]
    components = [name for name, column in columns.items() if column["config"]["meta"].pop("component_of_target", 0)]
    lineage = Lineage(forgetful)
    ways = {name: lineage.find_leak(name) or [] for name in components}
    assert len(components) > 20
    assert [name for name, way in ways.items() if not way or not way[-1].startswith("household_survey.")] == []


@pytest.mark.parametrize(("model", "expression"), PLANTED.values(), ids=PLANTED)
def test_blocks_what_is_planted_in_the_sql(
    manifests: dict[str, Manifest], rows: pd.DataFrame, model: str, expression: str
) -> None:
    lineage = plant(manifests["built"], model, expression)
    with pytest.raises(LeakError, match="radios_owned <- ") as caught:
        guard_against_leaks("screening", SCREENING, rows, lambda: lineage)
    # What is planted early is in everything that is made of it.
    assert set(caught.value.facts["columns"]) <= {"radios_owned", "asset_score"}
    assert "radios_owned" in caught.value.facts["columns"]


def test_refuses_what_no_contract_knows(manifests: dict[str, Manifest], rows: pd.DataFrame) -> None:
    lineage = plant(manifests["built"], STAGED, "extras ->> 'wealth'")
    with pytest.raises(TrainingError, match="may hold any answer") as caught:
        guard_against_leaks("screening", SCREENING, rows, lambda: lineage)
    assert caught.value.error_code == "ml.untraceable_feature"
