"""Every row rule of every form, on a submission that breaks it and on one that comes close."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg import Connection
from psycopg.sql import SQL

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from tests.dbt_selections import WITHOUT_TESTS
from warehouse.contract import load_contract
from warehouse.database import fetch_rows

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

SURVEY, REPORT = "household_survey", "quarterly_report"
OUTCOMES = {SURVEY: "int_submission_outcomes", REPORT: "int_village_reports_judged"}
CASES = yaml.safe_load(Path(__file__).with_name("rule_cases.yml").read_text())
BROKEN = """
    select submission_id, failed_rules || flagged_rules
    from validated.{outcomes}
"""
LOSE_IDENTIFIER = """
    update raw.{form}
    set {identifier} = null
    where submission_key like '{identifier}_required%breaks'
"""
RULES = SQL("""
    select rule_id, stage, condition, predicate
    from marts_next.dim_quality_rules
    where form = %(form)s
""")
NEGATED = """
    select submission_id, array_remove(array[{negated}], null)
    from staging.stg_{form}__submissions
"""

Answers = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A rule, a change of a good submission that breaks it, one that does not, and one that stands beside the first."""

    form: str
    rule: str
    breaks: Answers
    holds: Answers
    beside: Answers | None = None

    @property
    def name(self) -> str:
        """What its submissions are called."""
        return " ".join([self.rule, *map(str, self.breaks.values())])[:60]


def contract_cases(form: str) -> Iterator[Case]:
    """What the contract implies: values beyond each range, a code out of each list, a blank in each required field."""
    for field in load_contract(form).fields:
        name = field.name
        if field.minimum is not None and field.maximum is not None:
            yield Case(form, f"{name}_out_of_range", {name: field.minimum - 1}, {name: field.minimum})
            yield Case(form, f"{name}_out_of_range", {name: field.maximum + 1}, {name: field.maximum})
        if field.codes:
            yield Case(form, f"{name}_unknown_code", {name: "7"}, {name: field.codes[0]})
        if field.required:
            yield Case(form, f"{name}_required", {name: None}, {})


def written_cases(form: str) -> Iterator[Case]:
    for rule, case in CASES[form]["rules"].items():
        yield Case(form, rule, case["breaks"], case.get("holds", {}), case.get("beside"))


ALL_CASES = [case for form in OUTCOMES for cases in (contract_cases, written_cases) for case in cases(form)]


def moved(value: object) -> object:
    """A day or a year as far from now as the case says."""
    match = re.fullmatch(r"(today|year)([+-]\d+)?", str(value))
    if not match:
        return value
    now, steps = datetime.now(UTC), int(match[2] or 0)
    return (now + timedelta(days=steps)).date() if match[1] == "today" else now.year + steps


def surveys() -> Iterator[Answers]:
    """The surveys of all cases, each under the case's name, and one that breaks nothing."""
    base = CASES[SURVEY]["base"]
    yield base | {"submission_id": "base", "household_id": "KAN-001-AAA-1"}
    for number, case in enumerate((case for case in ALL_CASES if case.form == SURVEY), start=100):
        for letters, kind in (("BRE", "breaks"), ("HOL", "holds"), ("BES", "beside")):
            changes = getattr(case, kind)
            identifier = f"KAN-{number}-{letters}-1"
            own = {"submission_id": f"{case.name} {kind}", "household_id": identifier}
            if changes is not None:
                yield base | own | changes | {"household_id": changes.get("household_id") or identifier}


def reports() -> Iterator[Answers]:
    """The reports of all cases, each under the case's name, and one that breaks nothing."""
    base = CASES[REPORT]["base"]
    yield base | {"submission_id": "base"}
    for case in ALL_CASES:
        if case.form == REPORT:
            for kind in ("breaks", "holds"):
                changes = getattr(case, kind)
                own = {"submission_id": f"{case.name} {kind}"}
                yield base | changes | own | {"village": changes.get("village") or base["village"]}


def write(rows: list[Answers]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: moved(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def load(warehouse: Warehouse, form: str, content: bytes) -> None:
    """Land submissions; the door lets none without an identifier pass, so the one that needs none loses it here."""
    receive_file(
        warehouse.database, warehouse.store, io.BytesIO(content), form=form, filename="cases.csv", source="cli"
    )
    assert land_next(warehouse.database, warehouse.store)
    lose_identifier = LOSE_IDENTIFIER.format(form=form, identifier=load_contract(form).identifier)
    with warehouse.database.transaction() as connection:
        assert connection.execute(lose_identifier.encode()).rowcount == 1


@dataclass(frozen=True)
class Judged:
    """A form's rules by the stage that decides them, those that each submission breaks, or would break negated."""

    rules: dict[str, str]
    broken: dict[str, set[str]]
    negated: dict[str, set[str]]


@pytest.fixture(scope="module")
def judged(module_warehouse: Warehouse) -> dict[str, Judged]:
    """All cases, judged by the models, by form."""
    load(module_warehouse, SURVEY, write(list(surveys())))
    load(module_warehouse, REPORT, write(list(reports())))
    with Dbt(module_warehouse) as dbt:
        dbt.build("--select", "+dim_quality_rules", *WITHOUT_TESTS)
    with module_warehouse.database.transaction() as connection:
        return {form: judged_of(connection, form) for form in OUTCOMES}


def judged_of(connection: Connection, form: str) -> Judged:
    rules = fetch_rows(connection, RULES, {"form": form})
    negated = NEGATED.format(form=form, negated=", ".join(negate(rule) for rule in rules))
    return Judged(
        {rule["rule_id"]: rule["stage"] for rule in rules},
        broken_by(connection, BROKEN.format(outcomes=OUTCOMES[form]).encode()),
        broken_by(connection, negated.encode()),
    )


def negate(rule: dict[str, str]) -> str:
    """A rule as SQL that names it where it is checked and holds; one that needs more than the row never is."""
    if rule["stage"] == "judged":
        return "null"
    return f"case when ({rule['condition']}) and not ({rule['predicate']}) then '{rule['rule_id']}' end"


def broken_by(connection: Connection, statement: bytes) -> dict[str, set[str]]:
    return {survey: set(rules) for survey, rules in connection.execute(statement).fetchall()}


@pytest.mark.parametrize("form", OUTCOMES)
def test_good_submission_breaks_no_rule(judged: dict[str, Judged], form: str) -> None:
    assert judged[form].broken["base"] == set()


@pytest.mark.parametrize("form", OUTCOMES)
def test_every_rule_has_a_case(judged: dict[str, Judged], form: str) -> None:
    assert set(judged[form].rules) == {case.rule for case in ALL_CASES if case.form == form}


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: f"{case.form} {case.name}")
def test_rule_is_broken_where_it_should_be_and_nowhere_else(judged: dict[str, Judged], case: Case) -> None:
    def told(broken: dict[str, set[str]]) -> list[bool]:
        return [case.rule in broken[f"{case.name} {kind}"] for kind in ("breaks", "holds")]

    assert told(judged[case.form].broken) == [True, False]
    assert told(judged[case.form].negated) != [
        True,
        False,
    ]  # or the case would not notice that the rule says the contrary
