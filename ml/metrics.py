"""How good probabilities are, in the terms of a programme that selects households."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from ml.risk import decide


@dataclass(frozen=True)
class Metrics:
    """Scores over `n` households, of which the share `base_rate` is vulnerable.

    What cannot be told is None: the AUC where all households are alike, recall and exclusion where none is
    vulnerable, precision and inclusion where none is selected.

    Attributes:
        brier: mean squared distance of the probability from the truth (Brier, 1950).
        exclusion_error: share of the vulnerable households that are missed, 1 - recall.
        inclusion_error: share of the selected households that are not vulnerable, 1 - precision.
    """

    n: int
    base_rate: float
    accuracy: float
    auc: float | None
    f1: float | None
    precision: float | None
    recall: float | None
    brier: float
    exclusion_error: float | None
    inclusion_error: float | None


def measure(target: NDArray[np.int64], probability: NDArray[np.float64]) -> Metrics:
    """Compare probabilities with the truth; both have one value per household, and there is at least one."""
    selected = decide(probability)
    hits = int((selected & target).sum())
    precision, recall = _share(hits, int(selected.sum())), _share(hits, int(target.sum()))
    return Metrics(
        n=len(target),
        base_rate=float(target.mean()),
        accuracy=float((selected == target).mean()),
        auc=float(roc_auc_score(target, probability)) if 0 < target.sum() < len(target) else None,
        f1=_share(2 * hits, int(selected.sum() + target.sum())),
        precision=precision,
        recall=recall,
        brier=float(np.mean((probability - target) ** 2)),
        exclusion_error=None if recall is None else 1 - recall,
        inclusion_error=None if precision is None else 1 - precision,
    )


def measure_groups(
    target: NDArray[np.int64], probability: NDArray[np.float64], groups: NDArray[np.str_]
) -> dict[str, Metrics]:
    """The metrics of each group of households, by the group's name."""
    names = [str(name) for name in np.unique(groups)]
    return {name: measure(target[groups == name], probability[groups == name]) for name in names}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
