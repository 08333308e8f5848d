"""Folds keep whole what they promise to, and judge every household once."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.features import TARGET
from ml.splits import SPLITS, Split, make_folds, place_groups, require_enough
from tests.ml_rows import make_rows
from warehouse.errors import TrainingError


def make_places(households: int = 400, villages: int = 20) -> pd.DataFrame:
    rows = make_rows(households, villages)
    number = rows["village"].str.removeprefix("Village ").astype(int)
    return rows.assign(cluster=[f"Cluster {village // 8}" for village in number])


@pytest.mark.parametrize("split", SPLITS)
def test_every_household_is_judged_once_away_from_its_place(split: Split) -> None:
    rows = make_places()
    folds = make_folds(split, rows)
    assert folds is not None
    assert len(folds) == (4 if split == "district" else 5)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(rows)))
    places = place_groups(split, rows)
    for train, test in folds:
        assert not set(places[train]) & set(places[test])
        assert len(train) + len(test) == len(rows)


@pytest.mark.parametrize("split", SPLITS)
def test_no_household_is_judged_by_a_model_that_saw_it_elsewhere(split: Split) -> None:
    rows = make_places()
    rows["household_id"] = [f"HH-{number % 150}" for number in range(len(rows))]
    households = rows["household_id"].to_numpy()
    folds = make_folds(split, rows)
    assert folds is not None
    for train, test in folds:
        assert not set(households[train]) & set(households[test])


def test_the_same_seed_gives_the_same_folds() -> None:
    rows = make_places()
    first, second, other = (make_folds("village", rows, seed) for seed in (1, 1, 2))
    assert first is not None
    assert second is not None
    assert other is not None
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_takes_fewer_folds_where_there_are_fewer_villages() -> None:
    folds = make_folds("village", make_places(villages=3))
    assert folds is not None
    assert len(folds) == 3


def test_villages_of_one_name_in_two_districts_are_two() -> None:
    rows = pd.DataFrame({"district": ["Rubanda", "Kanungu", "Rubanda"], "village": ["Nyakatare"] * 3})
    assert len(np.unique(place_groups("village", rows))) == 2


def test_cannot_tell_of_a_new_district_where_there_is_one() -> None:
    rows = make_places()
    assert make_folds("district", rows[rows["district"] == "Kanungu"]) is None


def test_cannot_tell_of_clusters_that_nobody_named() -> None:
    assert make_folds("cluster", make_places().assign(cluster=np.nan)) is None


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
    rows = spoil(make_places(villages=10))
    with pytest.raises(TrainingError) as caught:
        require_enough(rows)
    assert caught.value.error_code == "ml.too_few_households"
    assert "50 households in 3 villages" in caught.value.remedy


def test_lets_enough_pass() -> None:
    require_enough(make_places())


def test_the_api_starts_without_scikit_learn() -> None:
    asked = "import sys, orchestration.serving; print('sklearn' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
