"""The feature mart as data frames: which columns a track sees, and how its rows are read.

The mart's dbt definition says for every column, under `config.meta`, which tracks see it (`tracks`), what
it holds (`kind`: numeric, boolean or category) and whether the target is computed from it
(`component_of_target`).
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import psycopg
import yaml
from psycopg import errors, sql

from ml.tracks import TRACKS, Track
from warehouse.database import Database, queries
from warehouse.errors import ContractError, NotFoundError
from warehouse.settings import PROJECT_ROOT

STATEMENTS = queries("ml")
Kind = Literal["numeric", "boolean", "category"]

MART = sql.Identifier("features", "fct_household_features")
MART_FILE = PROJECT_ROOT / "dbt_project" / "models" / "features" / "fct_household_features.yml"
KEYS = ("household_id", "survey_round", "submission_id", "district", "cluster", "village")
TARGET = "is_vulnerable"
INCOME = "income_consumption_residues_per_day"
CHUNK_ROWS = 100_000
BUFFER_BYTES = 1024**2
CASTS = {"numeric": sql.SQL("double precision"), "boolean": sql.SQL("integer"), "category": sql.SQL("text")}
NO_NUMBER = ["", "NaN", "Infinity", "-Infinity"]


@dataclass(frozen=True)
class Feature:
    """A column of the mart that at least one track sees.

    Attributes:
        component_of_target: whether the target is, or is computed from, this column.
    """

    name: str
    kind: Kind
    tracks: tuple[Track, ...]
    component_of_target: bool


@cache
def load_features(mart_file: Path = MART_FILE) -> tuple[Feature, ...]:
    """Every feature of the mart, in the order of its definition.

    Raises:
        ContractError: the definition is missing or is not as it should be.
    """
    try:
        (model,) = yaml.safe_load(mart_file.read_text())["models"]
        metas = [(column["name"], column.get("config", {}).get("meta", {})) for column in model["columns"]]
        return tuple(_feature(name, meta) for name, meta in metas if meta.get("tracks"))
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ContractError(
            f"The feature mart's definition {mart_file.name} cannot be read: {error!r}.",
            code="ml.bad_feature_mart",
        ) from error


def read_rows(
    database: Database,
    features: Iterable[Feature],
    *,
    labelled_only: bool = False,
    most_rows: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Iterator[pd.DataFrame]:
    """Read the mart in chunks, ordered by household_id and survey_round.

    Every chunk has the key columns and the categories as strings, the target, the income, the numbers and the
    booleans as float64 (true is 1.0); what is missing or infinite is NaN.

    Args:
        database: the warehouse.
        features: the columns to read besides the keys and the target.
        labelled_only: leave out the rows whose survey has no income module, and so no target.
        most_rows: draw whole villages until there are about so many; the same villages each time.
        chunk_rows: the most rows of a chunk.

    Raises:
        NotFoundError: the mart is not built, or lacks one of the columns.
    """
    kinds: dict[str, Kind] = dict.fromkeys(KEYS, "category")
    kinds |= {feature.name: feature.kind for feature in features} | {TARGET: "boolean", INCOME: "numeric"}
    try:
        with (
            database.transaction() as connection,
            connection.cursor().copy(_copy_query(kinds, labelled_only, most_rows)) as copy,
        ):
            yield from _parse(io.BufferedReader(_CopiedBytes(copy), BUFFER_BYTES), kinds, chunk_rows)
    except (errors.UndefinedTable, errors.UndefinedColumn) as error:
        raise NotFoundError(
            f"The feature mart cannot be read: {error.diag.message_primary}.",
            code="ml.no_feature_mart",
            remedy="Build it first: kyalo build.",
        ) from error


def feature_set_version(database: Database) -> str:
    """A hash of the SQL that makes the features: models score only features of the making that they were trained on.

    Raises:
        NotFoundError: the mart is not built.
    """
    with database.transaction() as connection:
        found = connection.execute(STATEMENTS["select_feature_set_version"]).fetchone()
    if found is None or found[0] is None:
        raise NotFoundError(
            "The SQL that makes the features is not there yet.",
            code="ml.no_feature_mart",
            remedy="Build it first: kyalo build.",
        )
    return str(found[0])


def _feature(name: str, meta: dict[str, Any]) -> Feature:
    tracks, kind = tuple(meta["tracks"]), meta.get("kind")
    if kind not in ("numeric", "boolean", "category") or not set(tracks) <= set(TRACKS):
        raise ValueError(f"column {name}: kind {kind!r}, tracks {tracks!r}")
    leaks = meta.get("role") == "target" or bool(meta.get("component_of_target", False))
    return Feature(name, kind, tracks, leaks)


def _copy_query(kinds: dict[str, Kind], labelled_only: bool, most_rows: int | None) -> sql.Composed:
    return sql.SQL(
        """
        copy (
            with
            candidates as (
                select *
                from {mart}
                where not {labelled_only} or {target} is not null
            ),

            villages as (
                select
                    district,
                    village,
                    sum(count(*)) over (order by md5(concat_ws('/', district, village)), district, village) as rows
                from candidates
                group by district, village
            )

            select {columns}
            from candidates
            where
                {most_rows}::bigint is null
                or (
                    select villages.rows
                    from villages
                    where
                        villages.district is not distinct from candidates.district
                        and villages.village is not distinct from candidates.village
                ) <= {most_rows}
            order by household_id collate "C", survey_round collate "C"
        ) to stdout with (format csv, header, encoding 'UTF8')
        """
    ).format(
        columns=sql.SQL(", ").join(_expression(name, kind) for name, kind in kinds.items()),
        mart=MART,
        target=sql.Identifier(TARGET),
        labelled_only=labelled_only,
        most_rows=most_rows,
    )


def _expression(name: str, kind: Kind) -> sql.Composed:
    return sql.SQL("{column}::{type} as {column}").format(column=sql.Identifier(name), type=CASTS[kind])


def _parse(source: io.BufferedReader, kinds: dict[str, Kind], chunk_rows: int) -> Iterator[pd.DataFrame]:
    return iter(
        pd.read_csv(
            source,
            dtype={name: "str" if kind == "category" else "float64" for name, kind in kinds.items()},
            keep_default_na=False,
            na_values={name: [""] if kind == "category" else NO_NUMBER for name, kind in kinds.items()},
            chunksize=chunk_rows,
        )
    )


class _CopiedBytes(io.RawIOBase):
    """The bytes of a running COPY, as a file that pandas can read."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._blocks = iter(copy)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
