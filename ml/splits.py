"""Folds that keep whole what must not be known: households, villages, clusters, districts."""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.features import TARGET
from warehouse.errors import TrainingError

Split = Literal["random", "village", "cluster", "district"]
Integers = NDArray[np.int64]
Folds = list[tuple[Integers, Integers]]

SPLITS: tuple[Split, ...] = ("random", "village", "cluster", "district")
SEED = 20_140
FOLDS = 5
MINIMUM_HOUSEHOLDS = 50
MINIMUM_OF_EACH_KIND = 10
MINIMUM_VILLAGES = 3

# Two villages of one name in two districts are two villages, and so are clusters.
PLACES: dict[Split, list[str]] = {
    "random": ["household_id"],
    "village": ["district", "village"],
    "cluster": ["district", "cluster"],
    "district": ["district"],
}


def make_folds(split: Split, rows: pd.DataFrame, seed: int = SEED, folds: int = FOLDS) -> Folds | None:
    """Share out rows into shuffled folds, none of which divides what the split keeps whole.

    Every row is judged once. Rows of a household that is judged train nothing in that fold, wherever they
    were surveyed: no household is judged by a model that saw it. Five folds, or as many as there are places;
    of districts, each is a fold. For folds within a fold (to tune in) give `rows.iloc[train]`: positions are
    those of the rows that are given.

    Args:
        split: what a fold keeps whole; `random` keeps the rows of a household together.
        rows: labelled rows of the mart, with the key columns.
        seed: of the shuffling; the same rows in the same order and the same seed give the same folds.
        folds: how many, where the split has places enough.

    Returns:
        Positions of the rows to train on and of those to judge, fold by fold; None where the rows cannot
        tell: there is one place only, or a fold would train on households that are all alike.
    """
    from sklearn.model_selection import GroupKFold  # the API folds nothing, and starts in half the time without it

    places = place_groups(split, rows)
    count = len(np.unique(places))
    if count < 2 or (split == "cluster" and rows["cluster"].isna().all()):
        return None
    folder = GroupKFold(count if split == "district" else min(folds, count), shuffle=True, random_state=seed)
    households = place_groups("random", rows)
    shared = [_keep_apart(train, test, households) for train, test in folder.split(rows, groups=places)]
    target = target_of(rows)
    return shared if all(0 < target[train].sum() < len(train) for train, _ in shared) else None


def place_groups(split: Split, rows: pd.DataFrame) -> Integers:
    """A number from 0 on for what each row's split keeps whole; what has no name is one place of its own."""
    return rows.groupby(PLACES[split], dropna=False).ngroup().to_numpy().astype(np.int64)


def target_of(rows: pd.DataFrame) -> Integers:
    """1 for each vulnerable household, 0 for the others."""
    return rows[TARGET].to_numpy().astype(np.int64)


def require_enough(rows: pd.DataFrame) -> None:
    """Make sure that labelled rows can be scored honestly on village folds.

    Raises:
        TrainingError: there are too few households or villages, or too few of one kind
            (ml.too_few_households).
    """
    target, villages = target_of(rows), len(np.unique(place_groups("village", rows)))
    rarer = min(int(target.sum()), len(target) - int(target.sum()))
    if len(target) < MINIMUM_HOUSEHOLDS or rarer < MINIMUM_OF_EACH_KIND or villages < MINIMUM_VILLAGES:
        raise too_few(rows)
    if make_folds("village", rows) is None:
        raise too_few(rows)


def too_few(rows: pd.DataFrame) -> TrainingError:
    """What there is to say where labelled rows are too few (ml.too_few_households)."""
    target, villages = target_of(rows), len(np.unique(place_groups("village", rows)))
    facts = {"households": len(target), "vulnerable": int(target.sum()), "villages": villages}
    return TrainingError(
        "There is too little to train on: {households} labelled households, {vulnerable} of them vulnerable, "
        "in {villages} villages.".format(**facts),
        code="ml.too_few_households",
        remedy=f"Load surveys with the income module until there are {MINIMUM_HOUSEHOLDS} households in "
        f"{MINIMUM_VILLAGES} villages, {MINIMUM_OF_EACH_KIND} vulnerable and {MINIMUM_OF_EACH_KIND} not, "
        "each kind in several villages.",
        **facts,
    )


def _keep_apart(train: Integers, test: Integers, households: Integers) -> tuple[Integers, Integers]:
    return train[~np.isin(households[train], households[test])], test
