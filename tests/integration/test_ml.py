"""Training, the registry and scoring, on a real database and a real store."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.catalogue import TrainedModel, champions
from ml.evaluate import target_of
from ml.features import MART_FILE, TARGET, load_features, read_rows
from ml.leakage import LeakError, track_features
from ml.models import ALGORITHMS
from ml.recipe import Recipe
from ml.registry import Draft, load_pipeline, register
from ml.score import score
from ml.tracks import TRACKS, Track
from ml.train import train
from tests.ml_rows import make_rows, write_mart
from warehouse.database import Database
from warehouse.errors import IntegrityError, NotFoundError, TrainingError
from warehouse.stores import LocalStore

WITHOUT_INCOME = 5


@pytest.fixture
def rows() -> pd.DataFrame:
    """Rows of the mart; the last few surveys have no income module."""
    rows = make_rows(households=120, villages=6)
    rows.loc[rows.index[-WITHOUT_INCOME:], TARGET] = np.nan
    return rows


@pytest.fixture
def mart(database: Database, rows: pd.DataFrame) -> Database:
    """A database whose feature mart holds the rows."""
    write_mart(database, rows)
    return database


@pytest.fixture
def models(mart: Database, store: LocalStore, rows: pd.DataFrame) -> list[TrainedModel]:
    """A registered logistic model for each track."""
    return [register_model(mart, store, track, rows) for track in TRACKS]


def register_model(database: Database, store: LocalStore, track: Track, rows: pd.DataFrame) -> TrainedModel:
    recipe = Recipe(track, track_features(track, load_features()))
    labelled = rows[rows[TARGET].notna()]
    pipeline = recipe.build("logistic_regression").fit(labelled, target_of(labelled))
    draft = Draft(track, "logistic_regression", recipe.feature_names, "fingerprint", {}, {}, "run-0")
    return register(database, store, draft, pipeline)


def select(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return connection.execute(query.encode()).fetchall()


def predictions(database: Database) -> list[tuple[Any, ...]]:
    return select(database, "select * from ml.predictions order by prediction_id")


def test_reads_the_mart_as_it_was_written(mart: Database, rows: pd.DataFrame) -> None:
    read = pd.concat(read_rows(mart, load_features(), chunk_rows=50), ignore_index=True)
    pd.testing.assert_frame_equal(read, rows[read.columns], check_dtype=False)


def test_reads_odd_values(database: Database, rows: pd.DataFrame) -> None:
    odd = rows.head(3).assign(rent_income=[np.inf, np.nan, 0.1 + 0.2], village=["a,b", 'say "x"', "two\nlines"])
    odd["head_literate"] = [True, False, None]
    write_mart(database, odd)
    (read,) = read_rows(database, load_features())
    assert read["village"].tolist() == ["a,b", 'say "x"', "two\nlines"]
    assert read["rent_income"].isna().tolist() == [True, True, False]
    assert read["rent_income"].iloc[2] == 0.1 + 0.2
    assert read["head_literate"].tolist()[:2] == [1.0, 0.0]


def test_says_that_the_mart_is_not_built(database: Database, store: LocalStore) -> None:
    with pytest.raises(NotFoundError, match="kyalo build"):
        train(database, store, run_id="run-1")


def test_trains_a_champion_for_each_track(mart: Database, store: LocalStore) -> None:
    screening, assessment = train(mart, store, run_id="run-1")
    assert champions(mart) == {"screening": screening, "assessment": assessment}
    assert assessment.metrics["overall"]["auc"] > screening.metrics["overall"]["auc"] > 0.5
    assert set(screening.metrics["candidates"]) == set(ALGORITHMS)
    assert set(screening.metrics["by_district"]) == {"Kanungu", "Mitooma", "Rubanda", "Rukungiri"}
    assert screening.metadata["training_rows"] == screening.metrics["overall"]["n"] == 120 - WITHOUT_INCOME
    assert screening.run_id == "run-1"
    with store.get("models/vulnerability_screening/1/metadata.json") as file:
        assert json.load(file)["sha256"] == screening.sha256


def test_trains_anew_only_when_there_is_something_new(mart: Database, store: LocalStore, rows: pd.DataFrame) -> None:
    (first,) = train(mart, store, run_id="run-1", tracks=["screening"])
    assert train(mart, store, run_id="run-2", tracks=["screening"]) == [first]
    store.delete(first.object_key)
    (second,) = train(mart, store, run_id="run-3", tracks=["screening"])
    write_mart(mart, rows.assign(phones_owned=rows["phones_owned"] + 1))
    (third,) = train(mart, store, run_id="run-4", tracks=["screening"])
    assert [model.model_version for model in (first, second, third)] == [1, 2, 3]
    assert second.training_fingerprint == first.training_fingerprint != third.training_fingerprint


def test_a_leak_stops_the_training_before_any_fit(mart: Database, store: LocalStore, tmp_path: Path) -> None:
    leaky = tmp_path / "mart.yml"
    before, name, after = MART_FILE.read_text().partition("- name: rent_income\n")
    leaky.write_text(before + name + after.replace("tracks: [assessment]", "tracks: [screening, assessment]", 1))
    with pytest.raises(LeakError, match="rent_income"):
        train(mart, store, run_id="run-1", mart_file=leaky)
    assert champions(mart) == {}


def test_refuses_to_train_on_too_few(database: Database, store: LocalStore, rows: pd.DataFrame) -> None:
    write_mart(database, rows.head(30))
    with pytest.raises(TrainingError, match="30 labelled households"):
        train(database, store, run_id="run-1")
    assert list(store.list("models/")) == []


def test_scores_every_household_and_no_income_that_is_not_there(
    mart: Database, store: LocalStore, models: list[TrainedModel]
) -> None:
    summary = score(mart, store, run_id="run-1")
    assert [(track.track, track.scored, track.inserted) for track in summary.tracks] == [
        ("screening", 120, 120),
        ("assessment", 120 - WITHOUT_INCOME, 120 - WITHOUT_INCOME),
    ]
    assert all(sum(track.categories.values()) == track.scored for track in summary.tracks)
    (counts,) = select(
        mart,
        """
        select
            count(*),
            count(distinct prediction_id),
            count(*) filter (where prediction = (probability >= 0.5)::integer),
            count(*) filter (where abs(confidence - greatest(probability, 1 - probability)) < 1e-12),
            count(*) filter (where run_id = 'run-1' and model_version = 1)
        from ml.predictions
        """,
    )
    assert set(counts) == {240 - WITHOUT_INCOME}


def test_scoring_again_changes_nothing(mart: Database, store: LocalStore, models: list[TrainedModel]) -> None:
    score(mart, store, run_id="run-1")
    before = predictions(mart)
    summary = score(mart, store, run_id="run-2", chunk_rows=7)
    assert predictions(mart) == before
    assert [(track.inserted, track.updated) for track in summary.tracks] == [(0, 0), (0, 0)]
    assert summary.tracks[0].unchanged == 120


def test_only_what_changed_is_written(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    score(mart, store, run_id="run-1")
    richer, again = (rows["household_id"] == name for name in ("HH-000003", "HH-000004"))
    changed = {
        "assets_usd": rows["assets_usd"] + 5000 * richer,
        "submission_id": rows["submission_id"].mask(again, "anew"),
    }
    write_mart(mart, rows.assign(**changed))
    summary = score(mart, store, run_id="run-2")
    assert [(track.inserted, track.updated) for track in summary.tracks] == [(0, 2), (0, 2)]
    touched = select(mart, "select distinct household_id from ml.predictions where run_id = 'run-2' order by 1")
    assert touched == [("HH-000003",), ("HH-000004",)]
    assert select(mart, "select distinct submission_id from ml.predictions where household_id = 'HH-000004'") == [
        ("anew",)
    ]


def test_scores_a_district_that_training_never_saw(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    write_mart(mart, rows.head(1).assign(district="Kitgum", head_sex=None))
    assert score(mart, store, run_id="run-1").tracks[0].inserted == 1


def test_an_empty_mart_gives_no_predictions(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    write_mart(mart, rows.head(0))
    assert [track.scored for track in score(mart, store, run_id="run-1").tracks] == [0, 0]


def test_a_new_model_counts_once_it_has_scored(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    query = "select distinct track, model_version from ml.current_predictions order by 1 desc"
    score(mart, store, run_id="run-1")
    assert register_model(mart, store, "screening", rows).model_version == 2
    assert select(mart, query) == [("screening", 1), ("assessment", 1)]
    score(mart, store, run_id="run-2")
    assert select(mart, query) == [("screening", 2), ("assessment", 1)]
    assert select(mart, "select count(*) from ml.predictions where track = 'screening'") == [(240,)]


def test_refuses_a_model_that_is_not_what_was_registered(
    mart: Database, store: LocalStore, models: list[TrainedModel]
) -> None:
    with store.get(models[0].object_key) as file:
        content = bytearray(file.read())
    content[-1] ^= 1
    store.put(models[0].object_key, io.BytesIO(content), "application/octet-stream")
    with pytest.raises(IntegrityError, match="checksum differs"):
        load_pipeline(store, models[0])
    with pytest.raises(IntegrityError):
        score(mart, store, run_id="run-1")
    assert predictions(mart) == []


def test_refuses_a_mart_with_a_household_twice(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    write_mart(mart, pd.concat([rows, rows.head(1)]))
    with pytest.raises(IntegrityError, match="HH-000000") as caught:
        score(mart, store, run_id="run-1")
    assert caught.value.error_code == "ml.bad_prediction"
    assert predictions(mart) == []


def test_says_that_nothing_is_trained(mart: Database, store: LocalStore) -> None:
    with pytest.raises(NotFoundError, match="kyalo train"):
        score(mart, store, run_id="run-1")


def test_says_which_feature_the_mart_lost(
    mart: Database, store: LocalStore, models: list[TrainedModel], tmp_path: Path
) -> None:
    poorer = tmp_path / "mart.yml"
    poorer.write_text(MART_FILE.read_text().replace("- name: phones_owned", "- name: telephones_owned"))
    with pytest.raises(NotFoundError, match=r"phones_owned\. Train again"):
        score(mart, store, run_id="run-1", mart_file=poorer)


def test_every_column_says_what_it_holds(database: Database) -> None:
    undescribed = select(
        database,
        """
        select attrelid::regclass::text, attname
        from pg_attribute
        where attrelid in ('ml.models'::regclass, 'ml.predictions'::regclass)
            and attnum > 0 and col_description(attrelid, attnum) is null
        """,
    )
    assert undescribed == []
