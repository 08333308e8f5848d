"""A pipeline that was trained elsewhere, as a challenger: trusted, checked, judged in our folds, registered."""

import io
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from ml.catalogue import TrainedModel
from ml.describing import describe
from ml.features import Feature, feature_set_version, load_features, read_rows
from ml.foreign.contents import Contents
from ml.foreign.judging import columns_of, judge_pipeline, unusable
from ml.leakage import guard_against_leaks, read_lineage, track_features
from ml.promotion.events import OUTSIDE_RUNS
from ml.provenance import describe_origin
from ml.recipe import Recipe
from ml.registry import register
from ml.tracks import Track
from ml.train import MOST_HOUSEHOLDS
from warehouse.database import Database
from warehouse.errors import TrainingError
from warehouse.stores import ObjectStore


def import_pipeline(
    database: Database,
    store: ObjectStore,
    content: bytes,
    contents: Contents,
    *,
    track: Track,
    manifest: Path,
    actor: str,
) -> TrainedModel:
    """Register a pickled pipeline as a challenger; this runs what is in the file.

    It is judged by clones of itself that are fitted in our folds; the pipeline itself stays as it was fitted.

    Args:
        database: the warehouse, with the feature mart built.
        store: where the model is kept, in the format of skops: the pickle itself is not.
        content: the file; somebody has vouched for its hash.
        contents: what `look_into` told of it.
        track: what it is for.
        manifest: dbt's manifest of the build that made the feature mart.
        actor: who vouches.

    Raises:
        TrainingError: it is no pipeline that can be scored with here (ml.bad_import), or was fitted to something else.
        LeakError: it sees what it should predict.
    """
    require_known(contents)
    pipeline = _load(content)
    features = _features_of(pipeline, track)
    chunks = read_rows(database, load_features(), labelled_only=True, most_rows=MOST_HOUSEHOLDS)
    rows = pd.concat(chunks, ignore_index=True)
    guard_against_leaks(track, features, rows, partial(read_lineage, manifest))
    trained = judge_pipeline(pipeline, Recipe(track, features, {}), rows)
    origin = describe_origin(manifest) | {"imported_sha256": contents.sha256, "imported_names": list(contents.names)}
    draft = describe(trained, OUTSIDE_RUNS, feature_set_version(database), origin)
    draft = replace(draft, artifact_kind="skops", training_fingerprint=contents.sha256)
    return register(database, store, draft, actor=actor, event="imported")


def require_known(contents: Contents) -> None:
    """Make sure that a pickle names nothing but what pipelines are made of; no word of trust stands in for that.

    Raises:
        TrainingError: it names something else (ml.bad_import).
    """
    if contents.unknown:
        raise unusable(f"names what no pipeline of scikit-learn needs: {', '.join(contents.unknown)}")


def _load(content: bytes) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            pipeline: Any = joblib.load(io.BytesIO(content))
        except InconsistentVersionWarning as error:
            raise TrainingError(
                f"The file was written by scikit-learn {error.original_sklearn_version}; "
                f"{error.current_sklearn_version} is installed.",
                code="ml.other_library_version",
                remedy="Fit and write it again with the version that is installed.",
            ) from error
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline, "predict_proba"):
        raise unusable("holds no fitted pipeline with predict_proba")
    if any(name.endswith("memory") and value is not None for name, value in pipeline.get_params().items()):
        raise unusable("keeps a cache on disk (memory)")
    if list(getattr(pipeline, "classes_", [])) != [0, 1] or not hasattr(pipeline, "feature_names_in_"):
        raise unusable("was not fitted on named columns to the classes 0 and 1")
    return pipeline


def _features_of(pipeline: Pipeline, track: Track) -> tuple[Feature, ...]:
    """The features that it reads, in its order."""
    known = {feature.name: feature for feature in track_features(track, load_features())}
    if strange := [name for name in columns_of(pipeline) if name not in known]:
        raise unusable(f"reads what the {track} track does not see: {', '.join(strange)}")
    return tuple(known[name] for name in columns_of(pipeline))
