"""Online and batch agree: the features that a request is answered with are those of the mart, to the letter."""

import time
from typing import Any

import orjson
import pandas as pd
import pytest
from psycopg import sql

from benchmarks.parity import WITHOUT_TESTS, compare, compare_payloads, make_payloads
from ml.catalogue import list_models
from ml.features import load_features, read_rows
from ml.models import Algorithm
from ml.online import Predictor
from ml.score import score
from ml.tracks import Track
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.loading import load_file
from tests.conftest import REAL_SURVEY, SAMPLE
from tests.online_models import fit_model, promote
from warehouse.database import fetch_rows

pytestmark = [pytest.mark.xdist_group("parity"), pytest.mark.timeout(300)]

FORM = "household_survey"
SURVEYS = """
select to_jsonb(raw_submission) - array['extras', 'row_number']
from raw.household_survey as raw_submission
inner join features.fct_household_features as mart on mart.submission_id = raw_submission.submission_key
"""
PREDICTIONS = sql.SQL("select * from ml.current_predictions where track = %(track)s")
OLDER = """
drop function features.household_features(jsonb);
create function features.household_features(surveys jsonb) returns table (row_number bigint)
language sql as 'select 1::bigint';
update features.fct_household_features set phones_owned = 4711
"""


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with the feature mart of a survey."""
    load_file(module_warehouse, REAL_SURVEY if REAL_SURVEY.exists() else SAMPLE, FORM)
    with Dbt(module_warehouse) as dbt:
        dbt.build("--select", "+fct_household_features", *WITHOUT_TESTS)
    return module_warehouse


@pytest.fixture(scope="module")
def surveys(built: Warehouse) -> list[dict[str, Any]]:
    """What the raw table holds of the mart's households."""
    with built.database.transaction() as connection:
        return [survey for (survey,) in connection.execute(SURVEYS)]


def ask(warehouse: Warehouse, *surveys: dict[str, Any]) -> list[tuple[Any, ...]]:
    with warehouse.database.transaction() as connection:
        statement = "select * from features.household_features(%s)"
        return connection.execute(statement, [orjson.dumps(surveys).decode()]).fetchall()


def count(warehouse: Warehouse, condition: bytes) -> int:
    with warehouse.database.transaction() as connection:
        statement = b"select count(*) from features.fct_household_features where " + condition
        (found,) = connection.execute(statement).fetchone() or (0,)
    return int(found)


def test_every_household_of_the_survey_has_the_features_of_the_mart(
    built: Warehouse, surveys: list[dict[str, Any]]
) -> None:
    found = compare(built.database, [surveys])
    assert found.surveys == len(surveys) == count(built, b"true") > 1000
    assert found.differing == {}


@pytest.mark.parametrize(
    ("track", "algorithm"),
    [
        ("screening", "gradient_boosting"),
        ("screening", "random_forest"),
        ("screening", "logistic_regression"),
        ("assessment", "linear_regression"),
    ],
)
def test_every_household_of_the_survey_has_the_score_of_the_batch(
    built: Warehouse, surveys: list[dict[str, Any]], track: Track, algorithm: Algorithm
) -> None:
    rows = pd.concat(read_rows(built.database, load_features(), labelled_only=True), ignore_index=True)
    promote(built, fit_model(track, algorithm, rows), 1 + len(list_models(built.database, track)))
    score(built.database, built.store, run_id="parity")
    with built.database.transaction() as connection:
        batch = {row["household_id"]: row for row in fetch_rows(connection, PREDICTIONS, {"track": track})}
    predictor = Predictor(built.database, built.store)
    asked = [survey for survey in surveys if survey["household_id"].strip().upper() in batch]
    parts = [asked[:1000], asked[1000:], *([survey] for survey in asked[:30])]  # a few rows are scored in another way
    for part in parts:
        said = predictor.predict(track, part, client="test", started=time.perf_counter())["predictions"]
        assert len(said) == len(part)
        for household in said:
            expected = batch[household["household_id"]]
            for name in ("probability", "probability_below_125", "probability_below_215", "confidence"):
                assert household[name] == pytest.approx(expected[name], abs=1e-9)
            for name in ("prediction", "predicted_status", "risk_category", "verdict", "missing_features", "reasons"):
                assert household[name] == expected[name]
    assert len(batch) == len(asked) > 1000


def test_a_difference_would_be_found(built: Warehouse) -> None:
    survey = {"household_id": "KAN-1", "phones_owned": "2"}
    (row,), (other,) = ask(built, survey), ask(built, {**survey, "phones_owned": "3"})
    assert sum(one != another for one, another in zip(row, other, strict=True)) == 1


def test_answers_that_no_type_holds_are_missing_and_large_ones_cost_nothing(built: Warehouse) -> None:
    crops = dict.fromkeys(("season1_crops_planted", "season2_crops_planted", "perennial_crops_grown"), "999999999")
    rows = ask(built, {"household_id": "a-1", "household_size": "1e3", **crops}, {"household_size": None, "x": ["y"]})
    assert [row[:4] for row in rows] == [(1, "A-1", None, None), (2, None, None, None)]
    assert 2999999997 in rows[0]
    assert ask(built) == []


def test_strange_surveys_have_the_features_of_the_mart(built: Warehouse) -> None:
    """They pass for released whatever the rules say; the rows that stand, by SQL of another making, are made anew."""
    with built.database.transaction() as connection:
        connection.execute(OLDER)
    found = compare_payloads(built, list(make_payloads(2_000, seed=7)))
    assert found.surveys == 2_000
    assert found.differing == {}
    assert count(built, b"phones_owned = 4711") == 0
