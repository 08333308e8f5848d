"""Rows of the mart as plain dictionaries."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def as_records(rows: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as dictionaries, what is missing as None."""
    wanted = rows[list(names)].astype(object)
    columns = {name: wanted[name].where(wanted[name].notna(), None).tolist() for name in names}
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
