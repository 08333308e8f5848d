"""Building the warehouse: from nothing, with one per cent more, with nothing new; prints Markdown tables.

Every time is that of `kyalo build` in a process of its own: all models, all tests, publication.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scratch import MAIN, Row, print_table, scratch_folder, scratch_warehouse, timed
from orchestration.context import Warehouse
from orchestration.loading import load_file
from orchestration.synth import write_surveys

SIZES = (100_000, 1_000_000)
MORE_SEED = 7


@dataclass(frozen=True)
class Times:
    """What building took, in seconds, and whether a re-sent file changed anything."""

    submissions: int
    full: float
    more: float
    again: float
    changed_again: str


def measure(folder: Path, submissions: int) -> Times:
    """Build from nothing, add one per cent, then send that again."""
    first, more = folder / f"{submissions}.csv", folder / f"{submissions}_more.csv"
    write_surveys(first, submissions)
    write_surveys(more, submissions // 100, seed=MORE_SEED)
    with scratch_warehouse(folder / str(submissions)) as warehouse:
        _load(warehouse, first)
        full = timed(lambda: _build(warehouse))
        _load(warehouse, more)
        added = timed(lambda: _build(warehouse))
        _load(warehouse, more)
        said: list[str] = []
        again = timed(lambda: said.append(_build(warehouse)))
        return Times(submissions, full, added, again, said[0].rpartition("; ")[2])


def rows(times: list[Times]) -> list[Row]:
    """The measurements beside their goals."""
    found: list[Row] = []
    for size in times:
        name = f"{size.submissions:,} submissions"
        found += [
            (f"{name}, from nothing", f"{size.full:.1f} s", "1,000,000 under 150 s"),
            (f"{name}, 1 % more", f"{size.more:.1f} s = {size.more / size.full:.1%}", "under 12 %"),
            (f"{name}, re-sent", f"{size.again:.1f} s, {size.changed_again}", "no row changes"),
        ]
    smallest, largest = times[0], times[-1]
    growth, grown = largest.full / smallest.full, largest.submissions / smallest.submissions
    found.append((f"{grown:.0f} times the submissions", f"{growth:.1f} times the time", f"at most {grown:.0f}"))
    return found


def _load(warehouse: Warehouse, path: Path) -> None:
    load_file(warehouse, path, "household_survey")


def _build(warehouse: Warehouse) -> str:
    """Run the command as a user would; its last line."""
    home = warehouse.settings.home
    command = [sys.executable, "-c", MAIN, "build"]
    done = subprocess.run(
        command, env={**os.environ, "KYALO_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip().replace("\n", " ")


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="submissions to build from nothing")
    options = parser.parse_args()
    with scratch_folder() as folder:
        print_table(rows([measure(folder, size) for size in options.sizes]))


if __name__ == "__main__":
    main()
