"""Kinds of defect that are planted into clean surveys, each with the rule that must name it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

Answers = dict[str, str]
TODAY: Final = datetime.now(UTC).date()
COLLISION: Final = "identifier_collision"
"""The one rule whose defect needs two surveys: both bear one identifier then."""


@dataclass(frozen=True)
class Fault:
    """A kind of defect.

    Attributes:
        words: what went wrong.
        rule: the rule that must be broken.
        spoil: makes the defect in a clean survey, in place.
    """

    words: str
    rule: str
    spoil: Callable[[Answers], None]


def writes(**answers: str) -> Callable[[Answers], None]:
    """A defect that stands in some cells whatever was there."""

    def spoil(survey: Answers) -> None:
        survey.update(answers)

    return spoil


def scales(field: str, factor: float) -> Callable[[Answers], None]:
    """A defect of an amount: multiplied, and at least 10 away from where it was."""

    def spoil(survey: Answers) -> None:
        survey[field] = str(float(survey[field]) * factor + 10)

    return spoil


def days_from_now(days: int) -> str:
    """A day as surveys write it."""
    return str(TODAY + timedelta(days=days))


def sell_more_than_grown(survey: Answers) -> None:
    """A digit too many in what was sold."""
    survey["season1_crop_income"] = str(float(survey["season1_agricultural_value"]) * 10 + 10)


def swap_coordinates(survey: Answers) -> None:
    """Longitude in the place of latitude."""
    survey["latitude"], survey["longitude"] = survey["longitude"], survey["latitude"]


def name_other_district(survey: Answers) -> None:
    """An identifier that begins with another district."""
    survey["household_id"] = "XXX" + survey["household_id"][3:]


def shorten_identifier(survey: Answers) -> None:
    """An identifier without its last part."""
    survey["household_id"] = survey["household_id"].rpartition("-")[0]


FAULTS: Final = (
    Fault("district left blank", "district_required", writes(district="")),
    Fault("household size left blank", "household_size_required", writes(household_size="")),
    Fault("village left blank", "village_missing", writes(village="")),
    Fault("400 people", "household_size_out_of_range", writes(household_size="400")),
    Fault("25 people", "household_size_implausible", writes(household_size="25")),
    Fault("negative minutes", "minutes_to_water_out_of_range", writes(minutes_to_water="-5")),
    Fault("999 acres", "agricultural_land_acres_out_of_range", writes(agricultural_land_acres="999")),
    Fault("90 acres", "land_implausible", writes(agricultural_land_acres="90")),
    Fault("negative wage", "casual_labour_income_out_of_range", writes(casual_labour_income="-50")),
    Fault("a number in letters", "integer_unreadable", writes(radios_owned="two")),
    Fault("an amount with its unit", "numeric_unreadable", writes(rent_income="100 USD")),
    Fault("neither yes nor no", "boolean_unreadable", writes(has_latrine="maybe")),
    Fault("30 February", "date_unreadable", writes(survey_date="2026-02-30")),
    Fault("codes in letters", "multi_code_unreadable", writes(loan_sources="bank")),
    Fault("a code that does not exist", "head_sex_unknown_code", writes(head_sex="3")),
    Fault("consent refused", "consent_refused", writes(consent="no")),
    Fault("interview next month", "survey_date_in_future", writes(survey_date=days_from_now(30))),
    Fault("a clock at 1970", "survey_date_too_early", writes(survey_date="1970-01-01")),
    Fault("arrived after two years", "survey_received_late", writes(survey_date=days_from_now(-730))),
    Fault("identifier cut off", "household_id_format", shorten_identifier),
    Fault("identifier of another district", "household_id_other_district", name_other_district),
    Fault("two households, one identifier", COLLISION, writes()),
    Fault("coordinates swapped", "coordinates_outside_uganda", swap_coordinates),
    Fault("longitude lost", "coordinates_incomplete", writes(longitude="")),
    Fault("a part of the income not asked", "income_module_incomplete", writes(rent_income="")),
    Fault("a question of the home not asked", "home_incomplete", writes(has_kitchen="")),
    Fault("a total that is no sum", "household_income_sum", scales("household_income", 1.1)),
    Fault("a target that is no sum", "income_consumption_residues_sum", scales("income_consumption_residues", 1.1)),
    Fault(
        "income of a month taken for a day's",
        "income_consumption_residues_per_day_rate",
        scales("income_consumption_residues_per_day", 30),
    ),
    Fault("dollars at another rate", "assets_usd_exchange", scales("assets_usd", 1.2)),
    Fault("a digit too many in what was sold", "season1_crop_income_above_harvest", sell_more_than_grown),
    Fault(
        "crops sold, none planted",
        "seasonal_crop_income_without_crops",
        writes(season1_crops_planted="0", season2_crops_planted="0", seasonal_crop_income="20"),
    ),
    Fault(
        "a salary, nobody salaried",
        "formal_employment_income_without_worker",
        writes(salaried_workers="0", formal_employment_income="100"),
    ),
    Fault("no meal a day", "daily_meals_implausible", writes(daily_meals="0")),
)
