"""Metrics against what can be counted by hand, and what they say where nothing can be said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, f1_score

from ml.metrics import measure, measure_groups

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


def test_measures_what_can_be_counted_by_hand() -> None:
    target = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    probability = np.array([0.9, 0.5, 0.4, 0.6, 0.3, 0.2, 0.1, 0.0])
    metrics = measure(target, probability)
    assert (metrics.n, metrics.base_rate, metrics.accuracy) == (8, 3 / 8, 6 / 8)
    assert (metrics.precision, metrics.recall, metrics.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert metrics.exclusion_error == pytest.approx(1 / 3)
    assert metrics.inclusion_error == pytest.approx(1 / 3)
    assert metrics.auc == pytest.approx(13 / 15)


def test_says_nothing_of_ranking_where_all_are_alike() -> None:
    metrics = measure(np.array([0, 0]), np.array([0.2, 0.7]))
    assert metrics.auc is None
    assert metrics.recall is None
    assert metrics.exclusion_error is None
    assert metrics.inclusion_error == 1.0


def test_says_nothing_of_a_selection_where_none_is_selected() -> None:
    metrics = measure(np.array([0, 1]), np.array([0.2, 0.3]))
    assert metrics.precision is None
    assert metrics.inclusion_error is None
    assert metrics.exclusion_error == 1.0


@given(PAIRS)
def test_agrees_with_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    target = np.array([truth for truth, _ in pairs])
    probability = np.array([chance for _, chance in pairs])
    metrics = measure(target, probability)
    assert metrics.brier == pytest.approx(brier_score_loss(target, probability, labels=[0, 1]))
    expected = f1_score(target, probability >= 0.5, zero_division=0.0)
    assert (metrics.f1 or 0.0) == pytest.approx(expected)


def test_groups_share_out_all_households() -> None:
    target, probability = np.array([1, 0, 1]), np.array([0.9, 0.1, 0.2])
    groups = measure_groups(target, probability, np.array(["Rubanda", "Kanungu", "Rubanda"]))
    assert {name: metrics.n for name, metrics in groups.items()} == {"Kanungu": 1, "Rubanda": 2}
    assert groups["Kanungu"].auc is None
