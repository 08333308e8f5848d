"""The points table: whole points that add up to 100, and what it makes of strange answers."""

import numpy as np
import pandas as pd
import pytest

from ml.answers import list_choices
from ml.baselines import judge_baselines
from ml.features import TARGET, load_features
from ml.points import HIGHEST, QUESTIONS, PointsTable, fit_points_table
from ml.resampling import area_under_curve
from ml.splits import make_folds, target_of
from tests.ml_rows import make_rows

FEATURES = [feature for feature in load_features() if "screening" in feature.tracks]


def make_answers(households: int = 600) -> pd.DataFrame:
    """Rows whose target three answers decide, but for chance."""
    rows = make_rows(households, villages=24)
    random = np.random.default_rng(5)
    rows["phones_owned"] = random.integers(0, 4, households).astype(float)
    rows["salaried_workers"] = (random.random(households) < 0.1).astype(float)
    need = 2 - rows["phones_owned"] - 4 * rows["salaried_workers"] + 2 * (rows["wall_material"] == "1")
    rows[TARGET] = (random.random(households) < 1 / (1 + np.exp(-need))).astype(float)
    return rows


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return make_answers()


@pytest.fixture(scope="module")
def table(rows: pd.DataFrame) -> PointsTable:
    return fit_points_table(rows, FEATURES)


def test_asks_first_what_tells_most(table: PointsTable) -> None:
    features = [question.choices.feature for question in table.questions]
    assert len(features) == len(set(features)) == QUESTIONS
    assert set(features[:3]) == {"phones_owned", "salaried_workers", "wall_material"}


def test_the_best_answers_make_a_hundred_and_the_worst_nothing(table: PointsTable) -> None:
    points = [[answer.points for answer in question.answers] for question in table.questions]
    assert sum(max(some) for some in points) == HIGHEST
    assert [min(some) for some in points] == [0] * QUESTIONS
    assert all(
        min(some) <= question.points_unanswered <= max(some)
        for some, question in zip(points, table.questions, strict=True)
    )


def test_more_points_are_a_smaller_chance(table: PointsTable, rows: pd.DataFrame) -> None:
    chances = [chance for _, chance in table.bands()]
    assert chances == sorted(chances, reverse=True)
    assert table.bands()[0][0] == "0-9"
    assert table.bands()[-1][0] == "90-100"
    assert table.probability(rows).mean() == pytest.approx(rows[TARGET].mean(), abs=0.001)


def test_counts_no_answer_and_one_it_does_not_know_as_the_average(table: PointsTable, rows: pd.DataFrame) -> None:
    asked = [question.choices.feature for question in table.questions]
    silent = rows.head(1).assign(**{name: np.nan for name in asked if name != "wall_material"}, wall_material="7")
    assert table.points(silent)[0] == sum(question.points_unanswered for question in table.questions)


def test_asks_for_no_money_and_for_nothing_that_is_computed(rows: pd.DataFrame) -> None:
    asked = {choices.feature for choices in list_choices(rows, load_features())}
    assert "phones_owned" in asked
    assert not asked & {"assets_usd", "rent_income", "infrastructure_score", "crops_planted_total"}


def test_asks_nothing_that_all_answer_alike(rows: pd.DataFrame) -> None:
    alike = rows.assign(has_latrine=1.0, radios_owned=np.nan, head_sex="1")
    asked = {choices.feature for choices in list_choices(alike, FEATURES)}
    assert not asked & {"has_latrine", "radios_owned", "head_sex"}


def test_prints_each_question_with_all_its_answers(table: PointsTable) -> None:
    text = table.to_text()
    assert max(len(line) for line in text.splitlines()) <= 78
    assert text.count("[ ]") == sum(len(question.answers) + 1 for question in table.questions)
    assert "Material of the walls of the main house" in text
    assert "90-100" in text


def test_baselines_are_made_without_the_villages_that_they_judge(rows: pd.DataFrame) -> None:
    folds = make_folds("village", rows)
    assert folds is not None
    baselines = judge_baselines(rows, FEATURES, folds)
    target = target_of(rows)
    train, test = folds[0]
    assert set(baselines["majority"]) == {target.mean()}
    of_kanungu = test[rows["district"].iloc[test] == "Kanungu"]
    known = train[rows["district"].iloc[train] == "Kanungu"]
    assert baselines["district_rate"][of_kanungu] == pytest.approx(target[known].mean())
    assert area_under_curve(target, baselines["points_table"]) > 0.75


def test_a_new_district_has_the_rate_of_all(rows: pd.DataFrame) -> None:
    folds = make_folds("district", rows)
    assert folds is not None
    baselines = judge_baselines(rows, FEATURES, folds)
    target = target_of(rows)
    for train, test in folds:
        assert set(baselines["district_rate"][test]) == {target[train].mean()}


def test_the_answers_to_a_number_rise_or_fall_all_along(table: PointsTable) -> None:
    for question in table.questions:
        points = [answer.points for answer in question.answers]
        assert question.choices.kind == "category" or points in (sorted(points), sorted(points, reverse=True))
