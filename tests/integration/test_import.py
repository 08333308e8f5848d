"""A pipeline that was trained elsewhere becomes a challenger like ours."""

import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ml.artifacts import load_model
from ml.catalogue import TrainedModel
from ml.features import TARGET, load_features
from ml.foreign.contents import look_into
from ml.foreign.importing import import_pipeline
from ml.foreign.score import PipelineScore
from ml.promotion.consider import consider
from ml.promotion.events import read_events
from ml.rows import as_records
from orchestration.context import Warehouse
from tests.dbt_manifests import write_manifest
from tests.ml_rows import make_rows, write_mart
from warehouse.errors import IntegrityError, TrainingError

NUMBERS, CATEGORIES = ["phones_owned", "radios_owned"], ["head_sex"]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return make_rows(households=300, villages=12)


@pytest.fixture(scope="module")
def ready(module_warehouse: Warehouse, rows: pd.DataFrame) -> Warehouse:
    """A warehouse with a feature mart."""
    write_mart(module_warehouse.database, rows)
    return module_warehouse


def fitted(rows: pd.DataFrame, *, numbers: list[str] = NUMBERS, unknown: str = "ignore") -> Pipeline:
    encode = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(handle_unknown=unknown)
    )
    prepare = make_column_transformer((SimpleImputer(), numbers), (encode, CATEGORIES))
    columns, target = rows[numbers + CATEGORIES], rows[TARGET].astype(int)
    return make_pipeline(prepare, LogisticRegression(max_iter=500)).fit(columns, target)


def take_in(warehouse: Warehouse, folder: Path, pipeline: Any) -> TrainedModel:
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer)
    content = buffer.getvalue()
    manifest = write_manifest(folder / "manifest.json", [feature.name for feature in load_features()])
    return import_pipeline(
        warehouse.database,
        warehouse.store,
        content,
        look_into(content),
        track="screening",
        manifest=manifest,
        actor="ada",
    )


def test_it_is_judged_registered_and_says_what_it_said(ready: Warehouse, tmp_path: Path, rows: pd.DataFrame) -> None:
    pipeline = fitted(rows)
    model = take_in(ready, tmp_path, pipeline)
    assert (model.artifact_kind, model.algorithm, model.metadata["parity"]) == ("skops", "LogisticRegression", 0.0)
    assert 0.5 < model.metrics["overall"]["auc"] < 0.9
    with ready.database.transaction() as connection:
        event = read_events(connection, "screening")[-1]
    assert (event.event, event.actor) == ("imported", "ada")
    loaded = load_model(ready.store, model)
    predictions = loaded.predict(loaded.encode(as_records(rows, loaded.feature_names)))
    order = np.argsort(pipeline.decision_function(rows[NUMBERS + CATEGORIES]))
    assert (np.diff(predictions.probability[order]) >= 0).all()
    strongest = predictions.reason_features[:, 0]
    assert {loaded.feature_names[place] for place in strongest[strongest >= 0]} <= {*NUMBERS, *CATEGORIES}
    assert consider(ready.database, ready.store, model, actor="ada").is_promoted


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda rows: fitted(rows, numbers=["phones_owned", "seasonal_crop_income"]),
            "does not see: seasonal_crop_income",
        ),
        (lambda rows: fitted(rows, unknown="error"), "cannot take values that are missing or new"),
        (lambda rows: fitted(rows.assign(**{TARGET: 1 - rows[TARGET]})), "ranks our households worse"),
        (lambda rows: make_pipeline(SimpleImputer(), Ridge()).fit(rows[NUMBERS], rows[TARGET]), "no fitted pipeline"),
        (lambda rows: {"pipeline": fitted(rows)}, "no fitted pipeline"),
        (lambda rows: make_pipeline(LogisticRegression()).fit(np.ones((2, 1)), [0, 1]), "not fitted on named columns"),
    ],
    ids=["component", "unknown", "reversed", "regression", "dictionary", "nameless"],
)
def test_what_cannot_be_scored_with_is_refused(
    ready: Warehouse, tmp_path: Path, rows: pd.DataFrame, make: Any, said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        take_in(ready, tmp_path, make(rows))


def test_what_is_not_on_our_list_is_not_loaded(
    ready: Warehouse, tmp_path: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is in the code: an artifact cannot vouch for itself."""
    model = take_in(ready, tmp_path, fitted(rows))
    score = load_model(ready.store, model).score
    assert isinstance(score, PipelineScore)
    monkeypatch.setattr("ml.foreign.score.TRUSTED", ())
    with pytest.raises(IntegrityError, match=r"numpy\.dtype"):
        PipelineScore.from_dict(score.to_dict())
