"""Training a registered model again, from the rows and the settings that were kept, and comparing every number."""

from collections.abc import Iterator
from typing import Any

import orjson

from ml.artifacts import load_rows, read_checked, write_document
from ml.candidates import compile_model
from ml.catalogue import TrainedModel
from ml.evaluation import Judged
from ml.features import load_features
from ml.fitting import fit_calibrated
from ml.leakage import track_features
from ml.models import ALGORITHMS
from ml.recipe import Recipe, library_versions
from ml.threads import one_thread
from warehouse.errors import ConflictError, IntegrityError
from warehouse.stores import ObjectStore

TOLERANCE = 1e-8


def replay(store: ObjectStore, model: TrainedModel) -> float:
    """Train a model again; the largest difference between a number of it and the registered one.

    Raises:
        ConflictError: it was trained by code of another kind: an earlier Kyalo's, somebody else's, or with other
            settings to choose from (ml.not_replayable).
        IntegrityError: what was kept is not what was registered, or the new model is another (ml.replay_differs).
    """
    algorithm = next((name for name in ALGORITHMS if name == model.algorithm), None)
    if algorithm is None or model.artifact_kind != "terms":
        raise _not_replayable(model, "it was not trained by this Kyalo")
    rows = load_rows(store, model)
    recipe = Recipe.of(model.track, track_features(model.track, load_features()))
    if recipe.fingerprint(rows) != model.training_fingerprint:
        trained_with = model.metadata["libraries"]
        raise _not_replayable(
            model, f"features, settings or libraries are others now ({trained_with} then, {library_versions()} now)"
        )
    with one_thread():
        fitted = fit_calibrated(recipe, algorithm, rows)
    judged = Judged("village", rows["probability"].to_numpy())
    again = orjson.loads(write_document(compile_model(recipe, fitted, rows, judged)))
    difference = max(_differences(orjson.loads(read_checked(store, model)), again), default=0.0)
    if difference > TOLERANCE:
        raise IntegrityError(
            f"{model.model_name} version {model.model_version}, trained again, is another: a number differs by "
            f"{difference:.3g}.",
            code="ml.replay_differs",
            remedy="Compare the machine and the libraries with the model's metadata: kyalo models show.",
        )
    return difference


def _differences(first: Any, second: Any) -> Iterator[float]:
    """The distance of each number from its counterpart; infinite where the two have no counterpart."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        for name in first:
            yield from _differences(first[name], second[name])
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for one, other in zip(first, second, strict=True):
            yield from _differences(one, other)
    elif isinstance(first, float | int) and isinstance(second, float | int):
        yield abs(first - second)
    else:
        yield 0.0 if first == second else float("inf")


def _not_replayable(model: TrainedModel, why: str) -> ConflictError:
    return ConflictError(
        f"{model.model_name} version {model.model_version} cannot be trained again: {why}.",
        code="ml.not_replayable",
        remedy="Check out the revision that `kyalo models show` names, and install its locked libraries.",
    )
