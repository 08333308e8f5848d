"""Drift that is there and drift that is not: how often one batch of 1,000 households shows it, as a Markdown table.

Again and again a model is trained on the households of some villages, and watches those of others as the pipeline
does: as they are, and with something changed in a column of the feature mart. The scores of a changed batch stay
those of the clean one, so that nothing but the column can show the change.
"""

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from benchmarks.watched import Population, Watched, build, time_check
from ml.splits import SEED
from ml.watching.batch import LEAST_BATCH
from orchestration.synth import write_surveys
from warehouse.database import Database

MADE_UP = 30_000
BATCH = 1_000
CLEAN_BATCHES = 8
MORE = "{0} = {0} + 0.5 * (select stddev({0}) from population)"
MISSING = "{0} = case when random() > 0.3 then {0} end"
SWAPPED = "{0} = {1}, {1} = {0}"
CLEAN = "submission_id = submission_id"
CHANGES = {
    **{
        f"{column} half a standard deviation higher": MORE.format(column)
        for column in ("household_size", "assets_usd", "agricultural_land_acres", "perennial_crops_grown")
    },
    "minutes_to_water in hours": "minutes_to_water = minutes_to_water / 60",
    "agricultural_land_acres in hectares": "agricultural_land_acres = agricultural_land_acres * 0.4047",
    "assets_usd in shillings": "assets_usd = assets_usd * 3700",
    **{
        f"30 % of {column} missing": MISSING.format(column)
        for column in ("head_sex", "phones_owned", "minutes_to_water", "has_kitchen")
    },
    **{
        f"{one} and {other} swapped": SWAPPED.format(one, other)
        for one, other in (
            ("minutes_to_water", "minutes_to_outpatient_care"),
            ("season1_crops_planted", "perennial_crops_grown"),
            ("has_kitchen", "has_tippy_tap"),
        )
    },
}


@dataclass
class Counts:
    """What was seen of batches of 1,000 households.

    Attributes:
        looked: batches that were looked at, by change; the clean ones, too.
        drifted: those of them in which anything seemed to have drifted.
        covered: clean batches whose real accuracy lay in the interval of the expected one.
    """

    looked: Counter[str] = field(default_factory=Counter)
    drifted: Counter[str] = field(default_factory=Counter)
    covered: int = 0

    def share(self, change: str) -> float:
        """Share of the batches with that change in which anything seemed to have drifted."""
        return self.drifted[change] / self.looked[change]


def measure(database: Database, population: Population, models: int) -> Counts:
    """Train so many models, and show each of them some clean batches and every change once."""
    counts, random = Counts(), np.random.default_rng(SEED)
    for version in range(1, models + 1):
        training, others = population.draw(random)
        watched = Watched(database, version, training)
        batches = [others[start : start + BATCH] for start in range(0, CLEAN_BATCHES * BATCH, BATCH)]
        batches = [batch for batch in batches if len(batch) >= LEAST_BATCH]
        for batch in batches:
            counts.looked[CLEAN] += 1
            counts.drifted[CLEAN] += watched.sees_drift(batch, CLEAN)
            counts.covered += watched.is_covered()
        for name, change in CHANGES.items():
            counts.looked[name] += 1
            counts.drifted[name] += watched.sees_drift(batches[0], change)
    return counts


def tabulate(counts: Counts) -> list[Row]:
    """The shares beside their goals."""
    looked = counts.looked[CLEAN]
    rows = [
        (f"{looked:,} clean batches: false alarms", f"{counts.share(CLEAN):.1%}", "at most 2 %"),
        ("their real accuracy in the interval", f"{counts.covered / looked:.1%}", "90 %"),
    ]
    rows += [(name, f"{counts.share(name):.0%}", "found in 90 %") for name in CHANGES]
    return rows


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=Path, help="a file of surveys in the place of made-up ones")
    parser.add_argument("--models", type=int, default=25, help="how many models are trained")
    parser.add_argument("--households", type=int, default=1_000_000, help="of one more check, which is timed")
    options = parser.parse_args()
    with scratch_folder() as folder, scratch_warehouse(folder / "home") as warehouse:
        surveys = options.surveys or folder / "surveys.csv"
        if not options.surveys:
            write_surveys(surveys, MADE_UP)
        rows = tabulate(measure(warehouse.database, build(warehouse, surveys), options.models))
        seconds = time_check(warehouse.database, options.households)
        rows.append((f"one check of {options.households:,} households", f"{seconds:.1f} s", "under 20 s"))
        print_table(rows)


if __name__ == "__main__":
    main()
