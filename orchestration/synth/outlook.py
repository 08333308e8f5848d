"""What a household's visible circumstances say of its yearly total: one line for each district.

Related two by two, the circumstances would foretell the total less well than they do; the line carries the
rest. The normal behind the total is the line's height plus the line's spread times the total's own normal.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from orchestration.synth.catalogue import VARIABLES
from orchestration.synth.distributions import Floats
from orchestration.synth.parameters import Line

CIRCUMSTANCES: Final = (
    *(variable.name for variable in VARIABLES if variable.kind == "ordinal"),
    "livestock_asset_value",
)
_LOGARITHMIC: Final = {
    "minutes_to_outpatient_care": 1.0,
    "minutes_to_water": 1.0,
    "livestock_asset_value": 100_000.0,
}
"""Circumstances that count by their logarithm, with the unit they are taken in."""
_LARGEST: Final = {
    "household_size": 10.0,
    "agricultural_land_acres": 8.0,
    "organic_pesticide_expenditure_ugx": 1.0,
}
"""Circumstances that count no further above a limit; of a pesticide it counts whether there is one."""


def circumstances(drawn: Mapping[str, Floats]) -> Floats:
    """Households x circumstances, on the scales on which they count."""
    columns = []
    for name in CIRCUMSTANCES:
        values = np.maximum(drawn[name], 0.0)
        if name in _LOGARITHMIC:
            values = np.log1p(values / _LOGARITHMIC[name])
        columns.append(np.minimum(values, _LARGEST.get(name, np.inf)))
    return np.column_stack(columns)


def total_normals(line: Line, seen: Floats, normals: Floats) -> Floats:
    """The normal behind each household's total, from its circumstances and its own normal."""
    return np.asarray(line.intercept + seen @ line.slopes + line.spread * normals, dtype=np.float64)
