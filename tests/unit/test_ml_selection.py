"""The rule that chooses an algorithm."""

import numpy as np
import pytest

from ml.evaluate import Evaluation
from ml.metrics import Metrics, measure
from ml.models import Algorithm
from ml.selection import choose


def evaluation(auc: float) -> Evaluation:
    measured = measure(np.array([0, 1]), np.array([0.1, 0.9]))
    return Evaluation(folds=5, groups=10, overall=Metrics(**{**vars(measured), "auc": auc}), by_district={})


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
    candidates: dict[Algorithm, Evaluation] = {
        "random_forest": evaluation(forest),
        "gradient_boosting": evaluation(boosting),
        "logistic_regression": evaluation(logistic),
    }
    assert choose(candidates) == chosen
