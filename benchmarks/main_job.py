"""The main job on a survey file, the generator, and landing against a bare COPY; prints a Markdown table.

Ratios are measured within one run, so that they hold on another machine.
"""

import argparse
import resource
from pathlib import Path

from benchmarks.files import measure_landing
from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse, timed
from orchestration.demo import run_demo
from orchestration.pipeline import run_pipeline
from orchestration.sample import SAMPLE
from orchestration.synth import write_surveys


def measure_main_job(folder: Path, surveys: Path) -> list[Row]:
    """The demo from nothing on a file, then a second run with nothing new."""
    with scratch_warehouse(folder / "main") as warehouse:
        first = timed(lambda: run_demo(warehouse, None if surveys == SAMPLE else surveys))
        second = timed(lambda: run_pipeline(warehouse))
    return [
        ("main job from nothing, after installation", f"{first:.1f} s", "under 90 s"),
        ("second run with no new data", f"{second:.1f} s", "-"),
    ]


def measure_generator(folder: Path, households: int) -> tuple[Path, list[Row]]:
    """Writing made-up surveys."""
    path = folder / "surveys.csv"
    seconds = timed(lambda: write_surveys(path, households))
    return path, [(f"{households:,} made-up households", f"{seconds:.1f} s", "1,000,000 in under 60 s")]


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=Path, default=SAMPLE, help="file for the main job")
    parser.add_argument("--households", type=int, default=100_000, help="households for the generator and landing")
    options = parser.parse_args()
    with scratch_folder() as folder:
        rows = measure_main_job(folder, options.surveys)
        generated, more = measure_generator(folder, options.households)
        rows += more
        with scratch_warehouse(folder / "landing") as warehouse:
            rows += measure_landing(warehouse, generated)[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(("peak memory of the measuring process", f"{peak:,.0f} MiB", "-"))
    print_table(rows)


if __name__ == "__main__":
    main()
