"""From a probability to a verdict: the only place where the cuts stand."""

import numpy as np
from numpy.typing import NDArray

DECISION_CUT = 0.50
CATEGORIES = ("low", "medium", "high", "critical")
CATEGORY_CUTS = (0.25, 0.50, 0.75)


def decide(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 where a household counts as vulnerable, 0 elsewhere."""
    return (probability >= DECISION_CUT).astype(np.int64)


def confidence(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """How sure the model is of its decision, whichever it is: max(p, 1 - p), from 0.5 to 1."""
    return np.maximum(probability, 1 - probability)


def categorise(probability: NDArray[np.float64]) -> NDArray[np.str_]:
    """The risk category: low below 0.25, medium below 0.50, high below 0.75, critical from there."""
    return np.array(CATEGORIES)[np.digitize(probability, CATEGORY_CUTS)]
