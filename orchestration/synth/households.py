"""Draw the answers of the households of some villages: everything but the places and the dirt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.synth.catalogue import FERTILIZER_NONE, FERTILIZER_ORDER, NOT_APPLICABLE, TOTAL, VARIABLES
from orchestration.synth.distributions import Floats
from orchestration.synth.money import money_columns
from orchestration.synth.outlook import circumstances, total_normals
from orchestration.synth.parameters import District, Parameters
from orchestration.synth.villages import Integers, Villages

Columns = dict[str, NDArray[Any]]
"""A column's values by its name: numbers with NaN where blank, text with the empty string where blank."""

UNKNOWN_CODES = ("97", "99")


def draw_answers(
    parameters: Parameters,
    districts: tuple[District, ...],
    villages: Villages,
    random: np.random.Generator,
    *,
    clean: bool,
) -> Columns:
    """Answers of every household, village by village in the order given.

    The normals behind the answers are a village's own part plus a household's own part; both carry the
    measured covariance, and together each has variance one.
    """
    size = len(VARIABLES)
    shared = random.standard_normal((len(villages), size)) @ parameters.between
    normals = random.standard_normal((int(villages.households.sum()), size)) @ parameters.within
    normals += np.repeat(shared, villages.households, axis=0)
    drawn = _decode(districts, np.repeat(villages.district, villages.households), normals)
    columns: Columns = {**drawn, **money_columns(drawn), **_derived(drawn)}
    for name, present in (("loan_sources", "has_loan"), ("banana_diseases", "has_banana_disease")):
        columns[name] = _codes(parameters.codes[name], drawn[present] > 0, random, clean=clean)
    if clean:
        columns["fertilizer_type"] = _blank_where_none(columns["fertilizer_type"])
    return columns


def _decode(districts: tuple[District, ...], district: Integers, normals: Floats) -> dict[str, Floats]:
    drawn = {variable.name: np.zeros(len(normals)) for variable in VARIABLES}
    for position, here in enumerate(districts):
        rows = np.flatnonzero(district == position)
        for name, values in decode_district(here, normals[rows]).items():
            drawn[name][rows] = values
    return drawn


def decode_district(district: District, normals: Floats) -> dict[str, Floats]:
    """Every variable of households of one district from their normals, households x variables."""
    columns = dict(zip((variable.name for variable in VARIABLES), np.ascontiguousarray(normals.T), strict=True))
    drawn = {name: district.margins[name].decode(values) for name, values in columns.items() if name != TOTAL}
    for variable in VARIABLES:
        if variable.parent is not None:
            drawn[variable.name][drawn[variable.parent] <= 0] = 0.0
    total = total_normals(district.outlook, circumstances(drawn), columns[TOTAL])
    return drawn | {TOTAL: district.total.decode(total)}


def _derived(drawn: dict[str, Floats]) -> Columns:
    pesticide = drawn["organic_pesticide_expenditure_ugx"]
    return {
        "fertilizer_type": np.array(FERTILIZER_ORDER, float)[drawn["fertilizer_rank"].astype(np.int64)],
        "has_tippy_tap": np.minimum(drawn["hand_washing_level"], 1.0),
        "has_soap_or_ash": np.maximum(drawn["hand_washing_level"] - 1.0, 0.0),
        "has_perennial_cropping": np.minimum(drawn["perennial_crops_grown"], 1.0),
        "practises_water_control": np.ones(len(pesticide)),
        "organic_pesticide_expenditure_ugx": np.where(pesticide == NOT_APPLICABLE, np.nan, pesticide),
    }


def _codes(
    shares: dict[str, float],
    answered: NDArray[np.bool_],
    random: np.random.Generator,
    *,
    clean: bool,
) -> NDArray[Any]:
    """The codes given, several parted by a space; the empty string where the question does not apply."""
    known = {code: share for code, share in shares.items() if not (clean and code in UNKNOWN_CODES)}
    below = np.cumsum(list(known.values()))
    chosen = np.searchsorted(below / below[-1], random.random(len(answered)), side="right")
    codes = np.array([*known, ""])
    return np.where(answered, codes[chosen], "")


def _blank_where_none(codes: NDArray[Any]) -> Floats:
    return np.where(codes == FERTILIZER_NONE, np.nan, codes)
