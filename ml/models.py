"""The candidate models: one pipeline per algorithm, from rows of the mart to a probability.

The settings were measured on village-grouped folds. The models are small, so threads are few: on a busy
machine with two cores, numeric libraries that wait for each other made a training ten times longer.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from ml.features import Feature
from ml.tracks import Track

Algorithm = Literal["logistic_regression", "gradient_boosting", "random_forest"]

ALGORITHMS: tuple[Algorithm, ...] = ("logistic_regression", "gradient_boosting", "random_forest")
SEED = 20_140
FOREST_THREADS = 2

# The target is a linear sum of what the assessment sees, so its logistic model is hardly shrunk; the
# screening's indicators are weak and overlap, so it is.
INVERSE_PENALTY: dict[Track, float] = {"screening": 0.1, "assessment": 100.0}


def one_thread() -> AbstractContextManager[object]:
    """Keep the numeric libraries (OpenMP, BLAS) to one thread for the length of the block."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def build_pipeline(algorithm: Algorithm, track: Track, features: Sequence[Feature]) -> Pipeline:
    """An unfitted pipeline that takes a data frame with the features' columns.

    A number that is missing becomes the training rows' median (0 where all are missing); a category that is
    missing becomes a category of its own, and one that training never saw counts as none of the known.
    """
    numbers = [feature.name for feature in features if feature.kind != "category"]
    categories = [feature.name for feature in features if feature.kind == "category"]
    prepare = ColumnTransformer(
        [("numbers", _number_steps(algorithm), numbers), ("categories", _category_steps(), categories)]
    )
    return Pipeline([("prepare", prepare), ("classify", _classifier(algorithm, track))])


def _number_steps(algorithm: Algorithm) -> Pipeline:
    impute = ("impute", SimpleImputer(strategy="median", keep_empty_features=True))
    is_linear = algorithm == "logistic_regression"
    return Pipeline([impute, ("scale", StandardScaler())] if is_linear else [impute])


def _category_steps() -> Pipeline:
    impute = SimpleImputer(strategy="constant", fill_value="missing", keep_empty_features=True)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline([("impute", impute), ("encode", encode)])


def _classifier(algorithm: Algorithm, track: Track) -> Any:
    if algorithm == "logistic_regression":
        return LogisticRegression(C=INVERSE_PENALTY[track], max_iter=5000)
    if algorithm == "gradient_boosting":
        return HistGradientBoostingClassifier(
            max_iter=120,
            learning_rate=0.06,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            l2_regularization=10.0,
            max_features=0.2,
            early_stopping=False,
            random_state=SEED,
        )
    return RandomForestClassifier(n_estimators=100, min_samples_leaf=5, n_jobs=FOREST_THREADS, random_state=SEED)
