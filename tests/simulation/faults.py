"""Twelve faults, each with the alert that must name it: in the surveys of a day, or in what stands around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestration.alerts.book import Alert
from tests.simulation.clock import Days
from tests.simulation.surveys import Survey
from warehouse.contract import load_contract

Batch = Sequence[Survey]
INCOME = [field.name for field in load_contract("household_survey").fields if field.component_of_target]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        words: what.
        alert: the rule that must find it, and no other.
        happen: lets it go wrong on a day with these surveys, and tells the alerts that there are then.
    """

    words: str
    alert: str
    happen: Callable[[Days, Batch], list[Alert]]


def in_surveys(spoil: Callable[[int, Survey], Survey]) -> Callable[[Days, Batch], list[Alert]]:
    """A fault in the surveys of a day, by the number of the survey."""
    return lambda days, batch: days.pass_day([spoil(number, dict(survey)) for number, survey in enumerate(batch)])


def around(statement: str, hours: int = 0) -> Callable[[Days, Batch], list[Alert]]:
    """A fault in what stands around the surveys, some hours after a run that went well."""

    def happen(days: Days, _: Batch) -> list[Alert]:
        days.now += timedelta(hours=hours)
        return days.look(statement)

    return happen


def in_hours(_: int, survey: Survey) -> Survey:
    """Minutes told as hours."""
    minutes = survey["minutes_to_water"]
    return {**survey, "minutes_to_water": f"{float(minutes) / 60:.2f}" if minutes else ""}


def swapped(_: int, survey: Survey) -> Survey:
    """Two columns under each other's header."""
    return {**survey, "has_kitchen": survey["has_soap_or_ash"], "has_soap_or_ash": survey["has_kitchen"]}


def half_blank(number: int, survey: Survey) -> Survey:
    """A question that every other phone skips."""
    return {**survey, "radios_owned": ""} if number % 2 else survey


def elsewhere(number: int, survey: Survey) -> Survey:
    """A team in a district where nobody was before."""
    identifier = "KIT" + survey["household_id"][3:]
    return {**survey, "district": "Kitgum", "household_id": identifier} if number % 5 == 0 else survey


def without_income(number: int, survey: Survey) -> Survey:
    """A form without the income module on most phones."""
    return survey | dict.fromkeys(INCOME, "") if number % 4 else survey


def one_list_twice(days: Days, batch: Batch) -> list[Alert]:
    """Two teams that number their households by one list; the gate closes on it, and says so."""
    surveys = [dict(survey) for survey in batch]
    for number in range(0, len(surveys) // 2, 2):
        surveys[number]["household_id"] = surveys[number + 1]["household_id"]
    return days.pass_day(surveys)


FAULTS = (
    Fault("late run", "late_run", around("select %(now)s", hours=26)),
    Fault("empty batch", "empty_upload", lambda days, batch: days.pass_day(batch, [])),
    Fault("unit change", "answers_changed", in_surveys(in_hours)),
    Fault("swapped column", "answers_changed", in_surveys(swapped)),
    Fault("null burst", "answers_changed", in_surveys(half_blank)),
    Fault(
        "stale model",
        "stale_model",
        around("update ml.models set trained_at = %(now)s - interval '366 days' where track = 'screening'"),
    ),
    Fault(
        "wrong champion",
        "wrong_champion",
        around("update ml.predictions set model_version = 999 where track = 'screening' and superseded_at is null"),
    ),
    Fault("new district", "new_district", in_surveys(elsewhere)),
    Fault("duplicate identifiers", "gate_closed", one_list_twice),
    Fault(
        "dead worker",
        "silent_process",
        around("update ops.heartbeats set beat_at = %(now)s - interval '5 minutes' where process = 'worker'"),
    ),
    Fault("full disk", "disk_full", around("update ops.system_metrics set disk_share = 0.97")),
    Fault("label drop", "income_missing", in_surveys(without_income)),
)
