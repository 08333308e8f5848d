"""From a score to probabilities: three cuts of one scale, ordered by construction."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.risk import INCOME_CUTS

Floats = NDArray[np.float64]

LARGEST_LOGIT = 700.0  # beyond it an exponential has no value
FEWEST = 10
MOST_STEPS = 100
STILL = 1e-10
RIDGE = 1e-9


@dataclass(frozen=True)
class Sigmoid:
    """probability = 1 / (1 + exp(-(intercept + slope x score)))."""

    intercept: float
    slope: float

    def probability(self, score: Floats) -> Floats:
        """The probability of each score."""
        return _sigmoid(self.intercept + self.slope * score)


@dataclass(frozen=True)
class Calibration:
    """The probabilities of living below 1.25, 1.77 and 2.15 USD a day, from one score.

    The middle cut is calibrated for itself. The lower one is calibrated among the households below the middle one, the
    upper one among those above it, and multiplied on: so that the three can never be out of order (the continuation
    ratios of ordered categories; Fienberg, 1980). Each is a sigmoid (Platt, 1999), fitted to scores of households whose
    villages the scoring model had not seen.
    """

    below_177: Sigmoid
    below_125_of_those: Sigmoid
    below_215_of_others: Sigmoid

    def probabilities(self, score: Floats) -> tuple[Floats, Floats, Floats]:
        """The three probabilities of each score, from the lowest cut to the highest."""
        middle = self.below_177.probability(score)
        lower = middle * self.below_125_of_those.probability(score)
        upper = middle + (1 - middle) * self.below_215_of_others.probability(score)
        return lower, middle, np.minimum(upper, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**{name: Sigmoid(**numbers) for name, numbers in document.items()})


def calibrate(score: Floats, income: Floats) -> Calibration:
    """Fit the calibration to out-of-fold scores and incomes in USD a day."""
    lowest, middle, highest = INCOME_CUTS
    is_below = income < middle
    return Calibration(
        below_177=fit_sigmoid(score, is_below),
        below_125_of_those=fit_sigmoid(score[is_below], income[is_below] < lowest),
        below_215_of_others=fit_sigmoid(score[~is_below], income[~is_below] < highest),
    )


def fit_sigmoid(score: Floats, is_true: NDArray[np.bool_]) -> Sigmoid:
    """The sigmoid of the highest likelihood, its targets drawn in a little as Platt (1999) does.

    With too few of either kind there is no slope to be told, and every score gets the share of those that are true.
    """
    positives, negatives = int(is_true.sum()), int((~is_true).sum())
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    target = np.where(is_true, high, low)
    if min(positives, negatives) < FEWEST:
        share = (positives + 1) / (positives + negatives + 2)
        return Sigmoid(float(np.log(share / (1 - share))), 0.0)
    middle, spread = float(np.median(score)), float(np.std(score)) or 1.0
    intercept, slope = _newton((score - middle) / spread, target)
    return Sigmoid(intercept - slope * middle / spread, slope / spread)


def _newton(score: Floats, target: Floats) -> tuple[float, float]:
    """Intercept and slope of the highest likelihood, by Newton's steps, halved where one would go too far."""
    columns = np.stack([np.ones_like(score), score])
    numbers = np.array([0.0, 1.0])
    loss = _loss(numbers @ columns, target)
    for _ in range(MOST_STEPS):
        probability = _sigmoid(numbers @ columns)
        gradient = columns @ (probability - target)
        curvature = (columns * (probability * (1 - probability))) @ columns.T + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while (new := _loss((numbers - step) @ columns, target)) > loss and np.abs(step).max() > STILL:
            step /= 2
        numbers, loss = numbers - step, new
        if np.abs(step).max() <= STILL:
            break
    return float(numbers[0]), float(numbers[1])


def _loss(logit: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0, logit) - target * logit))


def _sigmoid(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))), dtype=np.float64)
