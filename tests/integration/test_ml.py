"""Training, the registry and scoring, on a real database and a real store."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from ml.artifacts import load_model
from ml.catalogue import TrainedModel, champions, list_models
from ml.features import MART_FILE, TARGET, load_features, read_rows
from ml.leakage import LeakError
from ml.promotion.consider import consider
from ml.registry import record_event
from ml.replay import replay
from ml.rows import as_records
from ml.score import score
from ml.tracks import TRACKS, Track
from ml.train import train
from orchestration.context import Warehouse
from tests.dbt_manifests import write_manifest
from tests.ml_rows import make_rows, write_mart
from tests.online_models import fit_model, promote
from tests.registered import make_features_function
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
def models(warehouse: Warehouse, mart: Database, rows: pd.DataFrame) -> list[TrainedModel]:
    """A logistic champion for each track."""
    for track in TRACKS:
        crown(warehouse, track, rows)
    return list(champions(mart).values())


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest in which every feature comes straight from an answer."""
    return write_manifest(tmp_path / "manifest.json", [feature.name for feature in load_features()])


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


def crown(warehouse: Warehouse, track: Track, rows: pd.DataFrame, version: int = 1) -> None:
    model = fit_model(track, "logistic_regression", rows[rows[TARGET].notna()])
    promote(warehouse, model, version)


def test_draws_whole_villages_and_the_same_ones_each_time(mart: Database, rows: pd.DataFrame) -> None:
    drawn = [pd.concat(read_rows(mart, load_features(), most_rows=70)) for _ in range(2)]
    pd.testing.assert_frame_equal(*drawn)
    sizes = rows.groupby("village").size()
    assert 0 < len(drawn[0]) <= 70
    assert (drawn[0].groupby("village").size() == sizes[drawn[0]["village"].unique()].sort_index()).all()


def test_says_that_the_mart_is_not_built(database: Database, store: LocalStore, manifest: Path) -> None:
    with pytest.raises(NotFoundError, match="kyalo build"):
        train(database, store, run_id="run-1", manifest=manifest)


def test_trains_judges_and_replays_a_model_for_each_track(
    database: Database, store: LocalStore, manifest: Path
) -> None:
    write_mart(database, make_rows(households=300, villages=12))
    trainings = train(database, store, run_id="run-1", manifest=manifest, actor="ada")
    screening, assessment = (training.model for training in trainings)
    assert all(training.is_new for training in trainings)
    assert champions(database) == {}  # that is for the gate to say
    assert assessment.metrics["overall"]["auc"] > screening.metrics["overall"]["auc"] > 0.5
    assert set(screening.metrics["baselines"]) == {"majority", "district_rate", "points_table"}
    assert set(screening.metrics["by_district"]) == {"Kanungu", "Mitooma", "Rubanda", "Rukungiri"}
    assert screening.metadata["training_rows"] == screening.metrics["overall"]["n"] == 300
    assert screening.metadata["parity"] <= 1e-9
    with store.get(f"{screening.folder}/metadata.json") as file:
        assert json.load(file)["sha256"] == screening.sha256
    with store.get(f"{screening.folder}/report.html") as file:
        assert b"<svg" in file.read()
    (kept,) = select(
        database,
        """
        select
            (select count(*) from ml.training_rows where model_name = 'vulnerability_screening'),
            (select count(distinct split) from ml.evaluations where model_name = 'vulnerability_screening'),
            (select count(*) from ml.evaluations where not (value between lower_bound and upper_bound)),
            (select count(distinct feature) from ml.reference_bins where model_name = 'vulnerability_screening')
        """,
    )
    assert kept == (300, 4, 0, len(screening.feature_names) + 1)
    again = train(database, store, run_id="run-2", manifest=manifest)
    assert [(training.model, training.is_new) for training in again] == [(screening, False), (assessment, False)]
    for model in (screening, assessment):
        assert replay(store, model) <= 1e-8
    for model in (screening, assessment):
        assert consider(database, store, model, actor="ada").is_promoted
    assert champions(database) == {"screening": screening, "assessment": assessment}
    events = select(database, "select event, actor from ml.model_events where track = 'screening' order by event_id")
    assert events == [("registered", "ada"), ("promoted", "ada")]


def test_a_leak_stops_the_training_before_any_fit(
    mart: Database, store: LocalStore, manifest: Path, tmp_path: Path
) -> None:
    leaky = tmp_path / "mart.yml"
    before, name, after = MART_FILE.read_text().partition("- name: rent_income\n")
    leaky.write_text(before + name + after.replace("tracks: [assessment]", "tracks: [screening, assessment]", 1))
    with pytest.raises(LeakError, match="rent_income"):
        train(mart, store, run_id="run-1", manifest=manifest, mart_file=leaky)
    assert list_models(mart) == []


def test_refuses_to_train_on_too_few(database: Database, store: LocalStore, rows: pd.DataFrame, manifest: Path) -> None:
    write_mart(database, rows.head(30))
    with pytest.raises(TrainingError, match="30 labelled households"):
        train(database, store, run_id="run-1", manifest=manifest)
    assert list(store.list("models/")) == []


def test_scores_every_household_and_no_income_that_is_not_there(
    mart: Database, store: LocalStore, models: list[TrainedModel]
) -> None:
    summary = score(mart, store, run_id="run-1", chunk_rows=50)
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
            count(*) filter (where prediction = (probability >= threshold)::integer),
            count(*) filter (where abs(confidence - greatest(probability, 1 - probability)) < 1e-12),
            count(*) filter (where run_id = 'run-1' and model_version = 1 and superseded_at is null),
            count(*) filter (where jsonb_array_length(reasons) = 3)
        from ml.predictions
        """,
    )
    assert set(counts) == {240 - WITHOUT_INCOME}


def test_scores_as_the_model_itself_does(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    score(mart, store, run_id="run-1")
    model = load_model(store, models[0])
    said = model.predict(model.encode(as_records(rows, model.feature_names)))
    stored = select(
        mart, "select probability from ml.predictions where track = 'screening' order by household_id collate \"C\""
    )
    assert [probability for (probability,) in stored] == said.probability.tolist()


def test_scoring_again_changes_nothing(mart: Database, store: LocalStore, models: list[TrainedModel]) -> None:
    score(mart, store, run_id="run-1")
    before = predictions(mart)
    summary = score(mart, store, run_id="run-2", chunk_rows=7)
    assert predictions(mart) == before
    assert [(track.inserted, track.updated) for track in summary.tracks] == [(0, 0), (0, 0)]
    assert summary.tracks[0].unchanged == 120


def test_only_what_changed_is_said_anew_and_what_was_said_stays(
    mart: Database, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    score(mart, store, run_id="run-1")
    again = rows["household_id"] == "HH-000004"
    changed = rows.assign(
        submission_id=rows["submission_id"].mask(again, "anew"), assets_usd=rows["assets_usd"] + 5000 * again
    )
    write_mart(mart, changed[rows["household_id"] != "HH-000007"])
    summary = score(mart, store, run_id="run-2")
    assert [(track.inserted, track.updated) for track in summary.tracks] == [(0, 1), (0, 1)]
    history = select(
        mart,
        """
        select submission_id, run_id, superseded_at is null
        from ml.predictions
        where household_id in ('HH-000004', 'HH-000007') and track = 'screening'
        order by household_id, prediction_id
        """,
    )
    assert history == [("submission-4", "run-1", False), ("anew", "run-2", True), ("submission-7", "run-1", False)]


def test_one_query_tells_a_status_of_a_day_and_why(
    mart: Database, store: LocalStore, rows: pd.DataFrame, warehouse: Warehouse, models: list[TrainedModel]
) -> None:
    score(mart, store, run_id="run-1")
    crown(warehouse, "screening", rows.head(60), version=2)
    score(mart, store, run_id="run-2")
    told = select(
        mart,
        """
        select model_version, model_reason, policy_reason, feature_set_version, jsonb_array_length(reasons), said_until
        from ml.status_history
        where household_id = 'HH-000001' and track = 'screening'
        order by said_from
        """,
    )
    first, second = told
    assert [row[0] for row in told] == [1, 2]
    assert first[1:4] == ("made by hand", "One cut for all districts, until a quota is decided.", first[3])
    assert (first[5] is None, second[5]) == (False, None)


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


def test_a_challenger_says_beside_the_champion_what_it_thinks(
    warehouse: Warehouse, store: LocalStore, rows: pd.DataFrame, models: list[TrainedModel]
) -> None:
    database = warehouse.database
    crown(warehouse, "screening", rows.head(60), version=2)
    with database.transaction() as connection:
        record_event(connection, models[0], "rolled_back", actor="ada", reason="try it first", run_id="manual")
    summary = score(database, store, run_id="run-1", with_challengers=True)
    assert [(track.track, track.role, track.model_version) for track in summary.tracks] == [
        ("screening", "champion", 1),
        ("assessment", "champion", 1),
        ("screening", "challenger", 2),
    ]
    query = "select model_role, count(*) from ml.predictions where track = 'screening' group by 1 order by 1"
    assert select(database, query) == [("challenger", 120), ("champion", 120)]
    assert select(database, "select count(*) from ml.current_predictions where track = 'screening'") == [(120,)]


def test_thresholds_are_the_policys(mart: Database, store: LocalStore, models: list[TrainedModel]) -> None:
    with mart.transaction() as connection:
        connection.execute(
            "insert into ml.policies (track, default_threshold, thresholds, actor, reason)"
            " values ('screening', 0.4, '{\"Kanungu\": 0.2}', 'ada', 'fairness')"
        )
    score(mart, store, run_id="run-1")
    used = "select distinct threshold, policy_version from ml.predictions where track = 'screening' order by 1"
    assert select(mart, used) == [(0.2, 2), (0.4, 2)]


def test_refuses_a_model_that_is_not_what_was_registered(
    mart: Database, store: LocalStore, models: list[TrainedModel]
) -> None:
    with store.get(models[0].object_key) as file:
        content = bytearray(file.read())
    content[-1] ^= 1
    store.put(models[0].object_key, io.BytesIO(content), "application/octet-stream")
    with pytest.raises(IntegrityError, match="checksum differs"):
        load_model(store, models[0])
    with pytest.raises(IntegrityError):
        score(mart, store, run_id="run-1")
    assert predictions(mart) == []


def test_refuses_features_of_another_making(mart: Database, store: LocalStore, models: list[TrainedModel]) -> None:
    make_features_function(mart, "select 2")
    with pytest.raises(IntegrityError, match="other SQL") as caught:
        score(mart, store, run_id="run-1")
    assert caught.value.error_code == "ml.other_feature_set"


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


@pytest.mark.parametrize("change", ["update ml.model_events set reason = ''", "delete from ml.policies"])
def test_what_is_append_only_stays(mart: Database, models: list[TrainedModel], change: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"), mart.transaction() as connection:
        connection.execute(change.encode())


def test_every_column_says_what_it_holds(database: Database) -> None:
    undescribed = select(
        database,
        """
        select attrelid::regclass::text, attname
        from pg_attribute
        where attrelid in (select oid from pg_class where relnamespace = 'ml'::regnamespace and relkind = 'r')
            and attnum > 0 and col_description(attrelid, attnum) is null
        """,
    )
    assert undescribed == []
