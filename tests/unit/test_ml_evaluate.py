"""Village-grouped scores: villages stay whole, and too little data is refused."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from ml.evaluate import evaluate_by_district, evaluate_by_village, village_groups
from ml.features import TARGET
from tests.ml_rows import make_rows
from warehouse.errors import TrainingError


class Gossip(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Selects a household when it has met someone of the same place in training."""

    def __init__(self, place: list[str]) -> None:
        self.place = place

    def fit(self, rows: pd.DataFrame, target: NDArray[Any]) -> Self:
        """Remember the places."""
        self.classes_ = np.unique(target)
        self.places_ = set(rows[self.place].itertuples(index=False, name=None))
        return self

    def predict_proba(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """1 where the place is known."""
        places = rows[self.place].itertuples(index=False, name=None)
        known = np.array([float(place in self.places_) for place in places])
        return np.column_stack([1 - known, known])

    def predict(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        """The same as a verdict."""
        return self.predict_proba(rows)[:, 1].astype(np.int64)


def test_no_household_is_judged_by_its_own_village() -> None:
    evaluation = evaluate_by_village(Gossip(["district", "village"]), make_rows())
    assert evaluation.overall.precision is None
    assert (evaluation.folds, evaluation.groups) == (5, 20)


def test_no_household_is_judged_by_its_own_district() -> None:
    evaluation = evaluate_by_district(Gossip(["district"]), make_rows())
    assert evaluation is not None
    assert evaluation.overall.precision is None
    assert evaluation.folds == 4


def test_every_household_is_judged_once() -> None:
    rows = make_rows(households=403)
    evaluation = evaluate_by_village(Gossip(["district"]), rows)
    assert evaluation.overall.n == 403
    assert sum(metrics.n for metrics in evaluation.by_district.values()) == 403
    assert list(evaluation.by_district) == ["Kanungu", "Mitooma", "Rubanda", "Rukungiri"]


def test_villages_of_one_name_in_two_districts_are_two() -> None:
    rows = pd.DataFrame({"district": ["Rubanda", "Kanungu", "Rubanda"], "village": ["Nyakatare"] * 3})
    assert len(np.unique(village_groups(rows))) == 2


def test_takes_fewer_folds_where_there_are_fewer_villages() -> None:
    evaluation = evaluate_by_village(Gossip(["district", "village"]), make_rows(villages=3))
    assert (evaluation.folds, evaluation.groups) == (3, 3)


def one_class(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{TARGET: 0.0})


def one_vulnerable_village(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{TARGET: (rows["village"] == "Village 0").astype(float)})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.head(49),
        lambda rows: rows[rows["village"].isin(["Village 0", "Village 1"])],
        one_class,
        one_vulnerable_village,
    ],
    ids=["few households", "few villages", "all alike", "vulnerable in one village only"],
)
def test_refuses_what_no_honest_score_can_come_from(spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    rows = spoil(make_rows(households=400, villages=10))
    with pytest.raises(TrainingError) as caught:
        evaluate_by_village(Gossip(["village"]), rows)
    assert caught.value.error_code == "ml.too_few_households"
    assert "50 households in 3 villages" in caught.value.remedy


def test_cannot_tell_of_a_new_district_where_there_is_one() -> None:
    rows = make_rows()
    assert evaluate_by_district(Gossip(["district"]), rows[rows["district"] == "Kanungu"]) is None
