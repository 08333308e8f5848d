"""What probabilities are worth: the measures of a group of households, with what chance does to them.

Every measure but the AUC is a formula over sums, so that one matrix product gives it for a thousand draws of
villages. docs/models.md defines each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ml.resampling import Floats, Totals, Weights, area_under_curve, draw_areas_under_curve, draw_sums, interval
from ml.risk import STATUSES
from ml.sums import BINS, Truth, sums_of_calibration


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its 95 % interval; None is what cannot be told."""

    value: float | None
    lower_bound: float | None
    upper_bound: float | None


def measure(truth: Truth, probability: Floats, columns: Mapping[str, Floats], weights: Weights) -> dict[str, Estimate]:
    """All measures of some households.

    Args:
        truth: what is known of them.
        probability: of being vulnerable, out of fold.
        columns: of `sums_of_measures` and, for a model that tells the statuses apart, of `sums_of_statuses` and
            `sums_of_verdicts`.
        weights: draws of villages, as of `draw_villages`; `truth.villages` numbers its columns.
    """
    once, drawn = draw_sums({**columns, **sums_of_calibration(truth, probability)}, truth.villages, weights)
    areas = draw_areas_under_curve(truth.target, probability, truth.villages, weights)
    found = {
        "n": Estimate(float(len(truth.target)), None, None),
        "auc": _estimate(area_under_curve(truth.target, probability), areas),
        **_measure_calibration(once, drawn),
    }
    for formula in (measures_of, *(formula for column, formula in ONLY_WITH.items() if column in columns)):
        draws = formula(drawn)
        found |= {name: _estimate(float(value), draws[name]) for name, value in formula(once).items()}
    return found


def _measure_calibration(once: Totals, drawn: Totals) -> dict[str, Estimate]:
    """The calibration error, and what it would be by chance if every bin's gap were none.

    A draw adds its own chance to the error, so draws lie too high by about as much as chance makes up; the
    interval is theirs, moved back by that.
    """
    gaps, shares = calibration_gaps(once)
    drawn_gaps, drawn_shares = calibration_gaps(drawn)
    error = float((shares * np.abs(gaps)).sum())
    errors = (drawn_shares * np.abs(drawn_gaps)).sum(axis=-1)
    by_chance = (drawn_shares * np.abs(drawn_gaps - gaps)).sum(axis=-1)
    return {
        "calibration_error": _estimate(error, np.maximum(errors - errors.mean() + error, 0.0)),
        "calibration_error_by_chance": _estimate(float(by_chance.mean()), by_chance),
    }


def _estimate(value: float, draws: Floats) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None, None, None)
    return Estimate(value, *interval(draws))


def measures_of(sums: Totals) -> dict[str, Floats]:
    """The measures of households, from the sums of `sums_of_measures`; NaN where one cannot be told."""
    n, vulnerable = sums["households"], sums["vulnerable"]
    precision, recall = _share(sums["hits"], sums["selected"]), _share(sums["hits"], vulnerable)
    return {
        "base_rate": _share(vulnerable, n),
        "accuracy": _share(sums["right"], n),
        "f1": _share(2 * sums["hits"], sums["selected"] + vulnerable),
        "precision": precision,
        "recall": recall,
        "exclusion_error": 1 - recall,
        "inclusion_error": 1 - precision,
        "exclusion_error_at_quota": 1 - _share(sums["quota_hits"], vulnerable),
        "inclusion_error_at_quota": 1 - _share(sums["quota_hits"], sums["quota_selected"]),
        "missed_poorest_20": 1 - _share(sums["poorest_20_found"], sums["poorest_20"]),
        "missed_poorest_40": 1 - _share(sums["poorest_40_found"], sums["poorest_40"]),
        "brier": _share(sums["squares"], n),
        "log_loss": _share(sums["surprise"], n),
        "calibration_gap": _share(sums["probability"] - vulnerable, n),
    }


def calibration_gaps(sums: Totals) -> tuple[Floats, Floats]:
    """Mean probability less share of vulnerable in each bin, and the bin's share of the households."""
    counts = np.stack([sums[f"households_{bin_}"] for bin_ in range(BINS)], axis=-1)
    excess = np.stack([sums[f"probability_{bin_}"] - sums[f"vulnerable_{bin_}"] for bin_ in range(BINS)], axis=-1)
    return np.nan_to_num(_share(excess, counts)), _share(counts, counts.sum(axis=-1, keepdims=True))


def statuses_of(sums: Totals) -> dict[str, Floats]:
    """Accuracy and quadratic kappa (Cohen, 1968) of the four statuses, and the share of the commonest."""
    places = np.arange(len(STATUSES))
    cells = [sums[f"status_{true}_as_{said}"] for true in places for said in places]
    table = np.stack(cells, axis=-1).reshape(*cells[0].shape, len(places), len(places))
    true, said, n = table.sum(axis=-1), table.sum(axis=-2), table.sum(axis=(-1, -2))
    distance = ((places[:, None] - places) ** 2).astype(np.float64)
    by_chance = (true[..., :, None] * said[..., None, :] * distance).sum(axis=(-1, -2))
    return {
        "status_accuracy": _share(np.trace(table, axis1=-2, axis2=-1), n),
        "status_base_rate": _share(true.max(axis=-1), n),
        "status_kappa": 1 - _share((table * distance).sum(axis=(-1, -2)) * n, by_chance),
    }


def verdicts_of(sums: Totals) -> dict[str, Floats]:
    """What the verdicts are worth: how many households they leave open, and how often they are right of the others."""
    vulnerable = sums["vulnerable"]
    return {
        "undecided_share": 1 - _share(sums["decided"], sums["households"]),
        "verdict_accuracy": _share(sums["decided_right"], sums["decided"]),
        "coverage_vulnerable": _share(sums["vulnerable_covered"], vulnerable),
        "coverage_not_vulnerable": _share(sums["not_vulnerable_covered"], sums["households"] - vulnerable),
    }


ONLY_WITH = {"status_0_as_0": statuses_of, "decided": verdicts_of}


def _share(part: Floats, whole: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan), dtype=np.float64)
