"""Intervals by drawing villages with replacement: households of one village are no independent evidence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]
Integers = NDArray[np.int64]
Totals = Mapping[str, Floats]

DRAWS = 1_000
LEVELS = (2.5, 97.5)

# Of more different probabilities than this, an interval of the AUC takes neighbours for equal: an error of about 1e-5.
RANKS = 512


def draw_villages(villages: int, seed: int, draws: int = DRAWS) -> Weights:
    """How often each of so many villages is in each draw of as many, with replacement: draws x villages."""
    chances = np.full(villages, 1 / villages)
    return np.random.default_rng(seed).multinomial(villages, chances, size=draws).astype(np.float32)


def draw_sums(columns: Mapping[str, Floats], villages: Integers, weights: Weights) -> tuple[Totals, Totals]:
    """The sum of each column over the households, and the same in each draw of villages.

    Args:
        columns: a value for each household.
        villages: number of each household's village, its column of `weights`.
        weights: draws of villages.
    """
    present, local = np.unique(villages, return_inverse=True)
    sums = np.column_stack([np.bincount(local, column) for column in columns.values()])
    drawn = (weights[:, present] @ sums).T
    return dict(zip(columns, sums.sum(axis=0), strict=True)), dict(zip(columns, drawn, strict=True))


def interval(values: Floats) -> tuple[float | None, float | None]:
    """The ends of the 95 % interval of draws; None where most draws cannot tell."""
    known = values[np.isfinite(values)]
    if 2 * len(known) < len(values):
        return None, None
    lower, upper = np.percentile(known, LEVELS)
    return float(lower), float(upper)


def area_under_curve(target: Integers, score: Floats) -> float:
    """The area under the ROC curve; equal scores count half, NaN where all households are alike."""
    codes = np.unique(score, return_inverse=True)[1]
    vulnerable = np.bincount(codes, target.astype(np.float64))
    return float(_area(vulnerable, np.bincount(codes, 1.0 - target)))


def draw_areas_under_curve(target: Integers, score: Floats, villages: Integers, weights: Weights) -> Floats:
    """The same in each draw of villages: `villages` numbers each household's column of `weights`."""
    codes = np.unique(score, return_inverse=True)[1]
    if codes.max() >= RANKS:
        ranks = np.searchsorted(np.sort(codes), codes)
        codes = ranks * RANKS // len(ranks)
    present, local = np.unique(villages, return_inverse=True)
    shape = (len(present), int(codes.max()) + 1)
    cells = np.ravel_multi_index((local, codes), shape)
    counts = [
        np.bincount(cells[target == kind], minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
        for kind in (1, 0)
    ]
    drawn = weights[:, present]
    return _area(drawn @ counts[0], drawn @ counts[1])


def _area(vulnerable: NDArray[Any], others: NDArray[Any]) -> Floats:
    """From counts by ascending score, along the last axis."""
    below = np.cumsum(others, axis=-1) - others / 2
    pairs = vulnerable.sum(axis=-1, dtype=np.float64) * others.sum(axis=-1, dtype=np.float64)
    won = (vulnerable * below).sum(axis=-1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(won / pairs, dtype=np.float64)
