"""A pipeline that was trained elsewhere, judged by clones that are fitted in our folds; it stays as it was fitted."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ml.artifacts import read_document, write_document
from ml.baselines import judge_baselines
from ml.calibration import calibrate
from ml.candidates import Trained
from ml.conformal import conform
from ml.encoding import MISSING, Encoding
from ml.evaluation import Judged, evaluate
from ml.features import INCOME, Feature
from ml.fitting import INNER_FOLDS, Fitted
from ml.foreign.score import PipelineScore
from ml.leakage import refuse_too_good
from ml.model import Model
from ml.models import Algorithm, raw_score
from ml.recipe import Recipe
from ml.resampling import area_under_curve
from ml.splits import SPLITS, Folds, Split, make_folds, require_enough, target_of, too_few
from ml.threads import one_thread
from warehouse.errors import TrainingError

Floats = NDArray[np.float64]

# A fitted pipeline that ranks our households worse than its like, fitted in our folds, was fitted to something else.
WORSE_THAN_ITS_LIKE = 0.03


@dataclass(frozen=True)
class FittedElsewhere(Fitted):
    """A fitted pipeline that is shown its own columns only."""

    def probabilities(self, rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """The probabilities of living below 1.25, 1.77 and 2.15 USD a day."""
        return self.calibration.probabilities(raw_score(self.pipeline, rows[columns_of(self.pipeline)]))


def judge_pipeline(pipeline: Pipeline, recipe: Recipe, rows: pd.DataFrame) -> Trained:
    """Judge a fitted pipeline by its clones on every split, and calibrate it on those of the village folds."""
    require_enough(rows)
    target = target_of(rows)
    folds = {split: found for split in SPLITS if (found := make_folds(split, rows))}
    with one_thread():
        judged = {split: _judge(pipeline, rows, split_folds, split) for split, split_folds in folds.items()}
        own = raw_score(pipeline, rows[recipe.feature_names])
        baselines = judge_baselines(rows, recipe.features, folds["village"])
        calibration = _fit_clone(pipeline, rows).calibration
    like = area_under_curve(target, judged["village"].probability)
    if area_under_curve(target, own) < like - WORSE_THAN_ITS_LIKE:
        raise unusable(f"ranks our households worse ({area_under_curve(target, own):.3f}) than its like ({like:.3f})")
    fitted = FittedElsewhere({}, pipeline, calibration)
    model = _stored(recipe, fitted, rows, judged["village"])
    _require_answers(model)
    evaluation = evaluate(rows, list(judged.values()), candidates={}, baselines=baselines)
    algorithm = cast(Algorithm, type(pipeline[-1]).__name__)
    trained = Trained(recipe, algorithm, fitted, model, rows, judged, evaluation)
    if recipe.track == "screening":
        refuse_too_good(like, model.importance(trained.matrix))
    return trained


def _judge(pipeline: Pipeline, rows: pd.DataFrame, folds: Folds, split: Split) -> Judged:
    found = np.empty((3, len(rows)))
    for train, test in folds:
        found[:, test] = _fit_clone(pipeline, rows.iloc[train]).probabilities(rows.iloc[test])
    below_125, probability, below_215 = found
    return Judged(split, probability, below_125, below_215)


def _fit_clone(pipeline: Pipeline, rows: pd.DataFrame) -> FittedElsewhere:
    """A clone that is fitted to rows, and calibrated on what clones say of them out of fold."""
    folds = make_folds("village", rows, folds=INNER_FOLDS)
    if folds is None:
        raise too_few(rows)
    columns = columns_of(pipeline)
    target = pd.Series(target_of(rows), index=rows.index)
    score = np.empty(len(rows))
    for train, test in folds:
        fitted = clone(pipeline).fit(rows.iloc[train][columns], target.iloc[train])
        score[test] = raw_score(fitted, rows.iloc[test][columns])
    calibration = calibrate(score, rows[INCOME].to_numpy())
    return FittedElsewhere({}, clone(pipeline).fit(rows[columns], target), calibration)


def _stored(recipe: Recipe, fitted: Fitted, rows: pd.DataFrame, judged: Judged) -> Model:
    """The model as it reads back from the store."""
    categories = [feature.name for feature in recipe.features if feature.kind == "category"]
    known = {name: [*sorted(map(str, rows[name].dropna().unique())), MISSING] for name in categories}
    encoding = Encoding(recipe.feature_names, known)
    typical = encoding.widen(encoding.encode([_typical(recipe, rows)]))[0]
    score = PipelineScore(fitted.pipeline, encoding, typical)
    conformal = conform(judged.probability, target_of(rows) == 1)
    return read_document(write_document(Model(recipe.track, encoding, score, fitted.calibration, conformal)))


def _require_answers(model: Model) -> None:
    """Make sure that it takes households of whom nothing is known, and values that nobody has seen."""
    nothing = dict.fromkeys(model.feature_names)
    strange = nothing | dict.fromkeys(model.categories, "never seen")
    try:
        probability = model.predict(model.encode([nothing, strange])).probability
    except ValueError as error:
        raise unusable(f"cannot take values that are missing or new: {error}") from error
    if not np.isfinite(probability).all():
        raise unusable("gives no probability where values are missing or new")


def _typical(recipe: Recipe, rows: pd.DataFrame) -> dict[str, Any]:
    """The median of each number, and the commonest value of each category; None where nothing is known."""
    return {feature.name: _middle(feature, rows[feature.name].dropna()) for feature in recipe.features}


def _middle(feature: Feature, values: pd.Series) -> Any:
    if values.empty:
        return None
    return values.mode().iloc[0] if feature.kind == "category" else values.median()


def columns_of(pipeline: Pipeline) -> list[str]:
    """The columns that a pipeline was fitted on, in order."""
    return [str(name) for name in pipeline.feature_names_in_]


def unusable(what: str) -> TrainingError:
    """The error that says why a file cannot be imported."""
    return TrainingError(
        f"The file {what}.",
        code="ml.bad_import",
        remedy="Fit a pipeline of scikit-learn to columns of features.fct_household_features and the classes 0 and 1.",
    )
