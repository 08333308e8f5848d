"""Defects of known kinds planted into clean made-up surveys, and what the rules say of them: a Markdown table."""

import argparse
import csv
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault_kinds import COLLISION, FAULTS, Answers, Fault, days_from_now
from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.synth import write_surveys
from orchestration.synth.headers import NAMES

FIRST_ROW = 2  # after the header
ASKED_BESIDE = {"survey_date": days_from_now(-10), "consent": "1", "latitude": "-0.9", "longitude": "29.8"}
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
OUTCOMES = "select row_number, failed_rules, flagged_rules from validated.int_submission_outcomes"


@dataclass(frozen=True)
class Findings:
    """What the rules said of a file with defects.

    Attributes:
        planted: surveys with a defect, by its rule.
        caught: those of them that break this very rule.
        clean: surveys without a defect.
        rejected: clean surveys that break a rule which keeps them back.
        flagged: clean surveys that break any other.
    """

    planted: Counter[str]
    caught: Counter[str]
    clean: int
    rejected: int
    flagged: int


def find_faults(warehouse: Warehouse, folder: Path, *, households: int, each: int, seed: int = 42) -> Findings:
    """Plant `each` defects of every kind into a file of `households`, land it, run the models, and count."""
    clean, spoilt = folder / "clean.csv", folder / "spoilt.csv"
    write_surveys(clean, households, seed=seed, clean=True)
    planted = plant(clean, spoilt, households, each, seed)
    with spoilt.open("rb") as file:
        receive_file(
            warehouse.database, warehouse.store, file, form="household_survey", filename=spoilt.name, source="cli"
        )
    land_next(warehouse.database, warehouse.store)
    with Dbt(warehouse) as dbt:
        dbt.build("--select", "+int_submission_outcomes", *WITHOUT_TESTS)
    return count(warehouse, planted)


def plant(clean: Path, spoilt: Path, households: int, each: int, seed: int) -> dict[int, str]:
    """Copy a file with defects in it; the rule that must name the defect, by the number of the row.

    Defects stand in every second row at most, so that the row before is free to lend its identifier.
    """
    chosen = random.Random(seed).sample(range(1, households, 2), each * len(FAULTS))  # noqa: S311 - no secret
    faults = {position: FAULTS[number % len(FAULTS)] for number, position in enumerate(chosen)}
    with clean.open(newline="") as source, spoilt.open("w", newline="") as target:
        lines = csv.reader(source)
        next(lines)
        writer = csv.DictWriter(target, [*NAMES, *ASKED_BESIDE], lineterminator="\n")
        writer.writeheader()
        surveys = (dict(zip(NAMES, line, strict=True)) | ASKED_BESIDE for line in lines)
        writer.writerows(spoil(surveys, faults))
    return dict(rows_to_name(faults))


def spoil(surveys: Iterator[Answers], faults: dict[int, Fault]) -> Iterator[Answers]:
    """The surveys, some of them with their defect."""
    before: Answers = {}
    for position, survey in enumerate(surveys):
        fault = faults.get(position)
        if fault:
            fault.spoil(survey)
            if fault.rule == COLLISION:
                survey["household_id"] = before["household_id"]
        yield survey
        before = survey


def rows_to_name(faults: dict[int, Fault]) -> Iterator[tuple[int, str]]:
    """The rows that a rule must name: those with a defect, and those that lent their identifier."""
    for position, fault in faults.items():
        yield position + FIRST_ROW, fault.rule
        if fault.rule == COLLISION:
            yield position + FIRST_ROW - 1, fault.rule


def count(warehouse: Warehouse, planted: dict[int, str]) -> Findings:
    """Compare what was planted with what the rules said."""
    caught: Counter[str] = Counter()
    rejected = flagged = 0
    with warehouse.database.transaction() as connection:
        outcomes = connection.execute(OUTCOMES).fetchall()
    for row_number, failed_rules, flagged_rules in outcomes:
        rule = planted.get(row_number)
        if rule is not None:
            caught[rule] += rule in (*failed_rules, *flagged_rules)
        else:
            rejected += bool(failed_rules)
            flagged += bool(flagged_rules)
    return Findings(Counter(planted.values()), caught, len(outcomes) - len(planted), rejected, flagged)


def tabulate(findings: Findings) -> list[Row]:
    """The findings as rows of a table."""
    planted, caught = findings.planted.total(), findings.caught.total()
    return [
        *(
            (f"{fault.words}: {fault.rule}", f"{findings.caught[fault.rule]} of {findings.planted[fault.rule]}", "99 %")
            for fault in FAULTS
        ),
        (f"all {len(FAULTS)} kinds, caught by the rule that names them", f"{caught / planted:.2%}", "99 %"),
        (f"clean surveys rejected, of {findings.clean:,}", f"{findings.rejected}", "0"),
        ("clean surveys flagged", f"{findings.flagged / findings.clean:.2%}", "1 %"),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=100_000, help="surveys in the file")
    parser.add_argument("--each", type=int, default=100, help="defects of each kind")
    options = parser.parse_args()
    with scratch_folder() as folder, scratch_warehouse(folder / "faults") as warehouse:
        print_table(tabulate(find_faults(warehouse, folder, households=options.households, each=options.each)))


if __name__ == "__main__":
    main()
