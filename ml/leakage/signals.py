"""Signs in the rows themselves that features know the target, whatever they are called and wherever they come from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ml.features import INCOME, Feature
from ml.leakage.algebra import Design, Scale, logarithmically, plainly
from ml.resampling import Floats, Integers, area_under_curve
from ml.splits import Folds, target_of

# The best honest indicator of a survey has an AUC of 0.68, its income from crops and work 0.80.
HIGHEST_SINGLE_AUC = 0.75
HONEST_SINGLE_AUC = 0.68

# All honest indicators together explain 0.3 of the income's variance; its components explain all of it.
HIGHEST_EXPLAINED_SHARE = 0.60

# Of few households an honest feature reaches more by chance: so many standard errors, for dozens of features are
# looked at and neighbours are alike. However few there are, what sorts them nearly without a fault is a leak.
STANDARD_ERRORS = 4.0
HIGHEST_AUC_OF_FEW = 0.95

BINS = 32
PRIOR_HOUSEHOLDS = 2.0
SCALES: tuple[tuple[Scale, str], ...] = ((plainly, "sum"), (logarithmically, "product"))


def find_strong(features: Sequence[Feature], rows: pd.DataFrame, folds: Folds) -> dict[str, str]:
    """The features that alone tell vulnerable households from others too well, and how well.

    A feature is judged by its order, either way and with what is missing at either end, and by the share of
    vulnerable households near each of its values in other villages.
    """
    target = target_of(rows)
    limit = highest_single_auc(target)
    areas = {feature.name: _best_area(feature, rows[feature.name], target, folds) for feature in features}
    return {
        name: f"alone it tells vulnerable households from others with an AUC of {area:.2f}"
        for name, area in areas.items()
        if area > limit
    }


def find_carriers(features: Sequence[Feature], rows: pd.DataFrame, folds: Folds) -> dict[str, str]:
    """The features that the income is a sum or a product of, and how much of it they explain in other villages."""
    told: dict[str, str] = {}
    for scale, operation in SCALES:
        is_clean = False
        while not is_clean:
            rest = [feature for feature in features if feature.name not in told]
            design = Design.of(rest, rows, scale(_floored(rows[INCOME])), scale, folds)
            found, share = design.find_carriers(HIGHEST_EXPLAINED_SHARE)
            told |= dict.fromkeys(found, f"it is in a {operation} that explains {share:.0%} of the income")
            is_clean = not found
    return told


def highest_single_auc(target: Integers) -> float:
    """What a feature may reach alone.

    Of few households an honest one reaches more by chance; how much more is told by Hanley and McNeil (1982).
    """
    area, vulnerable = HONEST_SINGLE_AUC, int(target.sum())
    others = len(target) - vulnerable
    above, below = area / (2 - area), 2 * area**2 / (1 + area)
    pairs = (vulnerable - 1) * (above - area**2) + (others - 1) * (below - area**2)
    error = np.sqrt((area * (1 - area) + pairs) / (vulnerable * others))
    return float(min(max(HIGHEST_SINGLE_AUC, area + STANDARD_ERRORS * error), HIGHEST_AUC_OF_FEW))


def _floored(income: pd.Series) -> Floats:
    """Incomes of which logarithms can be taken: the lowest of a hundred counts as the next one."""
    numbers = income.to_numpy(dtype=np.float64)
    floor = float(np.quantile(numbers[numbers > 0], 0.01)) if (numbers > 0).any() else 1.0
    floored: Floats = np.maximum(numbers, floor)
    return floored


def _best_area(feature: Feature, values: pd.Series, target: Integers, folds: Folds) -> float:
    codes, known = pd.factorize(values, sort=True)
    missing = codes < 0
    orders = [codes, np.where(missing, len(known), codes)]
    bins = codes if feature.kind == "category" else _quantile_bins(codes)
    areas = [area_under_curve(target, order.astype(np.float64)) for order in orders]
    return max(*areas, *(1 - area for area in areas), area_under_curve(target, _rates_around(bins, target, folds)))


def _quantile_bins(codes: Integers) -> Integers:
    """Bins of about as many households each; what is missing is -1 and has one of its own."""
    edges = np.unique(np.quantile(codes, np.arange(1, BINS) / BINS))
    return np.where(codes < 0, -1, np.searchsorted(edges, codes, side="right"))


def _rates_around(bins: Integers, target: Integers, folds: Folds) -> Floats:
    """For each household the share of vulnerable ones in its bin, among the households of the other folds."""
    rates, shifted = np.empty(len(target)), bins + 1
    for train, test in folds:
        counts = np.bincount(shifted[train], minlength=shifted.max() + 1)
        vulnerable = np.bincount(shifted[train], target[train], minlength=shifted.max() + 1)
        prior = PRIOR_HOUSEHOLDS * target[train].mean()
        rates[test] = ((vulnerable + prior) / (counts + PRIOR_HOUSEHOLDS))[shifted[test]]
    return rates
