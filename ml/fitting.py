"""Tuning, calibrating and judging a candidate, every step on villages that the step before did not see."""

import os
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ml.calibration import Calibration, calibrate
from ml.evaluation import Judged
from ml.features import INCOME
from ml.models import Algorithm, Settings, fit, raw_score, staged_scores
from ml.recipe import Recipe
from ml.resampling import area_under_curve
from ml.splits import Folds, Split, make_folds, target_of, too_few
from ml.threads import one_thread
from warehouse.errors import ProcessLostError

Floats = NDArray[np.float64]

INNER_FOLDS = 3
ROWS_WORTH_PROCESSES = 1_000  # fewer are judged before another process has started
TUNING_TOLERANCE = 0.002  # a smaller gain of AUC is no reason to leave the settings that come first


@dataclass(frozen=True)
class Fitted:
    """A candidate with its settings chosen, fitted and calibrated."""

    settings: Settings
    pipeline: Pipeline
    calibration: Calibration

    def probabilities(self, rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """The probabilities of living below 1.25, 1.77 and 2.15 USD a day."""
        return self.calibration.probabilities(raw_score(self.pipeline, rows))


def judge(recipe: Recipe, algorithm: Algorithm, split: Split, rows: pd.DataFrame) -> Judged | None:
    """Out-of-fold probabilities of one candidate on one split, tuned and calibrated anew within each fold.

    None where the rows cannot tell: there is one district only, for instance.

    Raises:
        ProcessLostError: a process that judged a fold was killed.
    """
    folds = make_folds(split, rows)
    if folds is None:
        return None
    found = np.empty((3, len(rows)))
    jobs = (os.cpu_count() or 1) if len(rows) >= ROWS_WORTH_PROCESSES else 1
    try:
        with Parallel(n_jobs=jobs) as processes:
            parts = processes(
                delayed(_judge_fold)(recipe, algorithm, rows.iloc[train], rows.iloc[test]) for train, test in folds
            )
    except BrokenProcessPool as error:
        message = "A process that judged a candidate was killed, most likely for want of memory."
        raise ProcessLostError(message, remedy="Make room, then train again.") from error
    for (_, test), probabilities in zip(folds, parts, strict=True):
        found[:, test] = probabilities
    below_125, probability, below_215 = found
    return Judged(split, probability, below_125, below_215)


def fit_calibrated(recipe: Recipe, algorithm: Algorithm, rows: pd.DataFrame) -> Fitted:
    """Choose settings on village folds within the rows, calibrate on the same folds' scores, and fit to all rows.

    Raises:
        TrainingError: there are too few villages to do so (ml.too_few_households).
    """
    folds = make_folds("village", rows, folds=INNER_FOLDS)
    if folds is None:
        raise too_few(rows)
    scores = out_of_fold_scores(recipe, algorithm, rows, folds)
    target = target_of(rows)
    areas = [area_under_curve(target, score) for score in scores]
    first = next(place for place, area in enumerate(areas) if area >= max(areas) - TUNING_TOLERANCE)
    settings, score = recipe.grid(algorithm)[first], scores[first]
    pipeline = fit(recipe.build(algorithm, settings), rows)
    return Fitted(settings, pipeline, calibrate(score, rows[INCOME].to_numpy()))


def out_of_fold_scores(recipe: Recipe, algorithm: Algorithm, rows: pd.DataFrame, folds: Folds) -> Floats:
    """The uncalibrated score of each row, a line for each of the settings, by pipelines fitted without its fold."""
    scores = np.empty((len(recipe.grid(algorithm)), len(rows)))
    for train, test in folds:
        scores[:, test] = _scores(recipe, algorithm, rows.iloc[train], rows.iloc[test])
    return scores


def _scores(recipe: Recipe, algorithm: Algorithm, train: pd.DataFrame, test: pd.DataFrame) -> Floats:
    grid = recipe.grid(algorithm)
    if algorithm == "gradient_boosting":
        longest = max(grid, key=lambda settings: int(settings["max_iter"]))
        stages = staged_scores(fit(recipe.build(algorithm, longest), train), test)
        return np.stack([stages[settings["max_iter"] - 1] for settings in grid])
    return np.stack([raw_score(fit(recipe.build(algorithm, settings), train), test) for settings in grid])


def _judge_fold(recipe: Recipe, algorithm: Algorithm, train: pd.DataFrame, test: pd.DataFrame) -> Floats:
    with one_thread():
        return np.stack(fit_calibrated(recipe, algorithm, train).probabilities(test))
