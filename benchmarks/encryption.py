"""What encryption and detection cost where files are landed: the same files with both, and with neither.

Two files: the survey's own 75 columns, in which nothing is personal but what might hide there, and the same with a
name, a telephone number, coordinates and an enumerator in every row. The ways take turns, and the fastest round of each
counts.
"""

import argparse
import csv
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ingest_api.loading import land_next
from ingest_api.personal import Sealed, Sealer
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.synth import write_surveys
from warehouse.stores import LocalStore

GOAL = "under 25 %"
PERSONAL = ("respondent_name", "phone_number", "latitude", "longitude", "enumerator_id")
NAMES = ("Nakato", "Okello", "Byaruhanga", "Tumwebaze", "Kyomuhendo", "Sarah", "John", "Mary", "Asiimwe", "Ssempala")


def measure(folder: Path, rows: int, rounds: int) -> list[Row]:
    """Both files, both ways."""
    plain = folder / "plain.csv"
    write_surveys(plain, rows)
    measured: list[Row] = []
    for name, path in {
        "75 columns, nothing personal": plain,
        "the same and five personal columns": _with_personal(plain),
    }.items():
        encrypted, clear = [], []
        for number in range(rounds):
            clear.append(_land(folder / f"clear-{path.stem}-{number}", path, encrypts=False))
            encrypted.append(_land(folder / f"sealed-{path.stem}-{number}", path, encrypts=True))
        cost = min(encrypted) / min(clear) - 1
        measured += [
            (f"{name}: in clear", f"{rows / min(clear):,.0f} rows/s", "-"),
            (f"{name}: encrypted", f"{rows / min(encrypted):,.0f} rows/s", "-"),
            (f"{name}: cost", f"{cost:.0%}", GOAL),
        ]
    return measured


def _land(home: Path, path: Path, *, encrypts: bool) -> float:
    """Seconds from the file to its rows, committed, in a warehouse of its own."""
    with scratch_warehouse(home) as warehouse:
        used = warehouse if encrypts else replace(warehouse, store=LocalStore.open(warehouse.settings.store_folder))
        with _in_clear(encrypts), path.open("rb") as file:
            seconds = _timed_landing(used, file, path.name)
    shutil.rmtree(home)
    return seconds


def _timed_landing(warehouse: Warehouse, file, name: str) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    receive_file(warehouse.database, warehouse.store, file, form="household_survey", filename=name, source="cli")
    land_next(warehouse.database, warehouse.store)
    return time.perf_counter() - started


@contextmanager
def _in_clear(encrypts: bool) -> Iterator[None]:
    """Land rows as they come, unless they are to be encrypted."""
    if encrypts:
        yield
        return
    with patch.object(Sealer, "seal", lambda _self, rows: Sealed(list(rows))):
        yield


def _with_personal(plain: Path) -> Path:
    path = plain.with_name("personal.csv")
    chance = random.Random(1)  # noqa: S311 - of made-up people
    with plain.open(newline="") as source, path.open("w", newline="") as target:
        reader, writer = csv.reader(source), csv.writer(target)
        writer.writerow([*next(reader), *PERSONAL])
        for row in islice(reader, None):
            name = f"{chance.choice(NAMES)} {chance.choice(NAMES)}"
            place = [f"{chance.uniform(-1, 4):.6f}", f"{chance.uniform(29, 35):.6f}"]
            writer.writerow([*row, name, f"07{chance.randrange(10**8):08}", *place, f"E-{chance.randrange(40)}"])
    return path


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="households in the file")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is gone")
    options = parser.parse_args()
    with scratch_folder() as folder:
        print_table(measure(folder, options.rows, options.rounds))


if __name__ == "__main__":
    main()
