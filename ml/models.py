"""The candidate models: one scikit-learn pipeline for each algorithm and settings, from rows of the mart to a score.

A score grows with the household's need; calibration makes probabilities of it. Fit them within `one_thread`: on a busy
machine with two cores, numeric libraries that wait for each other made a training ten times longer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ml.encoding import MISSING
from ml.features import INCOME, TARGET, Feature
from ml.splits import SEED
from ml.tracks import Track
from ml.trees import MOST_LEAVES

Algorithm = Literal["linear_regression", "logistic_regression", "gradient_boosting", "random_forest"]
Settings = Mapping[str, Any]

ALGORITHMS: tuple[Algorithm, ...] = (
    "linear_regression", "logistic_regression", "gradient_boosting", "random_forest",
)  # fmt: skip
LINEAR: tuple[Algorithm, ...] = ("linear_regression", "logistic_regression")

# What tuning may choose from; the first is taken where two are equally good. The screening's indicators are weak and
# overlap, so its models are shrunk; the target is a linear sum of what the assessment sees, so its own hardly are.
# Settings of boosting differ in their rounds only: those of the most rounds pass through all the others.
GRIDS: dict[Track, dict[Algorithm, tuple[Settings, ...]]] = {
    "screening": {
        "logistic_regression": ({"C": 0.1}, {"C": 0.01}),
        "gradient_boosting": ({"max_iter": 60}, {"max_iter": 30}),
        "random_forest": ({"min_samples_leaf": 5},),
    },
    "assessment": {
        "linear_regression": ({},),
        "logistic_regression": ({"C": 100.0}, {"C": 1000.0}),
        "gradient_boosting": ({"max_iter": 60}, {"max_iter": 30}),
        "random_forest": ({"min_samples_leaf": 5},),
    },
}


class EmptyFiller(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Puts 0 into columns that are missing throughout the training rows: a booster cannot bin them."""

    def fit(self, rows: pd.DataFrame, target: object = None) -> "EmptyFiller":  # noqa: ARG002 - scikit-learn's way
        """Remember the columns without any value."""
        self.is_empty_ = rows.isna().all().to_numpy()
        return self

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """The values, those columns filled."""
        return np.where(self.is_empty_, 0.0, rows.to_numpy(dtype=np.float64))


def build_pipeline(algorithm: Algorithm, settings: Settings, features: Sequence[Feature]) -> Pipeline:
    """An unfitted pipeline that takes a data frame with the features' columns.

    For a linear model a number that is missing becomes the training rows' median (0 where all are missing) and all
    are scaled; trees take missing numbers as they are. A category that is missing becomes a category of its own, and
    one that training never saw counts as none of the known.
    """
    numbers = [feature.name for feature in features if feature.kind != "category"]
    categories = [feature.name for feature in features if feature.kind == "category"]
    prepare = ColumnTransformer(
        [
            ("numbers", _number_steps() if algorithm in LINEAR else EmptyFiller(), numbers),
            ("categories", _category_steps(), categories),
        ]
    )
    return Pipeline([("prepare", prepare), ("estimate", _estimator(algorithm, settings))])


def fit(pipeline: Pipeline, rows: pd.DataFrame) -> Pipeline:
    """Fit a pipeline to labelled rows: a classifier to who is vulnerable, a regression to the income."""
    target = rows[TARGET].to_numpy().astype(np.int64) if is_classifier(pipeline) else rows[INCOME].to_numpy()
    return pipeline.fit(rows, target)


def raw_score(pipeline: Pipeline, rows: pd.DataFrame) -> NDArray[np.float64]:
    """The score of each row before calibration: log odds, the share of a forest's trees, or less income."""
    if not is_classifier(pipeline):
        return -np.asarray(pipeline.predict(rows), dtype=np.float64)
    if hasattr(pipeline, "decision_function"):
        return np.asarray(pipeline.decision_function(rows), dtype=np.float64)
    return np.asarray(pipeline.predict_proba(rows)[:, 1], dtype=np.float64)


def staged_scores(pipeline: Pipeline, rows: pd.DataFrame) -> list[NDArray[np.float64]]:
    """The raw score of each row after every round of a fitted boosting: what it would be with so many rounds."""
    prepared = pipeline[:-1].transform(rows)
    return [np.asarray(score, dtype=np.float64) for score in pipeline[-1].staged_decision_function(prepared)]


def _number_steps() -> Pipeline:
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return Pipeline([("impute", impute), ("scale", StandardScaler())])


def _category_steps() -> Pipeline:
    impute = SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline([("impute", impute), ("encode", encode)])


def _estimator(algorithm: Algorithm, settings: Settings) -> Any:
    if algorithm == "linear_regression":
        return LinearRegression()
    if algorithm == "logistic_regression":
        return LogisticRegression(max_iter=5000, **settings)
    if algorithm == "gradient_boosting":
        return HistGradientBoostingClassifier(
            learning_rate=0.1,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            l2_regularization=10.0,
            max_features=0.2,
            early_stopping=False,
            random_state=SEED,
            **settings,
        )
    return RandomForestClassifier(n_estimators=50, max_leaf_nodes=MOST_LEAVES, n_jobs=1, random_state=SEED, **settings)
