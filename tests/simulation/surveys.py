"""Made-up surveys of some weeks: whole villages each day, as teams come home with them."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.synth import HEADERS, NAMES, write_surveys

Survey = dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What is surveyed when.

    Attributes:
        known: what was surveyed before the first day.
        days: the surveys of each day.
    """

    known: list[Survey]
    days: list[list[Survey]]


def plan_surveys(folder: Path, *, known: int, each_day: int, days: int, seed: int) -> Plan:
    """Draw villages for so many households at least, each village in one day."""
    path = folder / "all.csv"
    write_surveys(path, known + (days + 1) * (each_day + 60), seed=seed)
    villages: dict[tuple[str, ...], list[Survey]] = {}
    with path.open(newline="") as file:
        lines = csv.reader(file)
        next(lines)
        for line in lines:
            survey = dict(zip(NAMES, line, strict=True))
            villages.setdefault((survey["district"], survey["cluster"], survey["village"]), []).append(survey)
    left = list(villages.values())
    random.Random(seed).shuffle(left)  # noqa: S311 - chance that can be repeated
    return Plan(_take(left, known), [_take(left, each_day) for _ in range(days)])


def write_file(path: Path, surveys: Sequence[Survey]) -> Path:
    """Write surveys as the field's export has them."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADERS)
        lines.writerows([survey[name] for name in NAMES] for survey in surveys)
    return path


def _take(villages: list[list[Survey]], households: int) -> list[Survey]:
    taken: list[Survey] = []
    while len(taken) < households:
        taken += villages.pop()
    return taken
