"""What probabilities mean in words: status, category, confidence, verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.calibration import calibrate, fit_sigmoid
from ml.conformal import conform
from ml.risk import CATEGORIES, STATUSES, VERDICTS, confidence, decide, most_likely_status

HALF = 0.5
LESS = float(np.nextafter(HALF, 0))


@pytest.mark.parametrize(
    ("below_125", "below_177", "below_215", "status", "category"),
    [
        (HALF, 0.6, 0.7, "severely_struggling", "critical"),
        (LESS, HALF, 0.7, "struggling", "high"),
        (0.1, LESS, HALF, "at_risk", "medium"),
        (0.1, 0.2, LESS, "on_track", "low"),
        (0.0, 0.0, 0.0, "on_track", "low"),
        (1.0, 1.0, 1.0, "severely_struggling", "critical"),
    ],
)
def test_a_status_is_the_poorest_that_is_as_likely_as_not(
    below_125: float, below_177: float, below_215: float, status: str, category: str
) -> None:
    (place,) = most_likely_status(*(np.array([each]) for each in (below_125, below_177, below_215)))
    assert (STATUSES[place], CATEGORIES[place]) == (status, category)


@given(st.tuples(*[st.floats(0, 1)] * 3).map(sorted))
def test_status_decision_and_confidence_never_contradict(ordered: list[float]) -> None:
    values = [np.array([each]) for each in ordered]
    (place,) = most_likely_status(*values)
    assert (CATEGORIES[place] in ("high", "critical")) == bool(decide(values[1])[0])
    assert 0.5 <= confidence(values[1])[0] <= 1.0
    assert confidence(values[1])[0] in (ordered[1], 1 - ordered[1])


def test_a_threshold_counts_from_where_it_stands() -> None:
    assert decide(np.array([0.3, 0.3]), np.array([0.3, 0.31])).tolist() == [1, 0]


def test_calibration_finds_the_sigmoid_that_made_the_truth() -> None:
    random = np.random.default_rng(7)
    score = random.normal(3, 2, 40_000)
    truth = random.random(40_000) < 1 / (1 + np.exp(-(0.5 * score - 2)))
    found = fit_sigmoid(score, truth)
    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert found.intercept == pytest.approx(-2, abs=0.06)


def test_a_truth_without_an_overlap_still_gives_a_finite_sigmoid() -> None:
    score = np.linspace(-1, 1, 200)
    found = fit_sigmoid(score, score > 0)
    assert np.isfinite([found.intercept, found.slope]).all()
    assert found.probability(np.array([-1.0, 1.0])) == pytest.approx([0, 1], abs=0.02)


def test_too_few_of_a_kind_get_their_share_whatever_the_score() -> None:
    found = fit_sigmoid(np.arange(100.0), np.arange(100) < 3)
    assert found.slope == 0
    assert found.probability(np.array([0.0, 99.0])) == pytest.approx([4 / 102, 4 / 102])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_three_cuts_are_never_out_of_order(scores: list[float]) -> None:
    random = np.random.default_rng(1)
    known = random.normal(size=400)
    calibration = calibrate(known, np.exp(0.5 - 0.4 * known + random.normal(0, 0.5, 400)))
    lower, middle, upper = calibration.probabilities(np.array(scores))
    assert (lower >= 0).all()
    assert (lower <= middle).all()
    assert (middle <= upper).all()
    assert (upper <= 1).all()


def test_verdicts_cover_each_class_as_promised() -> None:
    random = np.random.default_rng(3)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        probability = random.beta(2, 3, count)
        return probability, random.random(count) < probability

    bounds = conform(*draw(20_000))
    probability, is_vulnerable = draw(20_000)
    verdicts = np.array(VERDICTS)[bounds.verdicts(probability)]
    assert (verdicts[is_vulnerable] != "not_vulnerable").mean() == pytest.approx(0.9, abs=0.015)
    assert (verdicts[~is_vulnerable] != "vulnerable").mean() == pytest.approx(0.9, abs=0.015)
    assert 0.2 < (verdicts == "undecided").mean() < 0.9


def test_too_few_households_decide_nothing() -> None:
    bounds = conform(np.array([0.9, 0.1]), np.array([True, False]))
    assert np.array(VERDICTS)[bounds.verdicts(np.array([0.0, 0.5, 1.0]))].tolist() == ["undecided"] * 3
