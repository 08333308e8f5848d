"""What is summed over households, and what of: measures are formulas over these sums."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.conformal import Flags
from ml.features import INCOME
from ml.resampling import Floats, Integers
from ml.risk import INCOME_CUTS, STATUSES, most_likely_status
from ml.splits import place_groups, target_of

BINS = 10


@dataclass(frozen=True)
class Truth:
    """What is known of the households that are judged, one value for each.

    Attributes:
        target: 1 for a vulnerable household, 0 for the others.
        villages: number of its village.
        incomes: USD a person and day.
        statuses: the place of its progress status in STATUSES, the poorest first.
    """

    target: Integers
    villages: Integers
    incomes: Floats
    statuses: Integers

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Truth":
        """The truth about labelled rows of the mart."""
        incomes = rows[INCOME].to_numpy(dtype=np.float64)
        return cls(target_of(rows), place_groups("village", rows), incomes, np.digitize(incomes, INCOME_CUTS))

    def of_members(self, members: Integers) -> "Truth":
        """The truth about the households at some positions."""
        return Truth(self.target[members], self.villages[members], self.incomes[members], self.statuses[members])


def sums_of_measures(truth: Truth, probability: Floats, threshold: float) -> dict[str, Floats]:
    """The columns whose sums over households the measures are made of."""
    target, selected = truth.target.astype(np.float64), (probability >= threshold).astype(np.float64)
    sure = np.clip(probability, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
    columns = {
        "households": np.ones(len(target)),
        "vulnerable": target,
        "selected": selected,
        "hits": selected * target,
        "right": (selected == target).astype(np.float64),
        "probability": probability,
        "squares": (probability - target) ** 2,
        "surprise": -np.log(np.where(target == 1, sure, 1 - sure)),
    }
    at_quota = select_share(probability, float(target.mean()))
    columns |= {"quota_selected": at_quota, "quota_hits": at_quota * target}
    for percent in (20, 40):
        poorest = select_share(-truth.incomes, percent / 100)
        found = poorest * select_share(probability, percent / 100)
        columns |= {f"poorest_{percent}": poorest, f"poorest_{percent}_found": found}
    return columns


def sums_of_calibration(truth: Truth, probability: Floats) -> dict[str, Floats]:
    """The same for calibration: ten bins with as many households each, equal probabilities in one bin."""
    inner = np.quantile(probability, np.arange(1, BINS) / BINS)
    bins = np.searchsorted(inner, probability, side="right")
    columns: dict[str, Floats] = {}
    for bin_ in range(BINS):
        member = (bins == bin_).astype(np.float64)
        columns[f"households_{bin_}"] = member
        columns[f"probability_{bin_}"] = member * probability
        columns[f"vulnerable_{bin_}"] = member * truth.target
    return columns


def sums_of_statuses(truth: Truth, cumulative: tuple[Floats, Floats, Floats]) -> dict[str, Floats]:
    """The same for the four statuses: how often each true one met each predicted one."""
    predicted = most_likely_status(*cumulative)
    return {
        f"status_{true}_as_{said}": ((truth.statuses == true) & (predicted == said)).astype(np.float64)
        for true in range(len(STATUSES))
        for said in range(len(STATUSES))
    }


def sums_of_verdicts(truth: Truth, may_be: Flags, may_not_be: Flags) -> dict[str, Floats]:
    """The same for the verdicts: which households are decided, and whose true class is not ruled out."""
    is_vulnerable, is_decided = truth.target == 1, may_be != may_not_be
    columns = {
        "decided": is_decided,
        "decided_right": is_decided & (may_be == is_vulnerable),
        "vulnerable_covered": is_vulnerable & may_be,
        "not_vulnerable_covered": ~is_vulnerable & may_not_be,
    }
    return {name: column.astype(np.float64) for name, column in columns.items()}


def select_share(score: Floats, share: float) -> Floats:
    """Select the households with the highest scores up to a share of all; the last place goes by lot.

    Returns:
        1 for the selected, 0 for the others, and its chance for each of those that tie for the last places.
    """
    _, codes, counts = np.unique(-score, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    chances: Floats = np.clip((share * len(score) - before) / counts, 0.0, 1.0)
    return chances[codes]
