"""Honest scores: every household is judged by a model that saw no household of its village."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import Pipeline

from ml.features import TARGET
from ml.metrics import Metrics, measure, measure_groups
from ml.models import SEED
from warehouse.errors import TrainingError

FOLDS = 5
MINIMUM_HOUSEHOLDS = 50
MINIMUM_OF_EACH_KIND = 10
MINIMUM_VILLAGES = 3

Integers = NDArray[np.int64]
Splits = list[tuple[Integers, Integers]]


@dataclass(frozen=True)
class Evaluation:
    """What out-of-fold probabilities, pooled over `folds` folds of `groups` groups, are worth."""

    folds: int
    groups: int
    overall: Metrics
    by_district: dict[str, Metrics]


def evaluate_by_village(pipeline: Pipeline, rows: pd.DataFrame) -> Evaluation:
    """Score a pipeline on shuffled folds that keep every village whole: known districts, new villages.

    Args:
        pipeline: fitted anew in each fold; the argument itself stays as it is.
        rows: labelled rows of the mart, with the key columns.

    Raises:
        TrainingError: there are too few households or villages, or too few of one kind
            (ml.too_few_households).
    """
    target, villages = target_of(rows), village_groups(rows)
    _require_enough(target, villages)
    folds = GroupKFold(min(FOLDS, len(np.unique(villages))), shuffle=True, random_state=SEED)
    splits: Splits = list(folds.split(rows, target, villages))
    if not _can_fit(splits, target):
        raise _too_few(target, villages)
    return _evaluate(pipeline, rows, villages, splits)


def evaluate_by_district(pipeline: Pipeline, rows: pd.DataFrame) -> Evaluation | None:
    """Score a pipeline on each district in turn after training on the others: what a new district may expect.

    None where the rows cannot tell: there is one district only, or some districts are all that has one kind.
    """
    target = target_of(rows)
    districts = rows.groupby("district", dropna=False).ngroup().to_numpy().astype(np.int64)
    if np.all(districts == districts[0]):
        return None
    splits: Splits = list(LeaveOneGroupOut().split(rows, target, districts))
    return _evaluate(pipeline, rows, districts, splits) if _can_fit(splits, target) else None


def target_of(rows: pd.DataFrame) -> Integers:
    """1 for each vulnerable household, 0 for the others."""
    return rows[TARGET].to_numpy().astype(np.int64)


def village_groups(rows: pd.DataFrame) -> Integers:
    """A number for each row's village; villages of one name in two districts are two villages."""
    return rows.groupby(["district", "village"], dropna=False).ngroup().to_numpy().astype(np.int64)


def _require_enough(target: Integers, villages: Integers) -> None:
    rarer = min(int(target.sum()), len(target) - int(target.sum()))
    if len(target) < MINIMUM_HOUSEHOLDS or rarer < MINIMUM_OF_EACH_KIND or len(np.unique(villages)) < MINIMUM_VILLAGES:
        raise _too_few(target, villages)


def _can_fit(splits: Splits, target: Integers) -> bool:
    return all(0 < target[train].sum() < len(train) for train, _ in splits)


def _too_few(target: Integers, villages: Integers) -> TrainingError:
    facts = {"households": len(target), "vulnerable": int(target.sum()), "villages": len(np.unique(villages))}
    return TrainingError(
        "There is too little to train on: {households} labelled households, {vulnerable} of them vulnerable, "
        "in {villages} villages.".format(**facts),
        code="ml.too_few_households",
        remedy=f"Load surveys with the income module until there are {MINIMUM_HOUSEHOLDS} households in "
        f"{MINIMUM_VILLAGES} villages, {MINIMUM_OF_EACH_KIND} vulnerable and {MINIMUM_OF_EACH_KIND} not, "
        "each kind in several villages.",
        **facts,
    )


def _evaluate(pipeline: Pipeline, rows: pd.DataFrame, groups: Integers, splits: Splits) -> Evaluation:
    target = target_of(rows)
    districts = rows["district"].fillna("unknown").to_numpy(dtype=str)
    probability = cross_val_predict(pipeline, rows, target, cv=splits, method="predict_proba")[:, 1]
    return Evaluation(
        folds=len(splits),
        groups=len(np.unique(groups)),
        overall=measure(target, probability),
        by_district=measure_groups(target, probability, districts),
    )
