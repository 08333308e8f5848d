"""From probabilities to words: the only place where the cuts stand."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECISION_CUT = 0.50
INCOME_CUTS = (1.25, 1.77, 2.15)  # USD a day
STATUSES = ("severely_struggling", "struggling", "at_risk", "on_track")
CATEGORIES = ("critical", "high", "medium", "low")
VERDICTS = ("not_vulnerable", "undecided", "vulnerable")
NOT_VULNERABLE, UNDECIDED, VULNERABLE = range(3)


def decide(probability: Floats, threshold: float | Floats = DECISION_CUT) -> NDArray[np.int64]:
    """1 where a household counts as vulnerable, 0 elsewhere."""
    return (probability >= threshold).astype(np.int64)


def confidence(probability: Floats) -> Floats:
    """How sure the model is that a household is vulnerable, or is not: max(p, 1 - p), from 0.5 to 1."""
    return np.maximum(probability, 1 - probability)


def most_likely_status(below_125: Floats, below_177: Floats, below_215: Floats) -> NDArray[np.int8]:
    """The place in STATUSES, and in CATEGORIES, of each household.

    It is the poorest status whose upper end the household stays below with a probability of at least a half: the
    median of its distribution over the ordered statuses.
    """
    cumulative = np.stack([below_125, below_177, below_215])
    return np.asarray((cumulative < DECISION_CUT).sum(axis=0), dtype=np.int8)
