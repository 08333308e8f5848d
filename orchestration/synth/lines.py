"""How the line of each district's total is fitted to an export."""

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from orchestration.synth.distributions import Floats
from orchestration.synth.parameters import Line

_PENALTY: Final = 5.0
_FREE: Final = 10.0
"""Size of the columns that stand for the districts themselves; the penalty hardly holds them."""
_SMALLEST_DEVIATION: Final = 1e-6
_LOGISTIC_VARIANCE: Final = 1.6**2
"""Variance of the normal that comes closest to the logistic distribution around its middle."""


def fit_lines(seen: Floats, below: Floats, districts: Floats) -> list[Line]:
    """One line per district: penalised logistic regression, drawn towards slopes common to all districts.

    The line is fitted to whether a household is below the poverty line, because the circumstances tell more
    of that than of how far below or above it is.

    Args:
        seen: households x circumstances.
        below: for each household, 1 if it is below the poverty line and 0 if not.
        districts: households x districts, 1 where the household lives there and 0 elsewhere.
    """
    deviation = np.maximum(seen.std(axis=0), _SMALLEST_DEVIATION)
    standard = (seen - seen.mean(axis=0)) / deviation
    design = np.hstack([standard, *(standard * here[:, None] for here in districts.T), districts * _FREE])
    weights = LogisticRegression(C=1 / _PENALTY, max_iter=1_000).fit(design, below).coef_[0]
    common, *own, _ = np.split(-weights, np.cumsum([seen.shape[1]] * (1 + districts.shape[1])))
    lines = []
    for slopes, here in zip(own, districts.T, strict=True):
        lines.append(_line(seen[here > 0], (common + slopes) / deviation))
    return lines


def _line(seen: Floats, slopes: Floats) -> Line:
    """The line in units of the normal behind the total, which has mean zero and variance one."""
    heights = seen @ slopes
    scale = np.sqrt(heights.var() + _LOGISTIC_VARIANCE)
    return Line(float(-heights.mean() / scale), slopes / scale, float(np.sqrt(_LOGISTIC_VARIANCE) / scale))
