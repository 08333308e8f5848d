"""The money columns: what was sold, every sum the export states, and the conversion to USD.

Sums are taken over whole UGX, which a float holds exactly, and converted once, so they hold to the end.
"""

from typing import Final

import numpy as np

from orchestration.synth.catalogue import PARTS_OF_TOTAL, SALES, TOTAL
from orchestration.synth.distributions import Floats
from orchestration.synth.headers import NAMES

_DOLLARS, _SHILLINGS = 4_033, 18_000_000
USD_PER_UGX: Final = _DOLLARS / _SHILLINGS
"""The export's rate: 4,463.18 UGX to the dollar, for savings group profits, assets and everything else."""
DAYS_PER_YEAR: Final = 365
STEP: Final = 100
"""What a part of a total and the part sold are rounded to, UGX."""
LARGEST_FACTOR: Final = 4.0
"""How far the parts drawn may be stretched or pressed to meet the total drawn."""

SUMS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("vegetable_income", ("season1_vegetable_income", "season2_vegetable_income"), ()),
    ("vegetable_value", ("season1_vegetable_value", "season2_vegetable_value"), ()),
    ("seasonal_crop_income", ("season1_crop_income", "season2_crop_income"), ()),
    ("seasonal_agricultural_value", ("season1_agricultural_value", "season2_agricultural_value"), ()),
    ("agricultural_value", ("seasonal_agricultural_value", "perennial_agricultural_value"), ()),
    (
        "household_income",
        (
            "formal_employment_income",
            "self_employment_income",
            "casual_labour_income",
            "remittances_and_gifts",
            "rent_income",
            "seasonal_crop_income",
            "perennial_crop_income",
            "livestock_income",
        ),
        (),
    ),
    (
        "consumption_and_residues",
        ("agricultural_value", "livestock_consumed_value"),
        ("seasonal_crop_income", "perennial_crop_income", "livestock_income"),
    ),
    ("income_consumption_residues", ("household_income", "consumption_and_residues"), ()),
    ("income_consumption_assets_residues", ("income_consumption_residues", "livestock_asset_value"), ()),
)
"""Each sum, in an order in which it can be taken: its name, what is added, what is taken away."""

PER_DAY: Final = {
    "household_income_per_day": "household_income",
    "consumption_per_day": "consumption_and_residues",
    "income_consumption_residues_per_day": "income_consumption_residues",
    "income_consumption_assets_residues_per_day": "income_consumption_assets_residues",
}

MONEY_COLUMNS: Final = NAMES[
    NAMES.index("season1_vegetable_income") : NAMES.index("income_consumption_assets_residues") + 1
]
"""The columns in USD a year that stand side by side."""


def money_columns(drawn: dict[str, Floats]) -> dict[str, Floats]:
    """Every money column of the export from the amounts (UGX) and shares drawn."""
    ugx = drawn | _parts_of_total(drawn)
    for sale in SALES:
        sold = np.rint(ugx[sale.share] * ugx[sale.value] / STEP) * STEP
        ugx[sale.income] = np.minimum(sold, ugx[sale.value])
    for name, added, taken in SUMS:
        ugx[name] = _sum(ugx, added) - _sum(ugx, taken) if taken else _sum(ugx, added)
    columns = {name: _usd(ugx[name]) for name in MONEY_COLUMNS}
    for name, whole in PER_DAY.items():
        columns[name] = columns[whole] / DAYS_PER_YEAR
    columns["assets_ugx"] = ugx["livestock_asset_value"]
    columns["assets_usd"] = columns["livestock_asset_value"]
    columns["vsla_profits_ugx"] = ugx["vsla_profits_ugx"]
    columns["vsla_profits_usd"] = _usd(ugx["vsla_profits_ugx"])
    return columns


def _parts_of_total(drawn: dict[str, Floats]) -> dict[str, Floats]:
    """The parts, stretched alike so that they add up to the total drawn.

    The total is drawn with the parts because a sum of parts that are related two by two is less well foretold
    by the other answers than the real total is.
    """
    together = np.maximum(_sum(drawn, PARTS_OF_TOTAL), STEP)
    factor = np.clip(drawn[TOTAL] / together, 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    return {
        part: np.where(drawn[part] > 0, np.maximum(np.rint(drawn[part] * factor / STEP), 1.0) * STEP, 0.0)
        for part in PARTS_OF_TOTAL
    }


def _sum(columns: dict[str, Floats], names: tuple[str, ...]) -> Floats:
    return np.asarray(np.sum([columns[name] for name in names], axis=0), dtype=np.float64)


def _usd(ugx: Floats) -> Floats:
    return ugx * _DOLLARS / _SHILLINGS
