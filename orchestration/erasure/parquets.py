"""Parquet files that Kyalo has written itself, without the rows of a household."""

from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from orchestration.erasure.household import Household
from orchestration.parquet import open_table
from warehouse.contract import IDENTIFIER
from warehouse.crypto.keys import KeyRing


def rows_of(household: Household, keys: KeyRing, source: BinaryIO) -> list[bool]:
    """Of each row, whether it is the household's: its identifier, or one of its submissions where there is none."""
    source.seek(0)
    return [_is_row_of(household, row) for row in open_table(source, keys).to_pylist()]


def write_others(source: BinaryIO, is_its: Sequence[bool], target: BinaryIO) -> None:
    """Write the rows that are others'."""
    source.seek(0)
    table = parquet.read_table(pa.PythonFile(source, mode="r"))
    parquet.write_table(table.filter(pa.array([not each for each in is_its])), target, compression="zstd")


def values_of(source: BinaryIO, is_its: Sequence[bool], column: str) -> list[Any]:
    """What a column holds in the rows that are the household's."""
    source.seek(0)
    values = parquet.read_table(pa.PythonFile(source, mode="r"), columns=[column]).column(column).to_pylist()
    return [value for value, is_row in zip(values, is_its, strict=True) if is_row]


def _is_row_of(household: Household, row: dict[str, Any]) -> bool:
    if row.get(IDENTIFIER) is not None:
        return household.is_it(row[IDENTIFIER])
    return row.get("submission_id") in household.own_keys
