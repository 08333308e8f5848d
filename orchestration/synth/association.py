"""How the variables go together: covariances of the normals behind them, between villages and within.

A variable is seen only through its levels, so the covariance of what is seen is smaller than that of the
normals. For a function f of a normal with Hermite coefficients a_k, two such functions of normals with
correlation r have covariance sum_k a_k b_k r^k / k! (Mehler's formula); it is inverted for each pair.
"""

from dataclasses import dataclass
from math import factorial

import numpy as np
import pandas as pd

from orchestration.synth.distributions import Floats, normal_quantile

TERMS = 16
_CORRELATIONS = np.linspace(-0.98, 0.98, 393)
_SMALLEST_EIGENVALUE = 0.02
_LARGEST_VILLAGE_PART = 0.6


@dataclass(frozen=True)
class Scores:
    """What is seen of the normals.

    Attributes:
        values: households x variables, the mean of the normal given the level seen; 0 where absent.
        present: households x variables, whether there is a value.
        coefficients: groups of households x variables x terms, the Hermite coefficients of each score.
        weights: each group's part of all households.
    """

    values: Floats
    present: Floats
    coefficients: Floats
    weights: Floats


def normal_scores(observed: pd.DataFrame, groups: "pd.Series[str]") -> Scores:
    """Score every variable within each group, so that differences between groups are no association."""
    values = np.zeros(observed.shape)
    coefficients = []
    for group in sorted(groups.unique()):
        rows = np.flatnonzero(groups == group)
        columns = [_score(observed.iloc[rows, column].to_numpy(float)) for column in range(observed.shape[1])]
        values[rows] = np.column_stack([scores for scores, _ in columns])
        coefficients.append(np.array([terms for _, terms in columns]))
    weights = np.asarray(groups.value_counts(normalize=True).sort_index(), dtype=np.float64)
    return Scores(values, observed.notna().to_numpy(float), np.array(coefficients), weights)


def _score(values: Floats) -> tuple[Floats, Floats]:
    scores = np.zeros(len(values))
    there = ~np.isnan(values)
    if not there.any():
        return scores, np.zeros(TERMS)
    _, level, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    bounds = normal_quantile(np.append(0.0, np.cumsum(counts)) / there.sum())
    bounds[-1] = np.inf
    integrals = -np.diff(_hermite_integrals(bounds), axis=1)
    means = integrals[0] * there.sum() / counts
    scores[there] = means[level]
    return scores, integrals @ means


def _hermite_integrals(bounds: Floats) -> Floats:
    """He_(k-1)(t) phi(t) for k = 1..TERMS: minus the integral of He_k phi up to t."""
    finite = np.where(np.isfinite(bounds), bounds, 0.0)
    density = np.where(np.isfinite(bounds), np.exp(-(finite**2) / 2) / np.sqrt(2 * np.pi), 0.0)
    polynomials = [np.ones_like(finite), finite]
    for order in range(1, TERMS - 1):
        polynomials.append(finite * polynomials[-1] - order * polynomials[-2])
    return np.array(polynomials) * density


def _invert(covariance: Floats, scores: Scores) -> Floats:
    """The covariance of the normals that explains each covariance of scores."""
    powers = np.array([_CORRELATIONS**k / factorial(k) for k in range(1, TERMS + 1)])
    size = covariance.shape[0]
    found = np.zeros((size, size))
    for row in range(size):
        products = np.einsum("g,gt,gvt->vt", scores.weights, scores.coefficients[:, row], scores.coefficients)
        expected = np.maximum.accumulate(products @ powers, axis=1)
        for column in range(size):
            found[row, column] = np.interp(covariance[row, column], expected[column], _CORRELATIONS)
    return (found + found.T) / 2


def _shrink(estimate: Floats, error: Floats) -> Floats:
    """Draw each figure towards zero by the variance of its sampling error (positive-part James-Stein)."""
    kept = 1.0 - error**2 / np.maximum(estimate**2, 1e-12)
    return np.asarray(estimate * np.maximum(0.0, kept), dtype=np.float64)


def _household_correlation(scores: Scores) -> Floats:
    together = np.maximum(scores.present.T @ scores.present, 1.0)
    means = (scores.values.T @ scores.present) / together
    correlation = _invert((scores.values.T @ scores.values) / together - means * means.T, scores)
    strength = np.clip(np.einsum("g,gv->v", scores.weights, scores.coefficients[:, :, 0]), 0.1, 1.0)
    correlation = _shrink(correlation, 1.0 / np.sqrt(together * np.outer(strength, strength)))
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _village_covariance(scores: Scores, villages: "pd.Series[str]") -> Floats:
    """Covariance of two different households of one village."""
    totals = pd.DataFrame(scores.values).groupby(villages.to_numpy()).sum().to_numpy()
    counts = pd.DataFrame(scores.present).groupby(villages.to_numpy()).sum().to_numpy()
    pairs = np.maximum(counts.T @ counts - scores.present.T @ scores.present, 1.0)
    covariance = _invert((totals.T @ totals - scores.values.T @ scores.values) / pairs, scores)
    part = np.clip(np.diag(covariance), 0.0, _LARGEST_VILLAGE_PART)
    spread = np.sqrt(part + (1.0 - part) / np.maximum(counts.mean(axis=0), 1.0))
    covariance = _shrink(covariance, np.outer(spread, spread) / np.sqrt(len(counts)))
    np.fill_diagonal(covariance, part)
    return covariance


def _positive(covariance: Floats, smallest: float) -> Floats:
    """The nearest covariance with no eigenvalue below `smallest` and the same diagonal."""
    values, vectors = np.linalg.eigh(covariance)
    raised = (vectors * np.maximum(values, smallest)) @ vectors.T
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0) / np.maximum(np.diag(raised), 1e-12))
    return np.asarray(raised * np.outer(scale, scale), dtype=np.float64)


def village_and_household_covariance(scores: Scores, villages: "pd.Series[str]") -> tuple[Floats, Floats]:
    """The covariance of the normals that a village shares, and the covariance of a household's own part."""
    between = _positive(_village_covariance(scores, villages), 0.0)
    within = _positive(_household_correlation(scores) - between, _SMALLEST_EIGENVALUE)
    return between, within
