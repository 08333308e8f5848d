"""The rule that chooses an algorithm."""

from collections.abc import Mapping

from ml.evaluate import Evaluation
from ml.models import ALGORITHMS, Algorithm

TOLERANCE = 0.004
RULE = (
    "The highest AUC over village-grouped folds wins; among the algorithms within "
    f"{TOLERANCE} of it the simplest does. From simple to complex: {', '.join(ALGORITHMS)}."
)


def choose(evaluations: Mapping[Algorithm, Evaluation]) -> Algorithm:
    """Choose one of the candidates; the rule is stored with the model.

    The AUC is taken because it judges the ranking of households whatever the cut, and over village-grouped
    folds because the next survey will come from other villages. 0.004 is the standard error of a paired
    difference between two models on the full survey; a smaller gain is no reason to give up a simpler model
    (the one-standard-error rule of Breiman and others, 1984). A logistic regression is the simplest: one
    weight for each indicator. Boosting comes next, with its 120 trees of 8 leaves; the forest's 100 trees
    grow hundreds of leaves each.
    """
    scores = {algorithm: evaluation.overall.auc or 0.0 for algorithm, evaluation in evaluations.items()}
    best = max(scores.values())
    return next(algorithm for algorithm in ALGORITHMS if scores.get(algorithm, -1.0) >= best - TOLERANCE)
