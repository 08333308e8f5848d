"""Training: from the labelled rows of the feature mart to a registered model for each track."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pandas as pd

from ml.candidates import fit_track
from ml.catalogue import TrainedModel, list_models
from ml.describing import describe
from ml.features import MART_FILE, feature_set_version, load_features, read_rows
from ml.leakage import guard_against_leaks, read_lineage, track_features
from ml.provenance import describe_origin
from ml.recipe import Recipe
from ml.registry import is_intact, register
from ml.tracks import TRACKS, Track
from warehouse.database import Database
from warehouse.stores import ObjectStore

# Beyond it a model learns little more and a training takes hours: whole villages are drawn, the same ones each time.
MOST_HOUSEHOLDS = 20_000


@dataclass(frozen=True)
class Training:
    """A model of a track, and whether it was made just now."""

    model: TrainedModel
    is_new: bool


def train(
    database: Database,
    store: ObjectStore,
    *,
    run_id: str,
    manifest: Path,
    actor: str = "kyalo",
    tracks: Sequence[Track] = TRACKS,
    mart_file: Path = MART_FILE,
) -> list[Training]:
    """Train, evaluate and register a model for each track; promotion is the gate's.

    A track whose newest model was made of the same rows by the same recipe keeps it: training is deterministic, so
    another version would be a copy.

    Args:
        database: the warehouse, with the feature mart built.
        store: where the models are kept.
        run_id: the run that is recorded with a new model.
        manifest: dbt's manifest of the build that made the mart: it tells where each column comes from.
        actor: who trains.
        tracks: the tracks to train.
        mart_file: the mart's definition.

    Returns:
        The newest model of each track, in the order of `tracks`.

    Raises:
        LeakError: a feature knows its track's target; nothing is fitted.
        TrainingError: the rows are too few to train on honestly.
        NotFoundError: the mart is not built.
    """
    features = load_features(mart_file)
    recipes = [Recipe.of(track, track_features(track, features)) for track in tracks]
    chunks = read_rows(database, features, labelled_only=True, most_rows=MOST_HOUSEHOLDS)
    rows = pd.concat(chunks, ignore_index=True)
    made_by = feature_set_version(database)
    origin = cache(partial(describe_origin, manifest))
    trainings = []
    for recipe in recipes:
        newest = next(iter(list_models(database, recipe.track)), None)
        if newest and _is_same(store, newest, recipe.fingerprint(rows), made_by):
            trainings.append(Training(newest, is_new=False))
            continue
        guard_against_leaks(recipe.track, recipe.features, rows, partial(read_lineage, manifest))
        started = time.perf_counter()
        trained = fit_track(recipe, rows)
        seconds = {"training_seconds": round(time.perf_counter() - started, 3)}
        draft = describe(trained, run_id, made_by, origin() | seconds)
        trainings.append(Training(register(database, store, draft, actor=actor), is_new=True))
    return trainings


def _is_same(store: ObjectStore, model: TrainedModel, fingerprint: str, made_by: str) -> bool:
    is_same = (model.training_fingerprint, model.feature_set_version) == (fingerprint, made_by)
    return is_same and is_intact(store, model)
