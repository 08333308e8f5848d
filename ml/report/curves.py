"""The points of the report's curves, with the intervals that the villages allow."""

from dataclasses import dataclass

import numpy as np

from ml.resampling import Floats, Weights, draw_sums, interval
from ml.sums import BINS, Truth, select_share, sums_of_calibration

GAIN_STEPS = 20


@dataclass(frozen=True)
class Point:
    """A point of a curve: all are shares, 0 to 1; the bounds are of `y`."""

    x: float
    y: float
    lower_bound: float | None
    upper_bound: float | None


def calibration_curve(truth: Truth, probability: Floats, weights: Weights) -> list[Point]:
    """Mean probability and share of vulnerable households in up to ten bins with as many households each."""
    once, drawn = draw_sums(sums_of_calibration(truth, probability), truth.villages, weights)
    points = []
    for bin_ in range(BINS):
        count = once[f"households_{bin_}"]
        if count > 0:
            with np.errstate(invalid="ignore"):
                draws = drawn[f"vulnerable_{bin_}"] / drawn[f"households_{bin_}"]
            share = once[f"vulnerable_{bin_}"] / count
            points.append(Point(float(once[f"probability_{bin_}"] / count), float(share), *interval(draws)))
    return points


def gain_curve(truth: Truth, probability: Floats, weights: Weights) -> list[Point]:
    """Share of the vulnerable households that are found when a share of all is selected, the likeliest first."""
    levels = np.arange(GAIN_STEPS + 1) / GAIN_STEPS
    target = truth.target.astype(np.float64)
    columns = {f"{level}": select_share(probability, level) * target for level in levels} | {"vulnerable": target}
    once, drawn = draw_sums(columns, truth.villages, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return [
            Point(
                float(level),
                float(once[f"{level}"] / once["vulnerable"]),
                *interval(drawn[f"{level}"] / drawn["vulnerable"]),
            )
            for level in levels
        ]
