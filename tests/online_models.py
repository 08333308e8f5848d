"""Champions made by hand, or fitted in a second, for tests that need one at once and not a training."""

import io
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from psycopg.types.json import Jsonb

from ml import features
from ml.artifacts import write_document
from ml.calibration import Calibration, Sigmoid
from ml.catalogue import STATEMENTS
from ml.compiling import compile_score, read_encoding
from ml.conformal import Conformal
from ml.encoding import Encoding
from ml.linear import LinearScore
from ml.model import Model
from ml.models import GRIDS, Algorithm, build_pipeline, fit
from ml.tracks import Track
from orchestration.context import Warehouse


def make_model(track: Track, weights: Mapping[str, float]) -> Model:
    """A linear model: the log odds of being vulnerable are the sum of weight x feature, a missing one counts as 0."""
    count = len(weights)
    return Model(
        track=track,
        encoding=Encoding(list(weights), {}),
        score=LinearScore(
            owners=np.arange(count),
            features=count,
            weights=np.array(list(weights.values())),
            centres=np.zeros(count),
            replacements=np.zeros(count),
            base=0.0,
        ),
        calibration=Calibration(Sigmoid(0.0, 1.0), Sigmoid(0.0, 1.0), Sigmoid(0.0, 1.0)),
        conformal=Conformal(0.9, vulnerable_from=0.3, not_vulnerable_to=0.6),
    )


def fit_model(track: Track, algorithm: Algorithm, rows: pd.DataFrame) -> Model:
    """A model of all features of a track, fitted once with the first settings and calibrated by nothing."""
    seen = [feature for feature in features.load_features() if track in feature.tracks]
    pipeline = fit(build_pipeline(algorithm, GRIDS[track][algorithm][0], seen), rows)
    encoding = read_encoding(pipeline, [feature.name for feature in seen])
    return replace(make_model(track, {}), encoding=encoding, score=compile_score(pipeline, encoding))


def promote(warehouse: Warehouse, model: Model, version: int, *, feature_set_version: str | None = None) -> None:
    """Register a model and make it the champion; trained on features of today's making unless said otherwise."""
    name, document = f"vulnerability_{model.track}", write_document(model)
    stored = warehouse.store.put(f"models/{name}/{version}/model.json", io.BytesIO(document), "application/json")
    with warehouse.database.transaction() as connection:
        values = {
            "track": model.track,
            "model_name": name,
            "model_version": version,
            "algorithm": "logistic_regression",
            "object_key": stored.key,
            "sha256": stored.sha256,
            "size_bytes": stored.size_bytes,
            "feature_names": model.feature_names,
            "training_fingerprint": "by hand",
            "feature_set_version": feature_set_version or features.feature_set_version(warehouse.database),
            "artifact_kind": "terms",
            "metrics": Jsonb({}),
            "metadata": Jsonb({}),
            "run_id": "test",
        }
        connection.execute(STATEMENTS["insert_model"], values)
        event = {"event": "promoted", "actor": "test", "reason": "made by hand", "details": Jsonb({})}
        connection.execute(STATEMENTS["insert_event"], values | event)
