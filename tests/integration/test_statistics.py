"""What the statistics flag of a second batch beside the frozen baselines, and on what they keep silent."""

import csv
import io
import random
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest_api.personal import stand_in_of
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.synth import write_surveys
from tests.surveys import load_text
from warehouse.crypto.keys import load_key_ring

pytestmark = [pytest.mark.xdist_group("statistics"), pytest.mark.timeout(900)]

HOUSEHOLDS = 2_800
FIRST_DAY, DAYS = date(2026, 1, 5), 70
OWN_HEADERS = ["enumerator_id", "device_id", "survey_date", "survey_round"]
YES_OR_NO = [
    "hhh_read_write", "latrine_constructed", "tippy_tap_available", "soap_ash_available", "standard_hangline",
    "kitchen_house", "bathroom_constructed", "swept_compound", "dish_rack_present", "non_bio_waste_mgt_present",
    "work_casual", "apply_liquid_manure", "save_mode_7", "perennial_cropping", "water_control_practise",
    "soil_management", "postharvest_food_storage",
]  # fmt: skip
OWN = ["int_field_baselines", "int_quality_*", "fct_quality_anomalies"]
SHIFTED, MISLED, CLEAN = "Rukungiri", "Kanungu", {"Mitooma", "Rubanda"}
ENUMERATORS = (*(f"E{number}" for number in range(6)), "BUSY", "HEAP", "COPY", "LINE")
STAND_INS = re.compile("personal:[a-p]{32}")
Anomaly = tuple[str, str, str | None]


class Survey:
    """The rows of a made-up survey, whose cells are named by header."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8") as file:
            self.header, *self.rows = list(csv.reader(file))
        self.header += OWN_HEADERS
        random.Random(3).shuffle(self.rows)  # noqa: S311
        for number, row in enumerate(self.rows):
            row += [f"E{number % 6}", f"D{number % 6}", str(FIRST_DAY + timedelta(days=number % DAYS)), "2026"]

    def change(self, row: list[str], **cells: str) -> None:
        """Write cells of a row, by their headers."""
        for name, value in cells.items():
            row[self.header.index(name)] = value

    def of(self, district: str) -> list[list[str]]:
        """The rows of the later half that lie in a district."""
        return [row for row in self.later if row[0] == district]

    @property
    def later(self) -> list[list[str]]:
        """The half that arrives when the baselines are frozen."""
        return self.rows[len(self.rows) // 2 :]

    def text(self, rows: Iterable[list[str]]) -> str:
        """The rows as a CSV file."""
        stream = io.StringIO()
        csv.writer(stream).writerows([self.header, *rows])
        return stream.getvalue()


def spoil(survey: Survey) -> None:
    """Shift the answers of one district, and let four enumerators and one slip of the pen mislead another one."""
    for row in survey.of(SHIFTED):
        survey.change(row, latrine_constructed="0", radios_owned="0")
    misled = survey.of(MISLED)
    survey.change(misled[0], AgricultureLand="190")
    for row in misled[10:50]:
        survey.change(row, enumerator_id="HEAP", TimeToWater="30", TimeToOPD="60")
    copied = misled[50]
    identifier = survey.header.index("HouseHoldID")
    for row in misled[51:90]:
        row[4:] = copied[4:]
        row[identifier] += "C"
    for row in misled[50:90]:
        survey.change(row, enumerator_id="COPY")
    for row in misled[90:130]:
        survey.change(row, enumerator_id="LINE", **dict.fromkeys(YES_OR_NO, "1"))
    for row in misled[130:175]:
        survey.change(row, enumerator_id="BUSY", survey_date="2026-02-02")


def arrive_on_survey_date(warehouse: Warehouse) -> None:
    """Let the rows that are stored have arrived on the day of their interview."""
    with warehouse.database.transaction() as connection:
        connection.execute("update raw.household_survey set received_at = survey_date::date + interval '12 hours'")


@pytest.fixture(scope="module")
def judged(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The warehouse with baselines of a first half and the anomalies of both."""
    path = tmp_path_factory.mktemp("statistics") / "surveys.csv"
    write_surveys(path, HOUSEHOLDS, seed=11, clean=True)
    survey = Survey(path)
    earlier = survey.rows[: len(survey.rows) // 2]
    spoil(survey)
    with Dbt(module_warehouse) as dbt:
        load_text(module_warehouse, survey.text(earlier))
        arrive_on_survey_date(module_warehouse)
        dbt.build("--select", "+int_field_baselines", "--resource-type", "model")
        load_text(module_warehouse, survey.text(survey.later), "later.csv")
        dbt.build("--select", "+fct_quality_anomalies", "--resource-type", "model")
    return module_warehouse


@pytest.fixture(scope="module")
def anomalies(judged: Warehouse) -> list[Anomaly]:
    """What is flagged: metric, entity and field of each anomaly, enumerators under their own names."""
    keys = load_key_ring(judged.settings)
    names = {stand_in_of(keys, "identifier", name): name for name in ENUMERATORS}
    with judged.database.transaction() as connection:
        rows = connection.execute("select metric, entity, field from marts_next.fct_quality_anomalies").fetchall()
    return [(metric, STAND_INS.sub(lambda found: names[found[0]], entity), field) for metric, entity, field in rows]


@pytest.mark.parametrize(
    "anomaly",
    [
        ("stability_index", SHIFTED, "has_latrine"),
        ("stability_index", SHIFTED, "radios_owned"),
        ("zero_share", SHIFTED, "radios_owned"),
        ("daily_volume", "all", None),
        ("daily_volume", "D0", None),
        ("interviews_a_day", "BUSY", None),
        ("digit_heaping", f"{MISLED} / HEAP", None),
        ("identical_answers", f"{MISLED} / COPY", None),
        ("straight_lining", f"{MISLED} / LINE", None),
    ],
    ids=str,
)
def test_injected_anomaly_is_found(anomalies: list[Anomaly], anomaly: Anomaly) -> None:
    assert anomaly in anomalies


@pytest.mark.parametrize(
    "is_innocent",
    [
        lambda metric, entity, _: metric in {"stability_index", "zero_share"} and entity in CLEAN,
        lambda metric, entity, field: metric == "stability_index" and (entity, field) == (SHIFTED, "has_kitchen"),
        lambda metric, entity, _: metric == "daily_volume" and entity in {"HEAP", "COPY"},
        lambda metric, entity, _: metric == "interviews_a_day" and entity not in {"BUSY", "COPY"},
        lambda _, entity, __: " / E" in entity,
    ],
)
def test_what_is_as_usual_stays_silent(anomalies: list[Anomaly], is_innocent: Callable[..., bool]) -> None:
    assert not [anomaly for anomaly in anomalies if is_innocent(*anomaly)]


def test_outliers_are_the_slip_and_few_others(judged: Warehouse) -> None:
    with judged.database.transaction() as connection:
        flagged = connection.execute(
            "select submission_id, field, value from marts_next.fct_quality_anomalies where metric = 'outlier'"
        ).fetchall()
    assert [(row[1], row[2]) for row in flagged if row[2] == 190] == [("agricultural_land_acres", 190)]
    assert len({row[0] for row in flagged}) < HOUSEHOLDS / 100


def test_copied_interviews_are_named(judged: Warehouse) -> None:
    with judged.database.transaction() as connection:
        statement = "select n from marts_next.fct_quality_anomalies where metric = 'identical_interview'"
        assert connection.execute(statement).fetchall() == [(40,)] * 40


def test_volume_stands_out_when_it_changes(judged: Warehouse) -> None:
    last_day = FIRST_DAY + timedelta(days=DAYS - 1)
    with judged.database.transaction() as connection:
        statement = (
            "select period from marts_next.fct_quality_anomalies where (metric, entity) = ('daily_volume', 'all')"
        )
        days = {date.fromisoformat(day) for (day,) in connection.execute(statement)}
    assert max(days) >= datetime.now(UTC).date() - timedelta(days=1)
    assert min(days) > last_day


def test_next_build_changes_nothing_and_passes_its_tests(judged: Warehouse) -> None:
    def digest() -> object:
        with judged.database.transaction() as connection:
            return connection.execute(
                "select count(*), md5(string_agg(anomalies::text, '' order by anomaly_id))"
                " from marts_next.fct_quality_anomalies as anomalies"
            ).fetchone()

    before = digest()
    with Dbt(judged) as dbt:
        dbt.build("--select", *OWN, "--indirect-selection", "cautious")
    assert digest() == before


def test_baselines_move_only_when_they_are_frozen_anew(judged: Warehouse) -> None:
    def households() -> int:
        with judged.database.transaction() as connection:
            row = connection.execute("select max(households) from validated.int_field_baselines").fetchone()
        return int(row[0]) if row else 0

    assert households() == HOUSEHOLDS // 2
    with Dbt(judged) as dbt:
        dbt.build("--select", "int_field_baselines", "--full-refresh", "--resource-type", "model")
        assert households() == HOUSEHOLDS // 2
        dbt.build("--select", "int_field_baselines", "--vars", "freeze_baselines: true", "--resource-type", "model")
        assert households() > HOUSEHOLDS // 2
