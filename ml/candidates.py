"""A track's model: the candidates judged, one chosen, fitted to all rows and turned into plain numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.baselines import judge_baselines
from ml.compiling import compile_score, read_encoding
from ml.conformal import conform
from ml.evaluation import Evaluation, Judged, evaluate
from ml.fitting import Fitted, fit_calibrated, judge
from ml.leakage import refuse_too_good
from ml.model import Model
from ml.models import Algorithm
from ml.recipe import Recipe
from ml.resampling import area_under_curve
from ml.rows import as_records
from ml.selection import choose
from ml.splits import SPLITS, Split, make_folds, require_enough, target_of
from ml.threads import one_thread


@dataclass(frozen=True)
class Trained:
    """The candidate that was chosen, fitted to all rows, with what it is worth."""

    recipe: Recipe
    algorithm: Algorithm
    fitted: Fitted
    model: Model
    rows: pd.DataFrame
    judged: Mapping[Split, Judged]
    evaluation: Evaluation

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The rows as the model reads them."""
        return self.model.encode(as_records(self.rows, self.recipe.feature_names))

    @property
    def parity(self) -> float:
        """The largest difference of a probability between the stored model and the fitted pipeline."""
        _, fitted, _ = self.fitted.probabilities(self.rows)
        return float(np.abs(self.model.predict(self.matrix).probability - fitted).max())


def fit_track(recipe: Recipe, rows: pd.DataFrame) -> Trained:
    """Judge all candidates on village folds, choose one, judge it on every split, and fit it to all the rows.

    Raises:
        LeakError: the model is too good to be true.
        TrainingError: the rows are too few to train on honestly.
    """
    require_enough(rows)
    target = target_of(rows)
    candidates = {name: judged for name in recipe.grids if (judged := judge(recipe, name, "village", rows))}
    algorithm = choose({name: area_under_curve(target, judged.probability) for name, judged in candidates.items()})
    known: dict[Split, Judged] = {"village": candidates[algorithm]}
    known |= {split: one for split in SPLITS if split not in known and (one := judge(recipe, algorithm, split, rows))}
    with one_thread():
        fitted = fit_calibrated(recipe, algorithm, rows)
        # ten questions and a district's rate are held against a prediction, not against arithmetic
        is_prediction = recipe.track == "screening"
        baselines = judge_baselines(rows, recipe.features, make_folds("village", rows) or []) if is_prediction else {}
    others = {str(name): one.probability for name, one in candidates.items() if name != algorithm}
    evaluation = evaluate(rows, list(known.values()), candidates=others, baselines=baselines)
    model = compile_model(recipe, fitted, rows, known["village"])
    trained = Trained(recipe, algorithm, fitted, model, rows, known, evaluation)
    if recipe.track == "screening":
        refuse_too_good(evaluation.value("auc") or 0.0, model.importance(trained.matrix))
    return trained


def compile_model(recipe: Recipe, fitted: Fitted, rows: pd.DataFrame, judged: Judged) -> Model:
    """A fitted candidate as plain numbers, with the verdicts that its out-of-fold probabilities allow."""
    encoding = read_encoding(fitted.pipeline, recipe.feature_names)
    return Model(
        track=recipe.track,
        encoding=encoding,
        score=compile_score(fitted.pipeline, encoding),
        calibration=fitted.calibration,
        conformal=conform(judged.probability, target_of(rows) == 1),
    )
