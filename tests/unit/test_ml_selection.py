"""The rule that chooses an algorithm."""

import pytest

from ml.models import Algorithm
from ml.selection import choose


@pytest.mark.parametrize(
    ("logistic", "boosting", "forest", "chosen"),
    [
        (0.80, 0.80, 0.80, "logistic_regression"),
        (0.797, 0.80, 0.80, "logistic_regression"),
        (0.79, 0.81, 0.8135, "gradient_boosting"),
        (0.79, 0.80, 0.81, "random_forest"),
        (0.999, 0.99, 0.98, "logistic_regression"),
    ],
)
def test_the_best_wins_unless_a_simpler_one_is_as_good(
    logistic: float, boosting: float, forest: float, chosen: Algorithm
) -> None:
    areas: dict[Algorithm, float] = {
        "random_forest": forest,
        "gradient_boosting": boosting,
        "logistic_regression": logistic,
    }
    assert choose(areas) == chosen
