"""Drift: how far the households that a run scored are from the rows that their model was trained on.

The warehouse bins and counts, in one pass over the households; an index for each feature is all that leaves it.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ml.tracks import Track
from ml.watching.batch import LEAST_BATCH, Batch, newest_batches
from ml.watching.bins import MISSING, OTHER
from ml.watching.limits import LEAST_SHARE
from ml.watching.reference import INDEX_OF, SCORE, STATEMENTS, limits_at
from warehouse.database import Database

# Beyond lie the infinities, and NaN is greater than all.
LARGEST = 1.7976931348623157e308
NUMBER_BIN = sql.SQL(
    "case when {value}::double precision between -{largest} and {largest} "
    "then width_bucket({value}::double precision, {bounds}::double precision[]) else {missing} end as {name}"
)
CATEGORY_BIN = sql.SQL(
    "case when {value} is null then {missing} "
    "else coalesce(array_position({categories}::text[], {value}::text), {other}) end as {name}"
)


@dataclass(frozen=True)
class DriftCheck:
    """How far one feature of a batch, or its score, is from the training rows.

    Attributes:
        psi: population stability index.
        psi_limit: what chance alone hardly reaches in a batch of that size.
        has_drifted: whether the index is beyond the limit; never in a batch of less than 500 households.
    """

    track: Track
    model_name: str
    model_version: int
    feature: str
    households: int
    psi: float
    psi_limit: float
    has_drifted: bool


@dataclass(frozen=True)
class _Column:
    """How the bins of a feature are told: by the bounds of ranges, or by the names of categories."""

    feature: str
    is_category: bool
    categories: list[str]
    bounds: list[float]


@dataclass(frozen=True)
class _Index:
    feature: str
    households: int
    psi: float


def check_drift(database: Database, run_id: str) -> list[DriftCheck]:
    """Compare what a run scored with the training rows of each champion, and keep the findings.

    Training rows are left out. What a run scored is judged together with what was scored before it where it is
    less than 500 households; a run that scored nothing new is not judged.
    """
    checks = []
    with database.transaction() as connection, connection.cursor() as cursor:
        for batch in newest_batches(connection, run_id):
            found = _check(connection, batch)
            cursor.executemany(STATEMENTS["insert_drift_check"], [{**vars(check), "run_id": run_id} for check in found])
            checks += found
    return checks


def _check(connection: psycopg.Connection, batch: Batch) -> list[DriftCheck]:
    with connection.cursor(row_factory=class_row(_Column)) as cursor:
        columns = cursor.execute(STATEMENTS["select_reference_columns"], vars(batch)).fetchall()
    indices = _compare(connection, batch, columns) if columns else []
    if not indices:
        return []
    limits = limits_at(connection, batch.model_name, batch.model_version, indices[0].households)
    return [_judge(batch, index, limits[INDEX_OF + index.feature].upper_limit) for index in indices]


def _compare(connection: psycopg.Connection, batch: Batch, columns: list[_Column]) -> list[_Index]:
    values: dict[str, object] = {**vars(batch), "least_share": LEAST_SHARE}
    values["features"] = [column.feature for column in columns]
    for position, column in enumerate(columns):
        values[f"bounds_{position}"] = column.categories if column.is_category else column.bounds
    with connection.cursor(row_factory=class_row(_Index)) as cursor:
        return cursor.execute(_statement(columns), values).fetchall()


def _statement(columns: list[_Column]) -> sql.Composed:
    names = [sql.Identifier(f"bin_{position}") for position in range(len(columns))]
    return STATEMENTS["compare_with_reference"].format(
        bins=sql.SQL(",\n        ").join(_bin(column, position) for position, column in enumerate(columns)),
        names=sql.SQL(", ").join(names),
        sets=sql.SQL(", ").join(sql.SQL("({})").format(name) for name in names),
    )


def _bin(column: _Column, position: int) -> sql.Composed:
    """The number of the bin that a value is in."""
    place = (
        sql.Identifier("predictions", "probability")
        if column.feature == SCORE
        else sql.Identifier("mart", column.feature)
    )
    return (CATEGORY_BIN if column.is_category else NUMBER_BIN).format(
        value=place,
        largest=LARGEST,
        bounds=sql.Placeholder(f"bounds_{position}"),
        categories=sql.Placeholder(f"bounds_{position}"),
        missing=MISSING,
        other=OTHER,
        name=sql.Identifier(f"bin_{position}"),
    )


def _judge(batch: Batch, index: _Index, limit: float) -> DriftCheck:
    has_drifted = index.households >= LEAST_BATCH and index.psi > limit
    return DriftCheck(
        batch.track,
        batch.model_name,
        batch.model_version,
        index.feature,
        index.households,
        index.psi,
        limit,
        has_drifted,
    )
