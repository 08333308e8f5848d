"""Training: from the labelled rows of the feature mart to a registered model for each track."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from ml.catalogue import TrainedModel, champions
from ml.evaluate import Evaluation, evaluate_by_district, evaluate_by_village, target_of
from ml.features import MART_FILE, load_features, read_rows
from ml.leakage import track_features
from ml.models import ALGORITHMS, SEED, Algorithm, one_thread
from ml.recipe import Recipe, library_versions
from ml.registry import Draft, is_intact, register
from ml.selection import RULE, choose
from ml.tracks import TRACKS, Track
from warehouse.database import Database
from warehouse.stores import ObjectStore

MEANING: dict[Track, str] = {
    "screening": "A prediction from non-monetary indicators.",
    "assessment": "Arithmetic, no prediction: the target is a sum of what this track sees.",
}


def train(
    database: Database,
    store: ObjectStore,
    *,
    run_id: str,
    tracks: Sequence[Track] = TRACKS,
    mart_file: Path = MART_FILE,
) -> list[TrainedModel]:
    """Train, evaluate and register a model for each track.

    A track whose champion was made of the same rows by the same recipe keeps it: training is deterministic,
    so another version would be a copy.

    Args:
        database: the warehouse, with the feature mart built.
        store: where the fitted pipelines are kept.
        run_id: the run that is recorded with a new model.
        tracks: the tracks to train.
        mart_file: the mart's definition.

    Returns:
        The champion of each track, in the order of `tracks`.

    Raises:
        LeakError: a track would see its own target; nothing is fitted.
        TrainingError: the rows are too few to train on honestly.
        NotFoundError: the mart is not built.
    """
    features = load_features(mart_file)
    recipes = [Recipe(track, track_features(track, features)) for track in tracks]
    rows = pd.concat(read_rows(database, features, labelled_only=True), ignore_index=True)
    present = champions(database)
    models = []
    for recipe in recipes:
        champion = present.get(recipe.track)
        if champion and champion.training_fingerprint == recipe.fingerprint(rows) and is_intact(store, champion):
            models.append(champion)
        else:
            draft, pipeline = fit_champion(recipe, rows, run_id)
            models.append(register(database, store, draft, pipeline))
    return models


def fit_champion(recipe: Recipe, rows: pd.DataFrame, run_id: str) -> tuple[Draft, Pipeline]:
    """Evaluate all candidates, choose one and fit it to all the rows."""
    started = time.perf_counter()
    with one_thread():
        evaluations = {name: evaluate_by_village(recipe.build(name), rows) for name in ALGORITHMS}
        chosen = choose(evaluations)
        pipeline = recipe.build(chosen)
        new_district = evaluate_by_district(pipeline, rows)
        pipeline.fit(rows, target_of(rows))
    draft = Draft(
        track=recipe.track,
        algorithm=chosen,
        feature_names=recipe.feature_names,
        training_fingerprint=recipe.fingerprint(rows),
        metrics=_metrics(chosen, evaluations, new_district),
        metadata=_metadata(recipe, rows, time.perf_counter() - started),
        run_id=run_id,
    )
    return draft, pipeline


def _metrics(
    chosen: Algorithm, evaluations: Mapping[Algorithm, Evaluation], new_district: Evaluation | None
) -> dict[str, Any]:
    """The chosen model's scores first, then every candidate's."""
    return {
        **asdict(evaluations[chosen]),
        "new_district": asdict(new_district) if new_district else None,
        "candidates": {name: asdict(evaluation) for name, evaluation in evaluations.items()},
    }


def _metadata(recipe: Recipe, rows: pd.DataFrame, seconds: float) -> dict[str, Any]:
    return {
        "meaning": MEANING[recipe.track],
        "rule": RULE,
        "seed": SEED,
        "training_rows": len(rows),
        "training_rows_sha256": recipe.hash_rows(rows),
        "training_seconds": round(seconds, 3),
        "python": platform.python_version(),
        "libraries": library_versions(),
    }
