"""Drift, performance and the reasons to train anew, on a real database."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ml.features import TARGET, load_features
from ml.leakage import track_features
from ml.watching.bins import find_bins
from ml.watching.drift import DriftCheck, check_drift
from ml.watching.limits import stability_index
from ml.watching.performance import check_performance
from ml.watching.reference import Reference, make_reference, store_reference
from ml.watching.triggers import RetrainingCheck, check_triggers
from tests.ml_rows import make_rows, write_mart
from warehouse.database import Database
from warehouse.settings import Settings

FEATURES = track_features("screening", load_features())
TRAINED, BATCH = 1_500, 1_000
MODEL = "vulnerability_screening"
FEATURE_SET = "0123456789abcdef"
SETTINGS = Settings(_env_file=None)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Labelled rows of 100 villages: those of the first 60 are trained on."""
    rows = make_rows(households=TRAINED + BATCH, villages=100)
    rows["cluster"] = "1"
    return rows.assign(is_trained=rows.index % 100 < 60)


@pytest.fixture(scope="module")
def probability(rows: pd.DataFrame) -> pd.Series:
    """What a model that knows little says: a calibrated guess by assets."""
    ranks = rows["assets_usd"].rank(pct=True)
    return (0.45 + 0.8 * (0.5 - ranks)).clip(0.05, 0.95)


@pytest.fixture(scope="module")
def reference(rows: pd.DataFrame, probability: pd.Series) -> Reference:
    """The reference of a model of the trained rows."""
    trained = rows["is_trained"]
    return make_reference(FEATURES, rows[trained].reset_index(drop=True), probability[trained].to_numpy())


@pytest.fixture
def watched(database: Database, rows: pd.DataFrame, reference: Reference) -> Database:
    """A database with a champion of the trained rows."""
    with database.transaction() as connection:
        connection.execute(
            """
            insert into ml.models (
                model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
                training_fingerprint, metrics, metadata, run_id, artifact_kind, feature_set_version
            )
            values (%s, 1, 'screening', 'logistic_regression', 'key', repeat('0', 64), 1, array['x'], 'f', '{}',
                '{}', 'run-0', 'terms', %s)
            """,
            [MODEL, FEATURE_SET],
        )
        connection.execute(
            "insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)"
            " values ('screening', %s, 1, 'promoted', 'kyalo', 'The first.', 'run-0')",
            [MODEL],
        )
        connection.execute(
            "insert into ml.evaluations values (%s, 1, 'village', 'all', 'all', 'accuracy', 0.7, 0.68, 0.72)",
            [MODEL],
        )
        store_reference(connection, MODEL, 1, reference)
        connection.execute(
            "insert into ml.training_rows select %s, 1, unnest(%s::text[])",
            [MODEL, rows.loc[rows["is_trained"], "submission_id"].tolist()],
        )
    return database


def predict(database: Database, rows: pd.DataFrame, probability: pd.Series, run_id: str) -> None:
    """What scoring writes for these rows."""
    columns = ["household_id", "survey_round", "submission_id", "is_trained"]
    with database.transaction() as connection:
        connection.execute(
            """
            insert into ml.predictions (
                household_id, survey_round, submission_id, is_training_row, probability, track, prediction, confidence,
                risk_category, model_name, model_version, run_id, model_role, threshold, reasons
            )
            select scored.*, 'screening', 1, 0.5, 'low', %s, 1, %s, 'champion', 0.5, '[]'
            from unnest(%s::text[], %s::text[], %s::text[], %s::boolean[], %s::double precision[]) as scored
            """,
            [MODEL, run_id, *(rows[name].tolist() for name in columns), probability[rows.index].tolist()],
        )


def select(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return connection.execute(query.encode()).fetchall()


def drift(database: Database, rows: pd.DataFrame, probability: pd.Series, **changed: Any) -> dict[str, DriftCheck]:
    """The checks by feature of a run that scores the new rows, with some columns changed."""
    batch = rows[~rows["is_trained"]].assign(**changed)
    write_mart(database, batch)
    predict(database, batch, probability, "run-1")
    return {check.feature: check for check in check_drift(database, "run-1")}


def drifted(checks: Mapping[str, DriftCheck]) -> set[str]:
    return {feature for feature, check in checks.items() if check.has_drifted}


def test_the_warehouse_bins_as_the_training_did(
    watched: Database, rows: pd.DataFrame, probability: pd.Series, reference: Reference
) -> None:
    batch = rows[~rows["is_trained"]].copy()
    odd = {"minutes_to_water": [np.nan, -5.0, 1e300], "phones_owned": [np.nan, 0.5, 99.0]}
    for name, values in odd.items():
        batch.loc[batch.index[:3], name] = values
    batch.loc[batch.index[:3], "head_literate"] = [np.nan, 1.0, 0.0]
    batch.loc[batch.index[:4], "wall_material"] = [None, "100 % mud", "a,b", "{}"]
    checks = drift(watched, batch, probability)
    assert set(checks) == {feature.name for feature in FEATURES} | {"score"}
    for feature, bins in reference.bins.items():
        values = probability[batch.index] if feature == "score" else batch[feature]
        counts = np.bincount(find_bins(values, [bin_ for bin_, _ in bins]), minlength=len(bins))
        expected = stability_index(np.array([share for _, share in bins]), counts / BATCH)
        assert checks[feature].psi == pytest.approx(float(expected), abs=1e-12), feature
        assert checks[feature].households == BATCH


@pytest.mark.parametrize("value", [np.nan, "Infinity", "-Infinity", "NaN"])
def test_what_is_no_number_is_missing(
    watched: Database, rows: pd.DataFrame, probability: pd.Series, value: float | str
) -> None:
    checks = drift(watched, rows, probability, minutes_to_water=value)
    ranges = stability_index(np.full(10, 0.1), np.zeros(10)) + stability_index(np.zeros(1), np.ones(1))
    assert checks["minutes_to_water"].psi == pytest.approx(float(ranges), rel=0.01)
    assert drifted(checks) == {"minutes_to_water"}


def test_villages_like_those_of_the_training_do_not_drift(
    watched: Database, rows: pd.DataFrame, probability: pd.Series
) -> None:
    checks = drift(watched, rows, probability)
    assert drifted(checks) == set()
    assert len(checks) == len(FEATURES) + 1


def test_a_shift_is_found(watched: Database, rows: pd.DataFrame, probability: pd.Series) -> None:
    shifted = rows["minutes_to_water"] + rows["minutes_to_water"].std() / 2
    assert drifted(drift(watched, rows, probability, minutes_to_water=shifted)) == {"minutes_to_water"}


def test_a_burst_of_missing_values_is_found(watched: Database, rows: pd.DataFrame, probability: pd.Series) -> None:
    burst = rows["head_sex"].mask(rows.index % 10 < 3)
    assert drifted(drift(watched, rows, probability, head_sex=burst)) == {"head_sex"}


def test_other_scores_are_found(watched: Database, rows: pd.DataFrame, probability: pd.Series) -> None:
    assert drifted(drift(watched, rows, (probability + 0.1).clip(0, 1))) == {"score"}


def test_few_households_are_judged_with_those_before(
    watched: Database, rows: pd.DataFrame, probability: pd.Series
) -> None:
    batch = rows[~rows["is_trained"]].assign(minutes_to_water=9_999.0)
    write_mart(watched, batch)
    predict(watched, batch.head(300), probability, "run-1")
    (few,) = [check for check in check_drift(watched, "run-1") if check.feature == "minutes_to_water"]
    assert (few.households, few.has_drifted) == (300, False)
    assert few.psi > few.psi_limit
    predict(watched, batch.iloc[300:600], probability, "run-2")
    (enough,) = [check for check in check_drift(watched, "run-2") if check.feature == "minutes_to_water"]
    assert (enough.households, enough.has_drifted) == (500, True)
    assert select(watched, "select run_id, count(*) from ml.drift_checks where not has_drifted group by 1") == [
        ("run-1", len(FEATURES) + 1),
        ("run-2", len(FEATURES)),
    ]


def test_training_rows_and_old_scores_are_no_news(
    watched: Database, rows: pd.DataFrame, probability: pd.Series
) -> None:
    write_mart(watched, rows)
    predict(watched, rows[rows["is_trained"]], probability, "run-1")
    assert check_drift(watched, "run-1") == check_performance(watched, "run-1") == []
    predict(watched, rows[~rows["is_trained"]], probability, "run-1")
    assert {check.households for check in check_drift(watched, "run-1")} == {BATCH}
    assert {check.households for check in check_performance(watched, "run-1")} == {BATCH}
    assert check_drift(watched, "run-2") == []
    assert [check.kind for check in check_performance(watched, "run-2")] == ["real"]


def test_performance_is_expected_and_then_real(watched: Database, rows: pd.DataFrame, probability: pd.Series) -> None:
    batch = rows[~rows["is_trained"]]
    write_mart(watched, batch.assign(**{TARGET: np.nan}))
    predict(watched, batch, probability, "run-1")
    (expected,) = check_performance(watched, "run-1")
    score = probability[batch.index].to_numpy()
    assert expected.kind == "expected"
    assert expected.accuracy == pytest.approx(np.maximum(score, 1 - score).mean())
    assert expected.auc == pytest.approx(expected_area(score))
    write_mart(watched, batch.assign(submission_id="anew-" + batch["submission_id"]))
    (real,) = check_performance(watched, "run-2")
    target = batch[TARGET].to_numpy()
    right = ((score >= 0.5) == target).astype(float)
    assert (real.kind, real.households) == ("real", BATCH)
    assert real.accuracy == pytest.approx(right.mean())
    assert real.auc == pytest.approx(roc_auc_score(target, score))
    residuals = pd.Series(right - right.mean()).groupby(batch["village"].to_numpy()).sum()
    error = np.sqrt((residuals**2).sum() * len(residuals) / (len(residuals) - 1)) / BATCH
    assert real.upper_bound == pytest.approx(real.accuracy + 1.96 * error)
    assert expected.lower_bound is not None
    assert expected.lower_bound < real.accuracy < (expected.upper_bound or 0)
    assert select(watched, "select kind, households from ml.performance_checks") == [
        ("expected", BATCH),
        ("real", BATCH),
    ]


def test_a_household_that_was_trained_on_proves_nothing_when_surveyed_anew(
    watched: Database, rows: pd.DataFrame, probability: pd.Series
) -> None:
    learnt = rows[rows["is_trained"]]
    predict(watched, learnt, probability, "run-1")
    anew = learnt.assign(submission_id="anew-" + learnt["submission_id"], is_trained=False)
    with watched.transaction() as connection:
        connection.execute("update ml.predictions set superseded_at = now()")
    predict(watched, anew, probability, "run-2")
    write_mart(watched, anew)
    assert [check.kind for check in check_performance(watched, "run-2")] == ["expected"]


def expected_area(score: np.ndarray) -> float:
    """The area under the ROC curve that calibrated scores let expect, pair by pair."""
    pairs = np.outer(score, 1 - score)
    np.fill_diagonal(pairs, 0)
    won = (score[:, None] > score) + (score[:, None] == score) / 2
    return float((pairs * won).sum() / pairs.sum())


def triggers(database: Database, feature_set: str = FEATURE_SET, **settings: Any) -> dict[str, RetrainingCheck]:
    changed = SETTINGS.model_copy(update=settings)
    found = check_triggers(database, changed, run_id="run-9", feature_set_version=feature_set, tracks=["screening"])
    return {check.trigger: check for check in found}


def fired(checks: Mapping[str, RetrainingCheck]) -> set[str]:
    return {trigger for trigger, check in checks.items() if check.has_fired}


def test_every_look_is_kept_and_nothing_new_fires_nothing(watched: Database, rows: pd.DataFrame) -> None:
    write_mart(watched, rows[rows["is_trained"]])
    assert fired(triggers(watched)) == set()
    assert select(watched, "select count(*), count(distinct trigger) from ml.retraining_checks") == [(7, 7)]
    assert fired(triggers(watched, feature_set="of-another-making")) == {"feature_set"}


def test_a_track_without_a_model_needs_one(database: Database, rows: pd.DataFrame) -> None:
    write_mart(database, rows)
    assert fired(triggers(database)) == {"no_model"}


def test_new_incomes_fire(watched: Database, rows: pd.DataFrame) -> None:
    write_mart(watched, rows)
    checks = triggers(watched)
    assert fired(checks) == {"volume"}
    assert (checks["volume"].observed, checks["volume"].limit_value) == (BATCH, 250)
    assert checks["volume"].detail == "1,000 new incomes and 40 new villages; 250 and 15 are wanted."
    assert fired(triggers(watched, min_new_villages=41)) == set()
    assert fired(triggers(watched, min_new_share=0.7)) == set()
    assert fired(triggers(watched, min_new_samples=BATCH + 1)) == set()


def test_a_new_round_in_the_same_villages_is_new(watched: Database, rows: pd.DataFrame) -> None:
    learnt = rows[rows["is_trained"]]
    again = learnt.assign(survey_round="2025", submission_id="anew-" + learnt["submission_id"])
    write_mart(watched, pd.concat([learnt, again]))
    assert fired(triggers(watched)) == {"volume"}


def test_a_new_district_fires(watched: Database, rows: pd.DataFrame) -> None:
    write_mart(watched, rows.assign(district=rows["district"].where(rows["is_trained"], "Kitgum")))
    checks = triggers(watched, min_new_villages=99)
    assert fired(checks) == {"new_district"}
    assert checks["new_district"].detail == ("Kitgum has incomes of 40 villages, fewer than 10 at the newest training.")
    assert fired(triggers(watched, min_new_villages=99, min_district_villages=41)) == set()


def test_drift_fires_once_there_are_incomes_to_learn_from(
    watched: Database, rows: pd.DataFrame, probability: pd.Series
) -> None:
    drift(watched, rows, probability, minutes_to_water=9_999.0, **{TARGET: np.nan})
    checks = triggers(watched, min_new_villages=99)
    assert fired(checks) == set()
    assert checks["drift"].detail == (
        "1 of the last 1 checks found drift: minutes_to_water. It waits for 250 new incomes: 0 have come."
    )
    write_mart(watched, rows)
    assert fired(triggers(watched, min_new_villages=99)) == {"drift"}
    assert fired(triggers(watched, min_new_villages=99, drift_checks=2)) == set()


def test_lost_accuracy_fires(watched: Database, rows: pd.DataFrame, probability: pd.Series) -> None:
    turned = rows[TARGET].where(rows["is_trained"], 1 - rows[TARGET])
    write_mart(watched, rows.assign(**{TARGET: turned}))
    predict(watched, rows[~rows["is_trained"]], probability, "run-1")
    check_performance(watched, "run-1")
    checks = triggers(watched, min_new_villages=99)
    assert fired(checks) == {"performance"}
    assert (checks["performance"].observed or 1) < 0.7
    assert fired(triggers(watched, min_new_villages=99, performance_threshold=0.1)) == set()


def test_age_fires(watched: Database, rows: pd.DataFrame) -> None:
    write_mart(watched, rows)
    with watched.transaction() as connection:
        connection.execute("update ml.models set trained_at = now() - interval '366 days'")
    assert fired(triggers(watched, min_new_villages=99)) == {"schedule"}
