"""How one variable is distributed in each district, as figures that no single household decides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from orchestration.synth.catalogue import VARIABLES
from orchestration.synth.distributions import QUANTILE_LEVELS, Floats, normal_quantile

SMALLEST_LEVEL = 5
"""A level that fewer households hold is folded into the one below it."""
PRIOR_HOUSEHOLDS = 10.0
"""A district's figures are mixed with this many households of the pooled distribution."""
PRIOR_SHAPE = 60.0
"""The same for the shape of a distribution, which takes more households to know."""


def fit_margins(observed: pd.DataFrame, districts: "pd.Series[str]") -> dict[str, Any]:
    """The stored form of every variable's distribution, by its name."""
    fitters = {"ordinal": _fit_ordinal, "amount": _fit_amount, "share": _fit_share}
    margins = {}
    for variable in VARIABLES:
        groups = {str(name): values.dropna() for name, values in observed[variable.name].groupby(districts)}
        margins[variable.name] = fitters[variable.kind](groups)
    return margins


def common_levels(values: "pd.Series[float]") -> list[float]:
    """The levels that at least `SMALLEST_LEVEL` households hold, in order; the commonest if none does."""
    counts = values.value_counts().sort_index()
    frequent = counts[counts >= SMALLEST_LEVEL]
    kept = frequent if len(frequent) else counts.nlargest(1)
    return [float(level) for level in kept.index]


def _fit_ordinal(groups: dict[str, "pd.Series[float]"]) -> dict[str, Any]:
    pooled = pd.concat(list(groups.values()))
    levels = common_levels(pooled)
    overall = _shares(pooled, levels)
    below = {}
    for name, values in groups.items():
        shares = _mix(_shares(values, levels), overall, len(values))
        below[name] = _rounded(np.minimum(np.cumsum(shares)[:-1], 1.0), 4)
    return {"levels": levels, "below": below}


def _shares(values: "pd.Series[float]", levels: Sequence[float]) -> Floats:
    positions = np.searchsorted(np.array(levels), values.to_numpy(), side="right") - 1
    counts = np.bincount(np.maximum(positions, 0), minlength=len(levels))
    return np.asarray(counts / max(len(values), 1), dtype=np.float64)


def _fit_amount(groups: dict[str, "pd.Series[float]"]) -> dict[str, Any]:
    pooled = pd.concat(list(groups.values()))
    overall = np.log(pooled[pooled > 0])
    centre = np.array([overall.mean(), overall.std()])
    overall_shape = _extended((overall - centre[0]) / centre[1])
    fitted = {}
    for name, values in groups.items():
        logarithms = np.log(values[values > 0])
        zero = _mix(np.array([(values == 0).mean()]), np.array([(pooled == 0).mean()]), len(values))
        location, scale = _mix(np.array([logarithms.mean(), logarithms.std()]), centre, len(logarithms))
        own_shape = _extended((logarithms - location) / scale) if len(logarithms) else overall_shape
        shape = _mix(own_shape, overall_shape, len(logarithms), PRIOR_SHAPE)
        fitted[name] = {"zero": _rounded(zero, 4)[0], "logarithms": _rounded(location + scale * shape, 2)}
    return fitted


def _extended(values: "pd.Series[float]") -> Floats:
    """Quantiles at every level; the two outermost continue the slope, so that no extreme is kept."""
    levels = np.array(QUANTILE_LEVELS)
    quantiles = np.quantile(values.to_numpy(), levels)
    knots = normal_quantile(levels)
    for end, inner, towards in ((0, 1, 3), (-1, -2, -4)):
        slope = (quantiles[inner] - quantiles[towards]) / (knots[inner] - knots[towards])
        quantiles[end] = quantiles[inner] + slope * (knots[end] - knots[inner]) / 2
    return np.asarray(quantiles, dtype=np.float64)


def _fit_share(groups: dict[str, "pd.Series[float]"]) -> dict[str, Any]:
    levels = np.clip(np.array(QUANTILE_LEVELS), QUANTILE_LEVELS[1], QUANTILE_LEVELS[-2])
    return {"quantiles": {name: _rounded(np.quantile(values, levels), 2) for name, values in groups.items()}}


def _mix(measured: Floats, pooled: Floats, households: int, prior: float = PRIOR_HOUSEHOLDS) -> Floats:
    weight = households / (households + prior)
    return np.asarray(weight * np.nan_to_num(measured) + (1.0 - weight) * pooled, dtype=np.float64)


def _rounded(values: Floats, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
