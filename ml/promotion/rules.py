"""From which probability on a household counts as vulnerable, and what that costs: one cut, or quotas."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.features import TARGET
from ml.resampling import Floats

PLAIN_CUT = 0.5
# A quantile of fewer households is mostly chance (its standard error is beyond 7 points of their share), so a
# smaller district takes the threshold of all.
MINIMUM_HOUSEHOLDS = 50
ALL = "all"

Flags = NDArray[np.bool_]
Names = NDArray[np.str_]
Effects = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Thresholds:
    """The probabilities from which on a household is selected; `default` is that of districts without their own."""

    default: float = PLAIN_CUT
    by_district: Mapping[str, float] = field(default_factory=dict)

    def select(self, probability: Floats, districts: Names) -> Flags:
        """Whether each household is selected."""
        return np.asarray(probability >= self.of(districts), dtype=np.bool_)

    def of(self, districts: Names) -> Floats:
        """The threshold of each household."""
        names, places = np.unique(districts, return_inverse=True)
        return np.array([self.by_district.get(str(name), self.default) for name in names], dtype=np.float64)[places]


@dataclass(frozen=True)
class Rule:
    """What is asked for of any model: a plain cut, or that a share of each district be selected.

    Attributes:
        cut: the threshold of all districts, where there is no quota.
        default_quota: share of its households that a district selects; None for a plain cut.
        quotas: the share of each district that has one of its own.
    """

    cut: float = PLAIN_CUT
    default_quota: float | None = None
    quotas: Mapping[str, float] = field(default_factory=dict)

    def derive(self, probability: Floats, districts: Names) -> Thresholds:
        """The thresholds of a model with these out-of-fold probabilities.

        That of a quota is the quantile of the probabilities in the district. Districts with few households take
        the quantile of all.
        """
        if self.default_quota is None:
            return Thresholds(self.cut)
        default = threshold_of(probability, self.default_quota)
        names, sizes = np.unique(districts, return_counts=True)
        large = [str(name) for name in names[sizes >= MINIMUM_HOUSEHOLDS]]
        return Thresholds(
            default,
            {
                name: threshold_of(probability[districts == name], self.quotas.get(name, self.default_quota))
                for name in large
            },
        )


def threshold_of(probability: Floats, quota: float) -> float:
    """The probability from which on a share of the households is selected; those that tie are selected together."""
    ranked = np.sort(probability)[::-1]
    selected = round(quota * len(ranked))
    if selected in (0, len(ranked)):
        return 0.0 if selected else 1.0
    return float(ranked[selected - 1 : selected + 1].mean())


def effects_of(rows: pd.DataFrame, probability: Floats, thresholds: Thresholds) -> Effects:
    """What thresholds cost in each district, and in `all`.

    Args:
        rows: labelled households, with their district.
        probability: of being vulnerable, out of fold.
        thresholds: to select by.

    Returns:
        For each district the number of households, the share of them that is vulnerable, the threshold, and the
        share that is selected with its exclusion and inclusion error, under the thresholds and at 0.5.
    """
    districts, target = districts_of(rows), rows[TARGET].to_numpy(dtype=np.bool_)
    selected, at_half = thresholds.select(probability, districts), probability >= PLAIN_CUT
    effects: Effects = {}
    for name in [ALL, *map(str, np.unique(districts))]:
        inside = np.ones(len(rows), dtype=np.bool_) if name == ALL else districts == name
        costs = _costs(target[inside], selected[inside]) | {
            f"{measure}_at_half": value for measure, value in _costs(target[inside], at_half[inside]).items()
        }
        threshold = None if name == ALL else thresholds.by_district.get(name, thresholds.default)
        base_rate = float(target[inside].mean())
        effects[name] = {"households": int(inside.sum()), "base_rate": base_rate, "threshold": threshold} | costs
    return effects


def districts_of(rows: pd.DataFrame) -> Names:
    """The district of each household; `unknown` where it is not known."""
    return rows["district"].fillna("unknown").to_numpy(dtype=np.str_)


def _costs(target: Flags, selected: Flags) -> dict[str, float | None]:
    found = target & selected
    return {
        "selected": float(selected.mean()),
        "exclusion_error": 1 - found.sum() / target.sum() if target.any() else None,
        "inclusion_error": 1 - found.sum() / selected.sum() if selected.any() else None,
    }
