"""Measures against what can be counted by hand and against scikit-learn, and intervals that know of villages."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, cohen_kappa_score, f1_score, log_loss, roc_auc_score

from ml.evaluation import Evaluation, Judged, Measure, evaluate
from ml.features import INCOME, TARGET
from ml.resampling import area_under_curve, draw_areas_under_curve, draw_villages, interval
from ml.risk import INCOME_CUTS
from ml.splits import place_groups, target_of
from ml.sums import select_share

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60)
INCOMES = [0.5, 1.0, 1.5, 1.8, 2.0, 2.2, 3.0, 5.0]
CHANCES = [0.9, 0.5, 0.4, 0.6, 0.3, 0.2, 0.1, 0.0]


def make_truth(incomes: list[float], **columns: list[str]) -> pd.DataFrame:
    """Rows with the incomes, each household in a village of its own unless told."""
    places = {
        "village": [f"Village {number}" for number in range(len(incomes))],
        "district": ["Rubanda"] * len(incomes),
    }
    rows = pd.DataFrame({INCOME: incomes, "head_sex": ["1"] * len(incomes)} | places | columns)
    return rows.assign(**{TARGET: (rows[INCOME] < INCOME_CUTS[1]).astype(float)})


def measure(rows: pd.DataFrame, chances: list[float], threshold: float = 0.5) -> Evaluation:
    judged = [Judged("village", np.array(chances))]
    return evaluate(rows, judged, candidates={}, baselines={}, threshold=threshold, draws=50)


def test_measures_what_can_be_counted_by_hand() -> None:
    evaluation = measure(make_truth(INCOMES), CHANCES)
    expected = {
        "n": 8,
        "base_rate": 3 / 8,
        "accuracy": 6 / 8,
        "precision": 2 / 3,
        "recall": 2 / 3,
        "f1": 2 / 3,
        "exclusion_error": 1 / 3,
        "inclusion_error": 1 / 3,
        "auc": 13 / 15,
        "exclusion_error_at_quota": 1 / 3,
        "inclusion_error_at_quota": 1 / 3,
        "missed_poorest_20": 1 - 1 / 1.6,
        "missed_poorest_40": 1 - (1 + 1 + 0.2 + 0.2) / 3.2,
        "calibration_gap": 3.0 / 8 - 3 / 8,
    }
    assert {name: evaluation.value(name) for name in expected} == pytest.approx(expected)


def test_a_threshold_moves_the_errors_and_not_the_ranking() -> None:
    rows = make_truth(INCOMES)
    high, low = measure(rows, CHANCES, 0.7), measure(rows, CHANCES, 0.15)
    assert (high.value("exclusion_error"), low.value("exclusion_error")) == pytest.approx((2 / 3, 0))
    assert (high.value("inclusion_error"), low.value("inclusion_error")) == pytest.approx((0, 1 / 2))
    assert high.value("auc") == low.value("auc")


def test_says_nothing_of_ranking_where_all_are_alike() -> None:
    evaluation = measure(make_truth([3.0, 4.0]), [0.2, 0.7])
    assert [evaluation.value(name) for name in ("auc", "recall", "exclusion_error")] == [None] * 3
    assert evaluation.value("inclusion_error") == 1.0


def test_says_nothing_of_a_selection_where_none_is_selected() -> None:
    evaluation = measure(make_truth([3.0, 1.0]), [0.2, 0.3])
    assert evaluation.value("precision") is None
    assert evaluation.value("inclusion_error") is None
    assert evaluation.value("exclusion_error") == 1.0


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_agrees_with_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    target = np.array([truth for truth, _ in pairs])
    chances = [chance for _, chance in pairs]
    evaluation = measure(make_truth([1.0 if truth else 3.0 for truth, _ in pairs]), chances)
    assert evaluation.value("brier") == pytest.approx(brier_score_loss(target, chances, labels=[0, 1]))
    assert evaluation.value("log_loss") == pytest.approx(log_loss(target, chances, labels=[0, 1]))
    f1 = f1_score(target, np.array(chances) >= 0.5, zero_division=0.0)
    assert (evaluation.value("f1") or 0.0) == pytest.approx(f1)
    auc = roc_auc_score(target, chances) if 0 < target.sum() < len(target) else None
    assert evaluation.value("auc") == (None if auc is None else pytest.approx(auc))


def test_agrees_with_scikit_learn_on_the_four_statuses() -> None:
    random = np.random.default_rng(3)
    incomes = random.lognormal(0.6, 0.5, 300)
    chances = np.sort(random.random((300, 3)), axis=1)
    judged = [Judged("village", chances[:, 1], chances[:, 0], chances[:, 2])]
    evaluation = evaluate(make_truth(list(incomes)), judged, candidates={}, baselines={}, draws=20)
    true = np.digitize(incomes, (1.25, 1.77, 2.15))
    said = (chances < 0.5).sum(axis=1)
    assert evaluation.value("status_accuracy") == pytest.approx((true == said).mean())
    assert evaluation.value("status_kappa") == pytest.approx(cohen_kappa_score(true, said, weights="quadratic"))
    assert evaluation.value("status_base_rate") == pytest.approx(np.bincount(true).max() / 300)


def test_verdicts_keep_nine_in_ten_of_each_class() -> None:
    random = np.random.default_rng(5)
    chances = random.random(4000)
    incomes = np.where(random.random(4000) < chances, 1.0, 3.0)
    judged = [Judged("village", chances, chances / 2, (1 + chances) / 2)]
    evaluation = evaluate(make_truth(list(incomes)), judged, candidates={}, baselines={}, draws=20)
    for name in ("coverage_vulnerable", "coverage_not_vulnerable"):
        assert evaluation.value(name) == pytest.approx(0.9, abs=0.02)
    assert 0 < (evaluation.value("undecided_share") or 0) < 1
    assert (evaluation.value("verdict_accuracy") or 0) > (evaluation.value("accuracy") or 1)


def test_tells_nothing_of_statuses_where_the_model_does_not() -> None:
    assert measure(make_truth(INCOMES), CHANCES).find("status_kappa") is None


def test_a_district_is_measured_by_its_own_households() -> None:
    rows = make_truth(INCOMES, district=["Rubanda", "Kanungu"] * 4, head_sex=["1", "1", "2", "2"] * 2)
    evaluation = measure(rows, CHANCES)
    assert evaluation.segments("district") == ["Kanungu", "Rubanda"]
    assert evaluation.segments("head_sex") == ["1", "2"]
    assert evaluation.value("n", segment_kind="district", segment="Kanungu") == 4
    assert evaluation.value("exclusion_error", segment_kind="district", segment="Kanungu") == 0
    assert evaluation.value("exclusion_error", segment_kind="district", segment="Rubanda") == 1 / 2
    assert evaluation.value("n", segment_kind="district", segment="Mitooma") is None


def test_a_district_shares_the_quota_of_all() -> None:
    """Three places for eight households: a district has as many as its scores win, whatever its need."""
    rows = make_truth(INCOMES, district=["Rubanda", "Kanungu"] * 4)
    evaluation = measure(rows, CHANCES)
    of_kanungu = {"segment_kind": "district", "segment": "Kanungu"}
    assert evaluation.value("inclusion_error_at_quota", **of_kanungu) == 1 / 2  # type: ignore[arg-type]


def test_candidates_and_baselines_are_measured_beside_the_model() -> None:
    rows, judged = make_truth(INCOMES), [Judged("village", np.array(CHANCES))]
    worse = {"random_forest": 1 - np.array(CHANCES)}
    evaluation = evaluate(rows, judged, candidates=worse, baselines={"majority": np.full(8, 0.4)}, draws=20)
    assert evaluation.value("auc", segment_kind="candidate", segment="random_forest") == pytest.approx(2 / 15)
    assert evaluation.value("auc", segment_kind="baseline", segment="majority") == 0.5
    assert evaluation.value("missed_poorest_20", segment_kind="baseline", segment="majority") == pytest.approx(0.8)


def test_equal_chances_are_selected_by_lot() -> None:
    assert list(select_share(np.array([3.0, 1.0, 2.0, 2.0]), 0.5)) == [1.0, 0.0, 0.5, 0.5]
    assert list(select_share(np.ones(5), 0.2)) == pytest.approx([0.2] * 5)


def test_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    chances = np.repeat(np.arange(10) / 10 + 0.05, 100)
    incomes = np.where(np.tile(np.arange(100), 10) < np.rint(100 * (chances - 0.04)), 1.0, 3.0)
    error = measure(make_truth(list(incomes)), list(chances)).find("calibration_error")
    assert error is not None
    assert error.value == pytest.approx(0.04)


def make_villages(villages: int, people: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Villages that differ in need by more than the chances know; the chances are right on average."""
    random = np.random.default_rng(seed)
    village = np.repeat(np.arange(villages), people)
    known = random.normal(0, 1, len(village))
    chance = 1 / (1 + np.exp(-known - random.normal(0, 1, villages)[village]))
    incomes = np.where(random.random(len(village)) < chance, 1.0, 3.0)
    rows = make_truth(list(incomes), village=[f"Village {number}" for number in village])
    return rows, 1 / (1 + np.exp(-known / 1.2))


def width(measure: Measure | None) -> float:
    assert measure is not None
    assert measure.lower_bound is not None
    assert measure.upper_bound is not None
    assert measure.value is not None
    assert measure.lower_bound <= measure.value <= measure.upper_bound
    return measure.upper_bound - measure.lower_bound


def test_an_interval_is_as_wide_as_villages_are_few() -> None:
    rows, chances = make_villages(40, 40, 1)
    apart = rows.assign(village=[f"Village {number}" for number in range(len(rows))])
    together, alone = measure(rows, list(chances)), measure(apart, list(chances))
    for metric in ("base_rate", "calibration_gap"):
        assert width(together.find(metric)) > 1.5 * width(alone.find(metric))


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """The true AUC is what very many villages have; of forty surveys' intervals about 38 hold it."""
    rows, chances = make_villages(2_000, 25, 7)
    truth = area_under_curve(target_of(rows), chances)
    ends = [interval_of_area(*make_villages(50, 20, seed)) for seed in range(40)]
    assert sum(lower <= truth <= upper for lower, upper in ends) >= 34


def interval_of_area(rows: pd.DataFrame, chances: np.ndarray) -> tuple[float, float]:
    target, villages = target_of(rows), place_groups("village", rows)
    lower, upper = interval(draw_areas_under_curve(target, chances, villages, draw_villages(50, seed=1, draws=200)))
    assert lower is not None
    assert upper is not None
    return lower, upper


def test_chance_alone_explains_the_error_of_a_calibrated_model() -> None:
    rows, chances = make_villages(60, 25, 2)
    honest, bold = measure(rows, list(chances)), measure(rows, list(np.clip(2 * chances - 0.5, 0.01, 0.99)))
    by_chance = honest.find("calibration_error_by_chance")
    assert by_chance is not None
    assert by_chance.upper_bound is not None
    assert (honest.value("calibration_error") or 1) < by_chance.upper_bound
    assert (bold.value("calibration_error") or 0) > by_chance.upper_bound
    assert bold.value("calibration_error_by_chance") == pytest.approx(by_chance.value, abs=0.01)


@pytest.mark.parametrize("seed", [0, 2])
def test_a_small_calibration_error_lies_amid_its_interval(seed: int) -> None:
    """Chance makes the error of every draw larger than the value; the interval makes up for it."""
    rows, chances = make_villages(60, 25, seed)
    error = measure(rows, list(chances)).find("calibration_error")
    assert error is not None
    middle = ((error.lower_bound or 0) + (error.upper_bound or 0)) / 2
    assert middle == pytest.approx(error.value, abs=0.2 * width(error))


@pytest.mark.parametrize(
    "scores", [lambda random: random.random(3_000), lambda random: random.integers(0, 9, 3_000) / 9]
)
def test_draws_of_the_area_are_those_of_the_drawn_households(
    scores: Callable[[np.random.Generator], np.ndarray],
) -> None:
    random = np.random.default_rng(4)
    score, villages = scores(random), random.integers(0, 50, 3_000)
    target = (random.random(3_000) < score).astype(np.int64)
    weights = draw_villages(50, seed=1, draws=5)
    areas = draw_areas_under_curve(target, score, villages, weights)
    for area, drawn in zip(areas, weights, strict=True):
        assert area == pytest.approx(roc_auc_score(target, score, sample_weight=drawn[villages]), abs=2e-4)


def test_the_same_rows_have_the_same_measures() -> None:
    assert measure(make_truth(INCOMES), CHANCES) == measure(make_truth(INCOMES), CHANCES)
