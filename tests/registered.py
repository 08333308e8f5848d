"""Models that are registered without a training, for tests of what becomes of them."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ml.artifacts import write_document
from ml.catalogue import TrainedModel
from ml.evaluation import Evaluation, Measure
from ml.features import INCOME, TARGET, feature_set_version
from ml.registry import Draft, register
from ml.tracks import Track
from ml.watching.reference import Reference
from orchestration.context import Warehouse
from tests.dbt_schemas import give_to_dbt
from tests.online_models import make_model
from warehouse.database import Database

SIGNAL = "phones_owned"
DISTRICTS = ("Kanungu", "Mitooma")
MEASURES = (
    Measure("village", "all", "all", "auc", 0.79, 0.76, 0.81),
    Measure("village", "all", "all", "accuracy", 0.72, 0.70, 0.74),
    Measure("village", "all", "all", "calibration_error", 0.02, None, None),
    Measure("village", "district", "King's Town", "exclusion_error", 0.4, 0.3, 0.5),
    Measure("district", "all", "all", "auc", 0.72, 0.68, 0.76),
)


def make_features_function(database: Database, text: str = "select 1") -> None:
    """Stand in for the function that dbt makes: what it says decides the version of the features."""
    with database.transaction() as connection:
        connection.execute("drop function if exists features.household_features")
        signature = "features.household_features(surveys jsonb) returns integer"
        connection.execute(f"create function {signature} language sql as '{text}'".encode())
        give_to_dbt(connection)


def make_scored_rows(noise: float, *, seed: int = 1, households: int = 1_200) -> pd.DataFrame:
    """Labelled rows with calibrated probabilities, the better the less noise there is; the need is always the same."""
    need = np.random.default_rng(0).standard_normal(households)
    signal = need + noise * np.random.default_rng(seed).standard_normal(households)
    village = np.arange(households) // 20
    return pd.DataFrame(
        {
            "household_id": [f"HH-{number}" for number in range(households)],
            "submission_id": [f"submission-{number}" for number in range(households)],
            "district": np.array(DISTRICTS)[village % len(DISTRICTS)],
            "village": village.astype(str),
            TARGET: (need > 0).astype(float),
            INCOME: np.where(need > 0, 1.0, 3.0),
            SIGNAL: signal,
            "probability": ndtr(signal / noise / np.sqrt(1 + noise**2)),
        }
    )


def register_model(warehouse: Warehouse, rows: pd.DataFrame, *, track: Track = "screening") -> TrainedModel:
    """Register a model of one feature, with its rows and what it says of them out of fold."""
    draft = Draft(
        track=track,
        algorithm="logistic_regression",
        feature_names=[SIGNAL],
        training_fingerprint="by hand",
        feature_set_version=feature_set_version(warehouse.database),
        document=write_document(make_model(track, {SIGNAL: 1.0})),
        artifact_kind="terms",
        metrics={},
        metadata={"parity": 0.0, "training_seconds": 1.5, "git_revision": "abc"},
        evaluation=Evaluation(MEASURES),
        reference=Reference({}, ()),
        rows=rows,
        report=lambda version: f"<p>version {version}</p>",
        run_id="test",
    )
    return register(warehouse.database, warehouse.store, draft, actor="test")
