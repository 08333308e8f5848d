"""What a model must beat: rules that need no model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ml.features import Feature
from ml.points import fit_points_table
from ml.resampling import Floats
from ml.splits import Folds, target_of


def judge_baselines(rows: pd.DataFrame, features: Sequence[Feature], folds: Folds) -> dict[str, Floats]:
    """Probabilities of the baselines; those that learn are made in each fold of the rows that it trains on.

    Args:
        rows: labelled rows of the mart.
        features: what the points table may ask for.
        folds: the village split.

    Returns:
        majority: the share of vulnerable households for each, which ranks nobody; district_rate: their share in the
        household's district, or in all where it is a new one; points_table: ten questions on paper.
    """
    target = target_of(rows).astype(np.float64)
    found = {"majority": np.full(len(rows), target.mean())}
    found |= {name: np.zeros(len(rows)) for name in ("district_rate", "points_table")}
    for train, test in folds:
        overall = float(target[train].mean())
        rates = pd.Series(target[train]).groupby(rows["district"].iloc[train].to_numpy()).mean()
        found["district_rate"][test] = rows["district"].iloc[test].map(rates).fillna(overall)
        found["points_table"][test] = fit_points_table(rows.iloc[train], features).probability(rows.iloc[test])
    return found
