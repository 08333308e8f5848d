"""From a fitted scikit-learn pipeline to a plain table of terms."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from ml.encoding import Encoding
from ml.linear import LinearScore
from ml.trees import LEAF, Tree, TreeScore

Score = LinearScore | TreeScore
Floats = NDArray[np.float64]


def read_encoding(pipeline: Pipeline, feature_names: list[str]) -> Encoding:
    """The encoding that a pipeline of `build_pipeline` learned."""
    names, encode = _categories(pipeline)
    known = {name: [str(value) for value in values] for name, values in zip(names, encode.categories_, strict=True)}
    return Encoding(feature_names, known)


def compile_score(pipeline: Pipeline, encoding: Encoding) -> Score:
    """The score of a fitted pipeline of `build_pipeline`, as plain numbers."""
    owners = np.array([place for place, _ in encoding.columns], dtype=np.int64)
    features = len(encoding.feature_names)
    estimator = pipeline.named_steps["estimate"]
    if isinstance(estimator, HistGradientBoostingClassifier):
        # scikit-learn has no public way to the nodes of a histogram booster
        trees = [_boosted_tree(grown.nodes) for (grown,) in estimator._predictors]  # noqa: SLF001
        return TreeScore(owners, features, trees, float(estimator._baseline_prediction[0, 0]))  # noqa: SLF001
    if isinstance(estimator, RandomForestClassifier):
        trees = [_forest_tree(grown.tree_, len(estimator.estimators_)) for grown in estimator.estimators_]
        return TreeScore(owners, features, trees, 0.0, is_single_precision=True)
    return _linear(pipeline, owners, features)


def _boosted_tree(nodes: NDArray[np.void]) -> Tree:
    """The nodes of a boosted tree; it knows values of leaves only, so those before them are averaged."""
    is_leaf = nodes["is_leaf"].astype(bool)
    values = nodes["value"].astype(np.float64).copy()
    for node in np.flatnonzero(~is_leaf)[::-1]:  # a node comes before those that it leads to
        ways = [nodes["left"][node], nodes["right"][node]]
        values[node] = np.average(values[ways], weights=nodes["count"][ways].astype(np.float64))
    return Tree(
        column=np.where(is_leaf, LEAF, nodes["feature_idx"].astype(np.int64)).tolist(),
        threshold=_finite(nodes["num_threshold"]),
        missing_left=nodes["missing_go_to_left"].astype(bool).tolist(),
        left=nodes["left"].astype(np.int64).tolist(),
        right=nodes["right"].astype(np.int64).tolist(),
        value=values.tolist(),
    )


def _forest_tree(tree: Any, trees: int) -> Tree:
    """The nodes of one of a forest's trees, each with its part in the mean over the trees."""
    is_leaf = tree.children_left == LEAF
    return Tree(
        column=np.where(is_leaf, LEAF, tree.feature).tolist(),
        threshold=_finite(np.where(is_leaf, 0.0, tree.threshold)),
        missing_left=tree.missing_go_to_left.astype(bool).tolist(),
        left=np.maximum(tree.children_left, 0).tolist(),
        right=np.maximum(tree.children_right, 0).tolist(),
        value=(tree.value[:, 0, 1] / trees).tolist(),
    )


def _finite(thresholds: Floats) -> list[float]:
    """A split into missing and all others has an infinite threshold, which JSON cannot write."""
    finite: list[float] = np.minimum(thresholds, np.finfo(np.float64).max).tolist()
    return finite


def _linear(pipeline: Pipeline, owners: NDArray[np.int64], features: int) -> LinearScore:
    """The weights on unscaled values; the mean of a category's column is the share of its value in training."""
    estimator = pipeline.named_steps["estimate"]
    numbers = pipeline.named_steps["prepare"].named_transformers_["numbers"]
    scale, impute = numbers.named_steps["scale"], numbers.named_steps["impute"]
    sign = -1.0 if isinstance(estimator, LinearRegression) else 1.0  # less income is a higher score
    others = np.zeros(len(owners) - len(scale.mean_))
    weights = sign * np.ravel(estimator.coef_) / np.concatenate([scale.scale_, others + 1])
    centres = np.concatenate([scale.mean_, others])
    return LinearScore(
        owners=owners,
        features=features,
        weights=weights,
        centres=centres,
        replacements=np.concatenate([impute.statistics_, others]),
        base=sign * float(np.ravel(estimator.intercept_)[0]),
    )


def _categories(pipeline: Pipeline) -> tuple[list[str], OneHotEncoder]:
    prepare = pipeline.named_steps["prepare"]
    names = next(list(columns) for name, _, columns in prepare.transformers_ if name == "categories")
    return names, prepare.named_transformers_["categories"].named_steps["encode"]
