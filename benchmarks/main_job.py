"""The main job on a survey file, the generator, and landing against a bare COPY; prints a Markdown table.

Ratios are measured within one run, so that they hold on another machine.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse, open_warehouse
from orchestration.demo import run_demo
from orchestration.pipeline import run_pipeline
from orchestration.sample import SAMPLE
from orchestration.synth import write_surveys
from warehouse.embedded import EmbeddedServer
from warehouse.settings import Settings

Row = tuple[str, str, str]


@contextmanager
def scratch_warehouse(home: Path) -> Iterator[Warehouse]:
    """A warehouse of the benchmark's own, whose server is stopped in the end."""
    with open_warehouse(Settings(_env_file=None, kyalo_home=home)) as warehouse:
        yield warehouse
    EmbeddedServer(home).stop()


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


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


def measure_landing(folder: Path, surveys: Path) -> list[Row]:
    """Landing a file against a bare COPY of the same file into text columns of the same server."""
    with scratch_warehouse(folder / "landing") as warehouse:
        bare = timed(lambda: copy_bare(warehouse, surveys))
        landed = timed(lambda: land(warehouse, surveys))
        with warehouse.database.transaction() as connection:
            (rows,) = connection.execute("select sum(received_rows)::bigint from raw.ingestions").fetchone() or (0,)
    return [
        (f"bare COPY of {rows:,} rows", f"{rows / bare:,.0f} rows/s", "-"),
        (f"landing of {rows:,} rows", f"{rows / landed:,.0f} rows/s", "-"),
        ("landing against bare COPY", f"{bare / landed:.2f}", "0.5 (goal of a later stage)"),
        ("records a minute, landing", f"{60 * rows / landed:,.0f}", "800,000"),
    ]


def copy_bare(warehouse: Warehouse, surveys: Path) -> None:
    """COPY a file as it is into a table of text columns."""
    with surveys.open() as file:
        columns = [f"column_{number} text" for number, _ in enumerate(next(csv.reader(file)))]
    with warehouse.database.transaction() as connection, surveys.open("rb") as file:
        connection.execute(f"create table bare ({', '.join(columns)})")  # type: ignore[call-overload]
        with connection.cursor().copy("copy bare from stdin (format csv, header)") as copy:
            while chunk := file.read(1024**2):
                copy.write(chunk)


def land(warehouse: Warehouse, surveys: Path) -> None:
    """Receive and land a file, as `kyalo load` does."""
    with surveys.open("rb") as file:
        receive_file(
            warehouse.database, warehouse.store, file, form="household_survey", filename=surveys.name, source="cli"
        )
    land_next(warehouse.database, warehouse.store)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=Path, default=SAMPLE, help="file for the main job")
    parser.add_argument("--households", type=int, default=100_000, help="households for the generator and landing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kyalo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        rows = measure_main_job(folder, options.surveys)
        generated, more = measure_generator(folder, options.households)
        rows += more + measure_landing(folder, generated)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(("peak memory of the measuring process", f"{peak:,.0f} MiB", "-"))
    print("| what | measured | goal |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
