"""The rule that chooses an algorithm."""

from collections.abc import Mapping

from ml.models import ALGORITHMS, Algorithm

TOLERANCE = 0.004
RULE = (
    "The highest AUC over village-grouped folds wins; among the algorithms within "
    f"{TOLERANCE} of it the simplest does. From simple to complex: {', '.join(ALGORITHMS)}."
)


def choose(areas: Mapping[Algorithm, float]) -> Algorithm:
    """Choose one of the candidates by the area under its ROC curve; the rule is stored with the model.

    The AUC is taken because it judges the ranking of households whatever the cut, and over village-grouped folds
    because the next survey will come from other villages. 0.004 is the standard error of a paired difference between
    two models on the full survey; a smaller gain is no reason to give up a simpler model (the one-standard-error rule
    of Breiman and others, 1984). A linear model is the simplest: one weight for each indicator. Boosting comes next,
    with its 60 trees of 8 leaves; the forest's 50 trees grow 64 leaves each.
    """
    best = max(areas.values())
    return next(algorithm for algorithm in ALGORITHMS if areas.get(algorithm, -1.0) >= best - TOLERANCE)
