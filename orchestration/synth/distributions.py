"""How a standard normal becomes a level, an amount of money or a share."""

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TAIL = (0.0005, 0.005, 0.01, 0.02)
_MIDDLE = tuple(round(0.035 * step, 3) for step in range(1, 28))
QUANTILE_LEVELS: Final = (*_TAIL, *_MIDDLE, 0.965, *(1 - level for level in reversed(_TAIL)))
"""Cumulative probabilities at which the distribution of an amount or a share is kept."""


def normal_quantile(probabilities: Floats) -> Floats:
    """The standard normal quantile of each probability; 0 and 1 give minus and plus infinity."""
    inverse = NormalDist().inv_cdf
    ends = {0.0: -np.inf, 1.0: np.inf}
    return np.array([ends[p] if p in ends else inverse(p) for p in map(float, probabilities)])


@dataclass(frozen=True)
class Ordinal:
    """Levels in order, and where on the normal each level after the first begins."""

    levels: Floats
    thresholds: Floats

    @property
    def positive_from(self) -> float:
        """Where on the normal the first level above zero begins."""
        first = int(np.searchsorted(self.levels, 0.0, side="right"))
        return float(self.thresholds[first - 1]) if first else -np.inf

    def moved(self, mean: float, deviation: float) -> "Ordinal":
        """The same distribution for a normal of another mean and deviation."""
        return replace(self, thresholds=mean + deviation * self.thresholds)

    def decode(self, normals: Floats) -> Floats:
        """The level of each normal."""
        return self.levels[np.searchsorted(self.thresholds, normals, side="right")]


@dataclass(frozen=True)
class Amount:
    """A sum of money: zero up to a point on the normal, then rising through log-quantiles."""

    positive_from: float
    knots: Floats
    logarithms: Floats
    step: int

    def moved(self, mean: float, deviation: float) -> "Amount":
        """The same distribution for a normal of another mean and deviation."""
        start = mean + deviation * self.positive_from
        return replace(self, positive_from=start, knots=mean + deviation * self.knots)

    def normal_of(self, ugx: float) -> float:
        """The normal that becomes `ugx`."""
        return float(np.interp(np.log(ugx), self.logarithms, self.knots))

    def decode(self, normals: Floats) -> Floats:
        """UGX of each normal, whole multiples of the step, at least one step where not zero."""
        steps = np.rint(np.exp(np.interp(normals, self.knots, self.logarithms)) / self.step)
        return np.where(normals < self.positive_from, 0.0, np.maximum(steps, 1.0) * self.step)


@dataclass(frozen=True)
class Share:
    """A part between 0 and 1, straight lines between quantiles."""

    knots: Floats
    quantiles: Floats
    positive_from: float = -np.inf

    def moved(self, mean: float, deviation: float) -> "Share":
        """The same distribution for a normal of another mean and deviation."""
        return replace(self, knots=mean + deviation * self.knots)

    def decode(self, normals: Floats) -> Floats:
        """The share of each normal."""
        return np.interp(normals, self.knots, self.quantiles)


Margin = Ordinal | Amount | Share


def given_parent(margin: Margin, correlation: float, parent: Margin) -> Margin:
    """The margin of a variable that exists only where its parent is above zero.

    Where the parent's normal is above a threshold t, a normal correlated with it by r has mean r m and
    variance 1 - r^2 m (m - t), with m = phi(t) / (1 - Phi(t)) the mean of a normal above t.
    """
    threshold = parent.positive_from
    if not np.isfinite(threshold):
        return margin
    normal = NormalDist()
    mean = normal.pdf(threshold) / (1.0 - normal.cdf(threshold))
    deviation = np.sqrt(1.0 - correlation**2 * mean * (mean - threshold))
    return margin.moved(correlation * mean, float(deviation))
