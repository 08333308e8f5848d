"""The log of who saw and changed what: how long a million entries take to write, to verify, and to search."""

import argparse

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse, timed
from orchestration.context import Warehouse
from warehouse.audit import Chain, Draft
from warehouse.audit.reading import who_saw
from warehouse.audit.verifying import verify

AT_ONCE = 2000


def write(warehouse: Warehouse, entries: int) -> None:
    """Write so many entries in one chain."""
    chain = Chain(warehouse.settings, "api")
    draft = Draft("api", "127.0.0.1", "survey.receive", "tablet-1", "ing_20261123_000001", None, 1, ["KAN-1"], "ab")
    for _ in range(entries // AT_ONCE):
        with warehouse.database.transaction() as connection:
            chain.append(connection, [draft.entry("allowed", 200) for _ in range(AT_ONCE)])


def measure(warehouse: Warehouse, entries: int) -> list[Row]:
    """Write, verify, search."""
    written = timed(lambda: write(warehouse, entries))
    verified = timed(lambda: verify(warehouse.database, None))
    searched = timed(lambda: who_saw(warehouse.database, "KAN-2"))
    return [
        (f"{entries:,} entries written, {AT_ONCE:,} at a time", f"{entries / written:,.0f} entries/s", "-"),
        (f"{entries:,} entries verified", f"{verified:.1f} s", "60 s"),
        ("who saw a household, among them", f"{searched:.2f} s", "-"),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    options = parser.parse_args()
    with scratch_folder() as folder, scratch_warehouse(folder / "audit") as warehouse:
        print_table(measure(warehouse, options.entries))


if __name__ == "__main__":
    main()
