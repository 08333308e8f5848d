"""The variables a household is drawn from; every column of the export follows from these.

Each variable has one standard normal behind it. An *ordinal* takes one of a few levels, an *amount* is a sum
of money in UGX a year that may be zero, a *share* is the part of a value that was sold, 0 to 1. A variable
with a parent is drawn only where the parent is above zero (a salary only where somebody is salaried).
"""

from dataclasses import dataclass
from typing import Final, Literal

NOT_APPLICABLE: Final = -1.0
"""Level of an ordinal whose cell is blank with a meaning (no organic pesticide used)."""

FERTILIZER_NONE: Final = 99
FERTILIZER_ORDER: Final = (FERTILIZER_NONE, 1, 3, 2)
"""The fertilizer codes from the poorest users to the best off, so that one normal can stand behind them."""


@dataclass(frozen=True)
class Variable:
    """One quantity that is drawn.

    Attributes:
        name: its column where it is one, otherwise a name of its own.
        kind: how its normal becomes a value.
        parent: variable that must be above zero for this one to exist.
        step: what an amount is rounded to, UGX; for a share, what the part sold is rounded to.
    """

    name: str
    kind: Literal["ordinal", "amount", "share"]
    parent: str | None = None
    step: int = 1


@dataclass(frozen=True)
class Sale:
    """A value of produce and the part of it that was sold: income = share x value."""

    value: str
    income: str
    share: str


SALES: Final = (
    Sale("season1_vegetable_value", "season1_vegetable_income", "season1_vegetable_share"),
    Sale("season2_vegetable_value", "season2_vegetable_income", "season2_vegetable_share"),
    Sale("season1_agricultural_value", "season1_crop_income", "season1_crop_share"),
    Sale("season2_agricultural_value", "season2_crop_income", "season2_crop_share"),
    Sale("perennial_agricultural_value", "perennial_crop_income", "perennial_crop_share"),
    Sale("livestock_consumed_value", "livestock_income", "livestock_share"),
)

TOTAL: Final = "income_consumption_residues"
PARTS_OF_TOTAL: Final = (
    "formal_employment_income",
    "self_employment_income",
    "casual_labour_income",
    "remittances_and_gifts",
    "rent_income",
    "season1_agricultural_value",
    "season2_agricultural_value",
    "perennial_agricultural_value",
    "livestock_consumed_value",
)
"""What the total comes to once the part sold is counted once: earnings, and the value of all produce."""

POVERTY_LINE: Final = 1.77 * 365 * 18_000_000 / 4_033
"""The total below which a household counts as vulnerable, UGX a year (1.77 USD a day)."""

_PLAIN_ORDINALS = (
    "household_size",
    "minutes_to_outpatient_care",
    "minutes_to_water",
    "agricultural_land_acres",
    "season1_crops_planted",
    "season2_crops_planted",
    "perennial_crops_grown",
    "head_sex",
    "head_literate",
    "wall_material",
    "radios_owned",
    "phones_owned",
    "has_casual_work",
    "salaried_workers",
    "in_savings_group",
    "has_loan",
    "fertilizer_rank",
    "daily_meals",
    "has_latrine",
    "hand_washing_level",
    "has_hangline",
    "has_kitchen",
    "has_bathroom",
    "has_swept_compound",
    "has_dish_rack",
    "composting",
    "manages_non_bio_waste",
    "applies_liquid_manure",
    "organic_pesticide_expenditure_ugx",
    "practises_soil_management",
    "has_postharvest_storage",
)

VARIABLES: Final = (
    *(Variable(name, "ordinal") for name in _PLAIN_ORDINALS),
    Variable("has_banana_disease", "ordinal", "perennial_crops_grown"),
    Variable("vsla_profits_ugx", "amount", "in_savings_group", 1_000),
    Variable("formal_employment_income", "amount", "salaried_workers", 10_000),
    Variable("self_employment_income", "amount", step=1_000),
    Variable("business_count", "ordinal", "self_employment_income"),
    Variable("casual_labour_income", "amount", "has_casual_work", 1_000),
    Variable("remittances_and_gifts", "amount", step=1_000),
    Variable("rent_income", "amount", step=5_000),
    Variable("season1_vegetable_value", "amount", step=100),
    Variable("season2_vegetable_value", "amount", step=100),
    Variable("season1_agricultural_value", "amount", step=100),
    Variable("season2_agricultural_value", "amount", step=100),
    Variable("perennial_agricultural_value", "amount", "perennial_crops_grown", 100),
    Variable("livestock_consumed_value", "amount", step=500),
    Variable("livestock_asset_value", "amount", step=1_000),
    Variable(TOTAL, "amount", step=100),
    *(Variable(sale.share, "share", sale.value, 100) for sale in SALES),
)
