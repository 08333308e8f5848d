"""The cuts between the risk categories, and what confidence means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.risk import categorise, confidence, decide


@pytest.mark.parametrize(
    ("probability", "category"),
    [
        (0.0, "low"),
        (np.nextafter(0.25, 0), "low"),
        (0.25, "medium"),
        (np.nextafter(0.5, 0), "medium"),
        (0.5, "high"),
        (np.nextafter(0.75, 0), "high"),
        (0.75, "critical"),
        (1.0, "critical"),
    ],
)
def test_a_category_begins_at_its_cut(probability: float, category: str) -> None:
    assert categorise(np.array([probability])).tolist() == [category]


@given(st.floats(0, 1))
def test_category_decision_and_confidence_never_contradict(probability: float) -> None:
    values = np.array([probability])
    assert (categorise(values)[0] in ("high", "critical")) == bool(decide(values)[0])
    assert 0.5 <= confidence(values)[0] <= 1.0
    assert confidence(values)[0] in (probability, 1 - probability)
