"""What is found of personal data that no contract marks, and what it costs; prints two Markdown tables."""

import argparse
import csv
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.detection_cases import FAMILIES, cases
from benchmarks.scratch import Row, print_table
from ingest_api.detection import Detector, Kind
from ingest_api.records import csv_line
from orchestration.synth import write_surveys
from warehouse.contract import load_contract

CASES = 500
HOUSEHOLDS = 20_000
BATCH_ROWS = 10_000
TIMES = 5
MEMBERS = '[{"age":3,"sex":"male"},{"age":5,"sex":"female"}]'
DETECTOR = Detector([], [])


def precision_and_recall(count: int) -> list[Row]:
    """Of each family of cases, how many were found, as what they are; of what is not personal, how many were."""
    rows: list[Row] = []
    told: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for family in FAMILIES:
        found = [find(header, answer) for header, answer in cases(family, count)]
        told.update(kind for kinds in found for kind in kinds)
        hits = sum(family.kind in kinds if family.kind else not kinds for kinds in found)
        if family.kind:
            right[family.kind] += hits
            rows.append((f"{family.kind}: {family.name}", f"{hits / count:.1%} found", "-"))
        else:
            rows.append((f"nothing: {family.name}", f"{1 - hits / count:.1%} found", "-"))
    rows += [(f"{kind}: what was told so and is", f"{right[kind] / told[kind]:.1%}", "-") for kind in sorted(told)]
    return rows


def find(header: str, answer: str) -> tuple[Kind, ...]:
    """What is found in an answer that stands in the extras."""
    return DETECTOR.find([], {header: answer}).extras.get(header, ())


def cost(path: Path) -> list[Row]:
    """Of a file of ordinary surveys, what the search costs and what it finds."""
    contract = load_contract("household_survey")
    with path.open(encoding="utf-8", newline="") as file:
        header, *answers = csv.reader(file)
    names = [name or text for name, text in zip(contract.resolve(header), header, strict=True)]
    detector = Detector(names, [field.name for field in contract.fields if field.pii])
    lines = list(map(csv_line, answers))
    batch = (lines * (1 + BATCH_ROWS // len(lines)))[:BATCH_ROWS]
    started = time.perf_counter()
    for cells in answers:
        detector.find(cells, {"members": MEMBERS})
    closely = (time.perf_counter() - started) / len(answers)
    found = sum(bool(detector.find(cells, {}).fields) for cells in answers)
    return [
        ("search, a row of a batch", f"{_seconds(detector, batch) / len(batch) * 1e6:.1f} microseconds", "1"),
        ("search, a row alone", f"{_seconds(detector, batch[:1]) * 1e6:.0f} microseconds", "-"),
        ("a row with a roster as JSON, looked at closely", f"{closely * 1e6:.0f} microseconds", "-"),
        ("rows that are looked at closely", f"{len(detector.suspicious(lines)) / len(lines):.2%}", "-"),
        ("rows with findings", f"{found} of {len(lines):,}", "0"),
    ]


def _seconds(detector: Detector, lines: Sequence[str]) -> float:
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        detector.suspicious(lines)
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help="cases of each family")
    parser.add_argument("--surveys", type=Path, help="a file of ordinary surveys; else they are made up")
    arguments = parser.parse_args()
    print_table(precision_and_recall(arguments.cases))
    with tempfile.TemporaryDirectory() as folder:
        surveys = arguments.surveys or Path(folder, "surveys.csv")
        if not arguments.surveys:
            write_surveys(surveys, HOUSEHOLDS)
        print_table(cost(surveys))


if __name__ == "__main__":
    main()
