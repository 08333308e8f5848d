"""The last step of a fit: put right what drawing itself does to the yearly total.

The normal behind the total must vary as a standard normal in every district, or the total drawn would not be
distributed as measured. What is drawn varies a little less than what was seen and not quite evenly, so the line
is stretched until the deviation is one, and moved until as many are below the poverty line as were measured.
"""

from statistics import NormalDist
from typing import Any, Final

import numpy as np

from orchestration.synth.catalogue import POVERTY_LINE, TOTAL, VARIABLES
from orchestration.synth.distributions import Floats
from orchestration.synth.households import decode_district
from orchestration.synth.outlook import circumstances, total_normals
from orchestration.synth.parameters import District, parse_parameters, symmetric_root

HOUSEHOLDS: Final = 40_000
_TOTAL_POSITION = [variable.name for variable in VARIABLES].index(TOTAL)


def calibrate(stored: dict[str, Any]) -> dict[str, Any]:
    """The same parameters with every district's line stretched and moved."""
    parameters = parse_parameters(stored)
    root = symmetric_root(np.array(stored["between"]) + np.array(stored["within"]))
    normals = np.random.default_rng(0).standard_normal((HOUSEHOLDS, len(VARIABLES))) @ root
    lines = {district.name: _stretched(district, normals) for district in parameters.districts}
    return stored | {"outlook": lines}


def _stretched(district: District, normals: Floats) -> dict[str, Any]:
    line = district.outlook
    seen = circumstances(decode_district(district, normals))
    totals = total_normals(line, seen, normals[:, _TOTAL_POSITION])
    deviation = totals.std()
    line_of_poverty = district.total.normal_of(POVERTY_LINE)
    share = NormalDist().cdf(line_of_poverty)
    move = line_of_poverty - np.quantile(totals, share) / deviation
    return {
        "intercept": round(float(line.intercept / deviation + move), 4),
        "slopes": [round(float(slope), 4) for slope in line.slopes / deviation],
        "spread": round(float(line.spread / deviation), 4),
    }
