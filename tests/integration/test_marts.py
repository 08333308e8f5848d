"""The marts for people on two rounds of the sample and a partner's reports: they agree, and answer the analyses."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from ingest_api.ledger import get_entry
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ingest_api.schemas import IngestionStatus, Results
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.pipeline import Request, run_pipeline
from tests.conftest import SAMPLE
from tests.dbt_selections import WITHOUT_TESTS
from tests.online_models import make_model, promote
from warehouse.settings import PROJECT_ROOT

pytestmark = [pytest.mark.xdist_group("marts"), pytest.mark.timeout(600)]

SECOND_ROUND = 400  # households of the sample that are surveyed again
QUESTIONS = sorted((PROJECT_ROOT / "dbt_project" / "analyses").glob("*.sql"))
REPORTS = """Partner,Year,Quarter,District,Village,Households,Households Visited,Savings per Member (USD)
Helpers,2027,1,{district},{village},500,20,10
Helpers,2027,1,Nowhere,Elsewhere,10,9,10
Helpers,2027,1,Nowhere,Elsewhere,10,10,10
Helpers,2027,5,{district},{village},10,20,many
"""
LACKING = """
select
    count(*) filter (where risk.risk_category = 'critical' and not ({has})),
    round(100 * avg((not ({has}))::integer) filter (where risk.risk_category = 'critical'), 1),
    round(100 * avg((not ({has}))::integer) filter (where risk.risk_category = 'low'), 1)
from marts.fct_household_risk as risk
inner join validated.fct_households as households on risk.household_round_id = households.household_round_id
where risk.is_latest_round
"""


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    """The warehouse after a run over two rounds of surveys, and reports on one of their villages.

    The champion is made by hand: who has more phones is better off.
    """
    head, *rows = list(csv.reader(SAMPLE.read_text().splitlines()))
    again = rows[:SECOND_ROUND]
    surveys = [[*head, "survey_round"], *([*row, "2026"] for row in rows), *([*row, "2027"] for row in again)]
    land(module_warehouse, "household_survey", written(surveys))
    place = dict(zip(head, rows[0], strict=True))
    reports = REPORTS.format(district=place["District"], village=place["Village"].upper())
    land(module_warehouse, "quarterly_report", reports)
    with Dbt(module_warehouse) as dbt:
        dbt.build("--exclude", "tag:marts", *WITHOUT_TESTS)
    promote(module_warehouse, make_model("screening", {"phones_owned": -1.0}), 1)
    run_pipeline(module_warehouse, Request(from_step="score"))
    return module_warehouse


def written(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def land(warehouse: Warehouse, form: str, text: str) -> None:
    content = io.BytesIO(text.encode())
    receive_file(warehouse.database, warehouse.store, content, form=form, filename="made.csv", source="cli")
    assert land_next(warehouse.database, warehouse.store)


def query(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.database.transaction() as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def compiled(built: Warehouse) -> dict[str, str]:
    """The SQL of the analyses, by name, over the published marts."""
    with Dbt(built) as dbt:
        manifest = dbt.compile("--select", "path:analyses", "--target", "published")
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "analysis"]
    return {node["name"]: node["compiled_code"] for node in nodes}


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_question_is_asked_and_answered(built: Warehouse, compiled: dict[str, str], question: Path) -> None:
    asked = question.read_text().splitlines()[0]
    assert asked.startswith("-- ")
    assert "?" in asked
    answer = query(built, compiled[question.stem])
    nobody_fell_back = question.stem == "which_households_fell_back"  # the second round says what the first one said
    assert bool(answer) != nobody_fell_back


@pytest.mark.parametrize(
    ("hardship", "has"),
    [
        ("nobody with salaried work", "households.salaried_workers > 0"),
        ("no radio", "households.radios_owned > 0"),
        ("no bathroom", "households.has_bathroom"),
        ("less than half an acre of land", "households.agricultural_land_acres >= 0.5"),
    ],
)
def test_every_hardship_of_a_household_counts(
    built: Warehouse, compiled: dict[str, str], hardship: str, has: str
) -> None:
    answers = query(built, compiled["what_do_critical_households_lack"])
    assert query(built, LACKING.format(has=has)) == [row[1:] for row in answers if row[0] == hardship]


def test_household_is_counted_once_and_keeps_its_history(built: Warehouse) -> None:
    ((households, rounds),) = query(built, "select count(*), sum(rounds_surveyed) from marts.dim_households")
    ((risks, twice),) = query(
        built, "select count(*), count(*) filter (where previous_round = '2026') from marts.fct_household_risk"
    )
    assert rounds == risks == households + twice
    assert twice > SECOND_ROUND * 0.9  # a few stand in quarantine
    stories = query(
        built, "select history from marts.dim_households where last_round = '2027' and first_round = '2026'"
    )
    assert len(stories) == twice
    assert all([entry["round"] for entry in story] == ["2026", "2027"] for (story,) in stories)


def test_progress_says_same_where_nothing_changed(built: Warehouse) -> None:
    assert {row[0] for row in query(built, "select distinct progress from marts.rpt_progress")} == {"same"}


def test_summaries_count_the_same_households(built: Warehouse) -> None:
    tables = ("rpt_district_summary", "rpt_cluster_summary", "rpt_village_priorities")
    counted = [query(built, f"select sum(households), sum(people) from marts.{table}") for table in tables]
    assert counted[0] == counted[1] == counted[2]


def test_report_that_breaks_a_rule_is_kept_counted_and_told(built: Warehouse) -> None:
    ((ingestion_id, *counts),) = query(
        built,
        "select ingestion_id, staged_submissions, released_submissions, superseded_submissions, held_submissions, "
        "quarantined_submissions from marts.rpt_ingestions where form = 'quarterly_report'",
    )
    assert counts == [4, 2, 1, 0, 1]
    status = IngestionStatus.of(get_entry(built.database, ingestion_id), [])
    assert (status.status, status.progress.valid_records, status.progress.failed_records) == ("completed", 3, 1)
    assert status.results == Results(predictions_generated=0, vulnerable_households=0, quality_score=75)
    assert query(
        built,
        "select row_number, report_quarter, failed_rules, reasons -> 0 ->> 'message', reasons -> 0 -> 'values' "
        "from marts.fct_quarantined_village_reports",
    ) == [
        (
            5,
            5,
            ["report_quarter_out_of_range"],
            "report_quarter is not between 1 and 4",
            {"report_quarter": 5},
        )
    ]
    broken = query(
        built,
        "select rule_id, broken_submissions from marts.dim_quality_rules "
        "where form = 'quarterly_report' and broken_submissions > 0 order by rule_id",
    )
    assert broken == [
        ("households_visited_above_village", 1),
        ("numeric_unreadable", 1),
        ("report_quarter_out_of_range", 1),
    ]


def test_report_meets_its_village(built: Warehouse) -> None:
    reports = query(
        built,
        "select has_survey, households_surveyed > 0, mean_savings_ugx, visit_coverage_percent::text "
        "from marts.fct_village_reports order by households_in_village desc",
    )
    assert reports == [(True, True, 44632, "4.0"), (False, False, 44632, "100.0")]
    visited = query(
        built,
        "select last_visited_quarter, households_unvisited from marts.rpt_village_priorities "
        "where is_visited_by_partner",
    )
    assert visited == [("2027 Q1", 480)]
