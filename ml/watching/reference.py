"""What a model's training rows looked like: the bins of its features, and what chance does to them in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import psycopg
from psycopg.rows import class_row

from ml.features import Feature, Kind
from ml.splits import SEED, place_groups, target_of
from ml.watching.bins import Bin, Floats, Integers, find_bins, make_bins
from ml.watching.limits import TAILS, common_limits, draw
from warehouse.database import queries

STATEMENTS = queries("watching")
BATCH_SIZES = (100, 250, 500, 1_000, 2_500, 5_000, 10_000)
# Enough to know how much villages differ, where there are more.
MOST_VILLAGES = 1_000
SCORE = "score"
EXPECTED_ACCURACY = "expected_accuracy"
INDEX_OF = "psi:"


@dataclass(frozen=True)
class ReferenceLimit:
    """What chance does to a measure in batches of a size; a missing lower limit is none."""

    measure: str
    batch_size: int
    lower_limit: float | None
    upper_limit: float


@dataclass(frozen=True)
class Reference:
    """What later households are held against: each feature's bins with their shares, and the limits."""

    bins: Mapping[str, Sequence[tuple[Bin, float]]]
    limits: Sequence[ReferenceLimit]


def make_reference(features: Sequence[Feature], rows: pd.DataFrame, probability: Floats) -> Reference:
    """Describe the training rows of a model; takes some seconds.

    Args:
        features: those that the model sees.
        rows: its labelled training rows, with the key columns.
        probability: what models that had not seen the household's village said of each row.
    """
    kinds: dict[str, Kind] = {feature.name: feature.kind for feature in features}
    values = {name: rows[name] for name in kinds} | {SCORE: pd.Series(probability)}
    bins = {name: make_bins(column, kinds.get(name, "numeric")) for name, column in values.items()}
    villages = place_groups("village", rows)
    counts = {name: _count(find_bins(column, bins[name]), len(bins[name]), villages) for name, column in values.items()}
    shares = {name: table.sum(axis=0) / len(rows) for name, table in counts.items()}
    return Reference(
        {name: list(zip(bins[name], shares[name].tolist(), strict=True)) for name in bins},
        _limits(counts, _surprise(rows, probability), villages),
    )


def store_reference(connection: psycopg.Connection, model_name: str, model_version: int, reference: Reference) -> None:
    """Keep a new model's reference, in the transaction that registers it."""
    model = {"model_name": model_name, "model_version": model_version}
    with connection.cursor() as cursor:
        cursor.executemany(
            STATEMENTS["insert_reference_bin"],
            [
                {**model, "feature": feature, "share": share, **vars(bin_)}
                for feature, bins in reference.bins.items()
                for bin_, share in bins
            ],
        )
        cursor.executemany(
            STATEMENTS["insert_reference_limit"], [{**model, **vars(limit)} for limit in reference.limits]
        )


def limits_at(
    connection: psycopg.Connection, model_name: str, model_version: int, households: int
) -> dict[str, ReferenceLimit]:
    """A model's limits for a batch of so many households, by measure; between two sizes, in proportion to 1 / size."""
    model = {"model_name": model_name, "model_version": model_version}
    with connection.cursor(row_factory=class_row(ReferenceLimit)) as cursor:
        limits = cursor.execute(STATEMENTS["select_reference_limits"], model).fetchall()
    by_measure: dict[str, list[ReferenceLimit]] = {}
    for limit in limits:
        by_measure.setdefault(limit.measure, []).append(limit)
    return {measure: _between(found, households) for measure, found in by_measure.items()}


def _count(positions: Integers, bins: int, villages: Integers) -> Floats:
    shape = (int(villages.max()) + 1, bins)
    cells = np.ravel_multi_index((villages, positions), shape)
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _surprise(rows: pd.DataFrame, probability: Floats) -> Floats:
    """Real less expected accuracy of each row, at the cut of 0.5."""
    is_right = (probability >= 0.5) == (target_of(rows) == 1)
    return np.asarray(is_right - np.maximum(probability, 1 - probability))


def _limits(counts: Mapping[str, Floats], surprise: Floats, villages: Integers) -> list[ReferenceLimit]:
    households = np.bincount(villages).astype(np.float64)
    sums = np.bincount(villages, surprise).astype(np.float64)
    known = np.random.default_rng(SEED).permutation(len(households))[:MOST_VILLAGES]
    batches = [max(1, round(size / float(households.mean()))) for size in BATCH_SIZES]
    found = []
    for size, draws in zip(BATCH_SIZES, draw(len(households), batches, len(known), SEED), strict=True):
        indices = np.column_stack([draws.indices(table[known]) for table in counts.values()])
        limits = zip(counts, common_limits(indices).tolist(), strict=True)
        found += [ReferenceLimit(INDEX_OF + feature, size, None, limit) for feature, limit in limits]
        differences = draws.differences(sums[known], households[known])
        lower, upper = surprise.mean() + np.quantile(differences, TAILS)
        found.append(ReferenceLimit(EXPECTED_ACCURACY, size, float(lower), float(upper)))
    return found


def _between(limits: Sequence[ReferenceLimit], households: int) -> ReferenceLimit:
    """The limit for a size between the stored ones; those at the ends hold beyond them."""
    ordered = sorted(limits, key=lambda limit: limit.batch_size, reverse=True)
    places = [1 / limit.batch_size for limit in ordered]
    upper = float(np.interp(1 / households, places, [limit.upper_limit for limit in ordered]))
    lowers = [limit.lower_limit for limit in ordered if limit.lower_limit is not None]
    lower = float(np.interp(1 / households, places, lowers)) if lowers else None
    return ReferenceLimit(ordered[0].measure, households, lower, upper)
