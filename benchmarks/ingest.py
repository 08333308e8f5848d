"""Everything that comes in, measured: files, single surveys, a large file, a thousand users; prints one Markdown table.

Needs wrk (on Debian: apt install wrk), the environment .venv-bench that `make bench-ingest` makes, and 10 GB of disk.
"""

import argparse
import shutil

from benchmarks import files, large_file, load_test, single_surveys
from benchmarks.scratch import EXTRAS, Row, print_table, scratch_folder, scratch_warehouse


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="households in the file")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large file")
    parser.add_argument("--users", type=int, default=1000, help="devices that post at the same time")
    parser.add_argument("--seconds", type=int, default=60, help="how long they do")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed (on Debian: apt install wrk)")
    if not (EXTRAS / "locust").exists():
        raise SystemExit("dlt and locust are not installed: run `make bench-ingest`")
    rows: list[Row] = []
    with scratch_folder() as folder:
        rows += files.measure(folder, options.rows)
    with scratch_folder() as folder, scratch_warehouse(folder / "surveys") as warehouse:
        rows += single_surveys.measure(warehouse, folder, seconds=10, rounds=3)
    with scratch_folder() as folder:
        rows += large_file.measure(folder, options.megabytes)
    with scratch_folder() as folder:
        rows += load_test.measure(folder, users=options.users, seconds=options.seconds, pause=load_test.PAUSE)
    print_table(rows)


if __name__ == "__main__":
    main()
