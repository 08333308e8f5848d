"""Bins of a feature: ranges of a number, each with about a tenth of the training rows, or values of a category."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.features import Kind

BinKind = Literal["range", "category", "other", "missing"]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RANGES = 10
MISSING, OTHER, FIRST_CATEGORY = -1, 0, 1


@dataclass(frozen=True)
class Bin:
    """Some values of a feature: `number` is what `width_bucket` or `array_position` gives for them in SQL."""

    number: int
    kind: BinKind
    lower_bound: float | None = None
    upper_bound: float | None = None
    category: str | None = None


def make_bins(values: pd.Series, kind: Kind) -> list[Bin]:
    """Bins that hold every value there may ever be; missing values have one of their own.

    Args:
        values: those of the training rows, as `read_rows` gives them.
        kind: numbers are cut into ranges; categories and booleans have a bin for each value, and one for others.
    """
    missing = Bin(MISSING, "missing")
    if kind == "numeric":
        ends = [None, *_cut(values.dropna().to_numpy(dtype=np.float64)).tolist(), None]
        ranges = pairwise(ends)
        return [missing, *(Bin(number, "range", *bounds) for number, bounds in enumerate(ranges))]
    categories = sorted(_as_categories(values).dropna().unique())
    named = (Bin(number, "category", category=name) for number, name in enumerate(categories, FIRST_CATEGORY))
    return [missing, Bin(OTHER, "other"), *named]


def find_bins(values: pd.Series, bins: Sequence[Bin]) -> Integers:
    """The position in `bins` of each value's bin."""
    bounds = [bin_.upper_bound for bin_ in bins if bin_.kind == "range"][:-1]
    categories = {bin_.category: bin_.number for bin_ in bins if bin_.kind == "category"}
    if any(bin_.kind == "other" for bin_ in bins):
        names = _as_categories(values)
        numbers = names.map(categories).fillna(OTHER).to_numpy(dtype=np.int64)
    else:
        numbers = np.searchsorted(np.array(bounds, dtype=np.float64), values.to_numpy(dtype=np.float64), side="right")
    return np.where(values.isna(), MISSING, numbers) - MISSING


def _cut(values: Floats) -> Floats:
    """Bounds between ranges: a value that more than a tenth shares has its own, quantiles divide the others."""
    distinct, counts = np.unique(values, return_counts=True)
    is_common = counts * RANGES > len(values)
    next_values = distinct[1:][is_common[:-1]]
    others = values[np.isin(values, distinct[~is_common])]
    ranges = RANGES - int(is_common.sum())
    shares = np.arange(1, ranges) / ranges
    quantiles = np.quantile(others, shares, method="inverted_cdf") if len(others) else others
    return np.unique(np.concatenate([distinct[is_common], next_values, quantiles]))


def _as_categories(values: pd.Series) -> pd.Series:
    """Values as PostgreSQL writes them: booleans as true and false."""
    if values.dtype == np.float64:
        return values.map({1.0: "true", 0.0: "false"}).astype("str")
    return values
