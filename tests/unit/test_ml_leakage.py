"""The leak guard, against leaks planted in the rows: names and lineage say nothing of them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.features import INCOME, TARGET, Feature, Kind, load_features
from ml.leakage import LeakError, Lineage, guard_against_leaks, refuse_too_good, track_features
from ml.leakage.algebra import Design, plainly
from tests.dbt_manifests import make_lineage
from warehouse.errors import Terminal, TrainingError

BOTH = ("screening", "assessment")
HARMLESS = Feature("phones_owned", "numeric", BOTH, component_of_target=False)
COMPONENTS = [feature for feature in load_features() if feature.component_of_target]
HONEST = [feature for feature in load_features() if "screening" in feature.tracks]

Random = np.random.Generator
Plant = Callable[[pd.DataFrame, Random], dict[str, object]]


def survey(households: int = 1500, seed: int = 1) -> pd.DataFrame:
    """Rows whose honest features betray a little of the income, as those of a survey do."""
    random = np.random.default_rng(seed)
    village = random.integers(0, households // 18, households)
    wealth = random.normal(0, 1, households) + random.normal(0, 0.5, households)[village]
    rows = pd.DataFrame({feature.name: honest(feature.kind, wealth, random) for feature in HONEST})
    income = 2 * np.exp(0.7 * wealth)
    return rows.assign(
        household_id=[f"HH-{number:06d}" for number in range(households)],
        district=np.where(village % 2 == 0, "Kanungu", "Rubanda"),
        village=[f"Village {number}" for number in village],
        **{INCOME: income, TARGET: (income < 1.77).astype(float)},
    )


def honest(kind: Kind, wealth: np.ndarray, random: Random) -> pd.Series:
    seen = 0.15 * wealth + random.normal(0, 1, len(wealth))
    if kind == "category":
        return pd.Series(np.digitize(seen, [-0.5, 0.5]), dtype="str").where(random.random(len(wealth)) > 0.1)
    number = pd.Series((seen > 0).astype(float) if kind == "boolean" else np.exp(3 * seen))
    return number.where(random.random(len(wealth)) > 0.1)


def split(rows: pd.DataFrame, random: Random) -> np.ndarray:
    """The income in three parts, none of which tells much alone."""
    shares = random.dirichlet([0.5, 0.5, 0.5], len(rows))
    return np.asarray(shares * rows[INCOME].to_numpy()[:, None])


def hidden(rows: pd.DataFrame, random: Random) -> np.ndarray:
    """A number between 0 and 3 that is in the middle for vulnerable households."""
    place = random.random(len(rows))
    outside = np.where(random.random(len(rows)) < 0.5, place, place + 2)
    return np.where(rows[TARGET] == 1, place + 1, outside)


def apart(rows: pd.DataFrame, noise: np.ndarray) -> dict[str, object]:
    return {"a": rows[INCOME] + noise, "b": noise}


def scaled(rows: pd.DataFrame, factor: np.ndarray) -> dict[str, object]:
    return {"a": rows[INCOME] * factor, "b": factor}


PLANTED: dict[str, Plant] = {
    "the income": lambda rows, random: {"a": rows[INCOME]},
    "the income of a year in shillings": lambda rows, random: {"a": rows[INCOME] * 365 * 3700},
    "a large component": lambda rows, random: {"a": rows[INCOME] * random.uniform(0.6, 0.9, len(rows))},
    "a sum of components": lambda rows, random: {"a": split(rows, random)[:, :2].sum(axis=1)},
    "all components": lambda rows, random: dict(zip("abc", split(rows, random).T, strict=True)),
    "noise of 5 %": lambda rows, random: {"a": rows[INCOME] * random.normal(1, 0.05, len(rows))},
    "the negative": lambda rows, random: {"a": -rows[INCOME]},
    "the logarithm": lambda rows, random: {"a": np.log(rows[INCOME])},
    "the rank": lambda rows, random: {"a": rows[INCOME].rank()},
    "the reciprocal": lambda rows, random: {"a": 1 / rows[INCOME]},
    "the quintile": lambda rows, random: {"a": pd.qcut(rows[INCOME], 5, labels=False).astype("str")},
    "per person": lambda rows, random: {"a": rows[INCOME] / random.integers(1, 4, len(rows))},
    "a ratio to another feature": lambda rows, random: {
        "a": rows[INCOME] / rows["agricultural_land_acres"].fillna(1),
        "agricultural_land_acres": rows["agricultural_land_acres"].fillna(1),
    },
    "the target": lambda rows, random: {"a": rows[TARGET]},
    "the target with errors": lambda rows, random: {"a": rows[TARGET].where(random.random(len(rows)) > 0.05, 0.5)},
    "the target with many errors": lambda rows, random: {"a": (rows[TARGET] - (random.random(len(rows)) < 0.15)).abs()},
    "the status in words": lambda rows, random: {
        "a": pd.Series(np.digitize(rows[INCOME], [1.25, 1.77, 2.15])).map(dict(enumerate("dbca")))
    },
    "an answer that the poor do not give": lambda rows, random: {
        "a": pd.Series(random.normal(0, 1, len(rows))).where(rows[TARGET] == 0)
    },
    "two columns, worthless alone": lambda rows, random: apart(rows, random.normal(0, 30, len(rows))),
    "two columns to multiply": lambda rows, random: scaled(rows, np.exp(random.normal(0, 3, len(rows)))),
    "a band in the middle": lambda rows, random: {"a": hidden(rows, random)},
    "a copy of a copy": lambda rows, random: {"a": rows[INCOME], "b": rows[INCOME] * 2},
    "beside a slip of the pen": lambda rows, random: apart(rows, np.where(rows.index == 7, 1e9, rows.index % 100)),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return survey()


@pytest.fixture(scope="module")
def lineage() -> Callable[[], Lineage]:
    """A mart that takes every column as it was answered."""
    names = [*(feature.name for feature in HONEST), *"abc"]
    return lambda: make_lineage("select * from raw.survey", survey={name: {} for name in names})


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_names_what_was_planted_in_the_rows(plant: Plant, rows: pd.DataFrame, lineage: Callable[[], Lineage]) -> None:
    planted = plant(rows, np.random.default_rng(2))
    spoilt = rows.assign(**planted)
    kinds: dict[str, Kind] = {
        name: "category" if pd.api.types.is_string_dtype(spoilt[name]) else "numeric" for name in planted
    }
    features = [feature for feature in HONEST if feature.name not in planted]
    features += [Feature(name, kind, BOTH, component_of_target=False) for name, kind in kinds.items()]
    with pytest.raises(LeakError) as caught:
        guard_against_leaks("screening", features, spoilt, lineage)
    assert sorted(caught.value.facts["columns"]) == sorted(planted)
    assert caught.value.error_code == "ml.target_leak"
    assert isinstance(caught.value, Terminal)


@pytest.mark.parametrize("households", [100, 400, 1500])
def test_refuses_no_honest_features(households: int, lineage: Callable[[], Lineage]) -> None:
    for seed in range(4):
        guard_against_leaks("screening", HONEST, survey(households, seed), lineage)


def test_leaves_rows_that_cannot_be_folded_to_the_training(rows: pd.DataFrame, lineage: Callable[[], Lineage]) -> None:
    guard_against_leaks("screening", HONEST, rows.assign(village="one", district="one"), lineage)


def test_looks_at_nothing_of_the_assessment(rows: pd.DataFrame) -> None:
    guard_against_leaks("assessment", COMPONENTS, rows, lambda: pytest.fail("the lineage was read"))


def test_names_columns_whose_source_nobody_can_tell(rows: pd.DataFrame, lineage: Callable[[], Lineage]) -> None:
    unknown = Feature("wealth", "numeric", BOTH, component_of_target=False)
    with pytest.raises(TrainingError, match="wealth") as caught:
        guard_against_leaks("screening", [*HONEST, unknown], rows, lineage)
    assert (caught.value.error_code, caught.value.facts["columns"]) == ("ml.untraceable_feature", ["wealth"])


def test_refuses_a_model_that_is_too_good() -> None:
    refuse_too_good(0.90, {"a": 1.0})
    with pytest.raises(LeakError, match=r"0\.93") as caught:
        refuse_too_good(0.93, {"d": 0.1, "b": 2.0, "a": 3.0, "c": 1.0})
    assert caught.value.facts["columns"] == ["a", "b", "c"]


def test_least_squares_are_judged_on_other_folds() -> None:
    random = np.random.default_rng(3)
    rows = pd.DataFrame({name: random.normal(0, 1, 300) for name in "abc"})
    features = [Feature(name, "numeric", BOTH, component_of_target=False) for name in "abc"]
    folds = [(np.arange(150, 300), np.arange(150)), (np.arange(150), np.arange(150, 300))]
    number = rows["a"].to_numpy() + rows["b"].to_numpy() + random.normal(0, 1, 300)
    design = Design.of(features, rows, number, plainly, folds)
    assert design.explained_share("ab") == pytest.approx(2 / 3, abs=0.08)
    assert design.explained_share("c") < 0.01
    assert design.find_carriers(0.5)[0] == ["a", "b"]
    assert design.find_carriers(0.9)[0] == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda feature: feature.name)
def test_names_every_component_that_the_screening_would_see(component: Feature) -> None:
    planted = replace(component, tracks=BOTH)
    with pytest.raises(LeakError, match=component.name) as caught:
        track_features("screening", [HARMLESS, planted])
    assert caught.value.facts["columns"] == [component.name]


def test_believes_the_contract_where_the_mart_forgot_to_say_so() -> None:
    forgotten = Feature("household_income", "numeric", ("screening",), component_of_target=False)
    with pytest.raises(LeakError, match="household_income"):
        track_features("screening", [HARMLESS, forgotten])


def test_lets_the_assessment_see_components() -> None:
    assert COMPONENTS[0] in track_features("assessment", load_features())


def test_refuses_a_track_that_sees_nothing() -> None:
    with pytest.raises(TrainingError, match="no features"):
        track_features("screening", [replace(HARMLESS, tracks=("assessment",))])
