"""Rules of selection: cuts, quotas, the thresholds that they mean, and what they cost."""

import numpy as np
import pandas as pd
import pytest

from ml.features import TARGET
from ml.promotion.rules import ALL, Rule, Thresholds, effects_of, threshold_of


@pytest.mark.parametrize(("quota", "selected"), [(0.0, 0), (0.25, 1), (0.5, 2), (1.0, 4)])
def test_a_quota_selects_its_share(quota: float, selected: int) -> None:
    probability = np.array([0.9, 0.1, 0.4, 0.6])
    assert (probability >= threshold_of(probability, quota)).sum() == selected


def test_households_that_tie_are_selected_together() -> None:
    probability = np.array([0.9, 0.5, 0.5, 0.1])
    assert (probability >= threshold_of(probability, 0.5)).sum() == 3


def test_a_district_is_cut_by_its_own_quota_and_a_small_one_by_that_of_all() -> None:
    districts = np.repeat(["Kanungu", "Mitooma", "Rubanda"], [100, 100, 10])
    probability = np.concatenate([np.linspace(0.0, 0.5, 100), np.linspace(0.5, 1.0, 100), np.full(10, 0.8)])
    thresholds = Rule(default_quota=0.4, quotas={"Kanungu": 0.2}).derive(probability, districts)
    assert set(thresholds.by_district) == {"Kanungu", "Mitooma"}
    selected = thresholds.select(probability, districts)
    assert [selected[districts == name].mean() for name in ("Kanungu", "Mitooma")] == [0.2, 0.4]
    assert thresholds.of(np.array(["Rubanda", "elsewhere"])).tolist() == [thresholds.default] * 2


def test_a_plain_cut_is_the_same_for_all() -> None:
    thresholds = Rule(cut=0.6).derive(np.linspace(0, 1, 200), np.repeat(["a", "b"], 100))
    assert thresholds == Thresholds(0.6)


def test_the_costs_of_thresholds_are_told_by_district() -> None:
    rows = pd.DataFrame({"district": ["Kanungu"] * 4 + [None] * 2, TARGET: [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]})
    probability = np.array([0.7, 0.4, 0.45, 0.1, 0.2, 0.6])
    effects = effects_of(rows, probability, Thresholds(0.5, {"Kanungu": 0.4}))
    assert effects["Kanungu"] == {
        "households": 4,
        "base_rate": 0.5,
        "threshold": 0.4,
        "selected": 0.75,
        "exclusion_error": 0.0,
        "inclusion_error": pytest.approx(1 / 3),
        "selected_at_half": 0.25,
        "exclusion_error_at_half": 0.5,
        "inclusion_error_at_half": 0.0,
    }
    assert effects["unknown"]["exclusion_error"] is None
    assert effects[ALL]["threshold"] is None
    assert effects[ALL]["inclusion_error"] == 0.5
