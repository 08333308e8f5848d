"""Every row rule of the household survey, on a survey that breaks it and on one that comes close."""

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
from warehouse.contract import load_contract
from warehouse.database import fetch_rows

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

FORM = "household_survey"
CASES = yaml.safe_load(Path(__file__).with_name("rule_cases.yml").read_text())
EXCLUDED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
BROKEN = """
    select submission_id, failed_rules || flagged_rules
    from validated.int_submission_outcomes
"""
LOSE_IDENTIFIER = """
    update raw.household_survey
    set household_id = null
    where submission_key like 'household_id_required%breaks'
"""
RULES = SQL("""
    select rule_id, stage, condition, predicate
    from marts_next.dim_quality_rules
    where form = 'household_survey'
""")
NEGATED = """
    select submission_id, array_remove(array[{negated}], null)
    from staging.stg_household_survey__submissions
"""

Answers = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A rule, a change of the survey that breaks it, one that does not, and a survey that stands beside the first."""

    rule: str
    breaks: Answers
    holds: Answers
    beside: Answers | None = None

    @property
    def name(self) -> str:
        """What its surveys are called."""
        return " ".join([self.rule, *map(str, self.breaks.values())])[:60]


def contract_cases() -> Iterator[Case]:
    """What the contract implies: values beyond each range, a code out of each list, a blank in each required field."""
    for field in load_contract(FORM).fields:
        name = field.name
        if field.minimum is not None and field.maximum is not None:
            yield Case(f"{name}_out_of_range", {name: field.minimum - 1}, {name: field.minimum})
            yield Case(f"{name}_out_of_range", {name: field.maximum + 1}, {name: field.maximum})
        if field.codes:
            yield Case(f"{name}_unknown_code", {name: "7"}, {name: field.codes[0]})
        if field.required:
            yield Case(f"{name}_required", {name: None}, {})


def written_cases() -> Iterator[Case]:
    for rule, case in CASES["rules"].items():
        yield Case(rule, case["breaks"], case.get("holds", {}), case.get("beside"))


ALL_CASES = [*contract_cases(), *written_cases()]


def moved(value: object) -> object:
    """A day or a year as far from now as the case says."""
    match = re.fullmatch(r"(today|year)([+-]\d+)?", str(value))
    if not match:
        return value
    now, steps = datetime.now(UTC), int(match[2] or 0)
    return (now + timedelta(days=steps)).date() if match[1] == "today" else now.year + steps


def surveys() -> Iterator[Answers]:
    """The surveys of all cases, each under the case's name, and one that breaks nothing."""
    yield CASES["base"] | {"submission_id": "base", "household_id": "KAN-001-AAA-1"}
    for number, case in enumerate(ALL_CASES, start=100):
        for letters, kind in (("BRE", "breaks"), ("HOL", "holds"), ("BES", "beside")):
            changes = getattr(case, kind)
            identifier = f"KAN-{number}-{letters}-1"
            own = {"submission_id": f"{case.name} {kind}", "household_id": identifier}
            if changes is not None:
                yield CASES["base"] | own | changes | {"household_id": changes.get("household_id") or identifier}


def write(rows: list[Answers]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: moved(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def load(warehouse: Warehouse, content: bytes) -> None:
    receive_file(
        warehouse.database, warehouse.store, io.BytesIO(content), form=FORM, filename="cases.csv", source="cli"
    )
    assert land_next(warehouse.database, warehouse.store)


@dataclass(frozen=True)
class Judged:
    """The rules by the stage that decides them, those that each survey breaks, and those it would break negated."""

    rules: dict[str, str]
    broken: dict[str, set[str]]
    negated: dict[str, set[str]]


@pytest.fixture(scope="module")
def judged(module_warehouse: Warehouse) -> Judged:
    """All cases, judged by the models; the door lets no survey without an identifier pass, so one loses it here."""
    load(module_warehouse, write(list(surveys())))
    with module_warehouse.database.transaction() as connection:
        assert connection.execute(LOSE_IDENTIFIER).rowcount == 1
    with Dbt(module_warehouse) as dbt:
        dbt.build("--select", "+dim_quality_rules", *EXCLUDED)
    with module_warehouse.database.transaction() as connection:
        rules = fetch_rows(connection, RULES)
        broken = broken_by(connection, BROKEN.encode())
        negated = broken_by(connection, NEGATED.format(negated=", ".join(negate(rule) for rule in rules)).encode())
    return Judged({rule["rule_id"]: rule["stage"] for rule in rules}, broken, negated)


def negate(rule: dict[str, str]) -> str:
    """A rule as SQL that names it where it is checked and holds; one that needs more than the row never is."""
    if rule["stage"] == "judged":
        return "null"
    return f"case when ({rule['condition']}) and not ({rule['predicate']}) then '{rule['rule_id']}' end"


def broken_by(connection: Connection, statement: bytes) -> dict[str, set[str]]:
    return {survey: set(rules) for survey, rules in connection.execute(statement).fetchall()}


def test_good_survey_breaks_no_rule(judged: Judged) -> None:
    assert judged.broken["base"] == set()


def test_every_rule_has_a_case(judged: Judged) -> None:
    assert set(judged.rules) == {case.rule for case in ALL_CASES}


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)
def test_rule_is_broken_where_it_should_be_and_nowhere_else(judged: Judged, case: Case) -> None:
    def told(broken: dict[str, set[str]]) -> list[bool]:
        return [case.rule in broken[f"{case.name} {kind}"] for kind in ("breaks", "holds")]

    assert told(judged.broken) == [True, False]
    assert told(judged.negated) != [True, False]  # or the case would not notice that the rule says the contrary
