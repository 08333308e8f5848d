"""A survey file through the API and the worker, against a bare COPY and against dlt on the same server."""

import argparse
import csv
import os
import subprocess
import time
from itertools import islice
from pathlib import Path

import httpx2
from psycopg import sql

from benchmarks.scratch import (
    EXTRAS,
    Row,
    peak_megabytes,
    print_table,
    scratch_folder,
    scratch_warehouse,
    serving,
    timed,
    working,
)
from orchestration.context import Warehouse
from orchestration.synth import write_surveys

POLL_SECONDS = 0.02
LANDING_SECONDS = 3600
DLT = Path(__file__).resolve().parent / "load" / "dlt_file.py"
DLT_WAYS = {
    "source": "as it comes (filesystem, read_csv)",
    "arrow": "with Arrow tables and COPY",
    "tuned": "with Arrow tables and COPY, uncompressed, two workers",
}
PART_ROWS = 50_000
STATUS = "select status, received_rows, error_message from raw.ingestions where ingestion_id = %s"


def measure(folder: Path, rows: int) -> list[Row]:
    """A made-up file by the doors, by COPY and by dlt."""
    surveys = folder / "surveys.csv"
    write_surveys(surveys, rows)
    with scratch_warehouse(folder / "files") as warehouse:
        measured, rate = measure_landing(warehouse, surveys)
        return measured + measure_dlt(warehouse, surveys, rate)


def measure_landing(warehouse: Warehouse, surveys: Path) -> tuple[list[Row], float]:
    """A file by the doors and by a bare COPY; also the rows a second of its landing.

    COPY goes once before and once after; the faster of both counts.
    """
    checkpoint(warehouse)
    bare = timed(lambda: copy_bare(warehouse, surveys))
    checkpoint(warehouse)
    with serving(warehouse) as (client, api), working(warehouse) as worker:
        warm_up(warehouse, client, surveys.with_name("first.csv"))
        started = time.perf_counter()
        ingestion_id = upload(client, surveys)
        uploaded = time.perf_counter()
        rows = wait_until_landed(warehouse, ingestion_id)
        landed = time.perf_counter() - uploaded
        peaks = f"{peak_megabytes(api):,.0f} MB; {peak_megabytes(worker):,.0f} MB"
    checkpoint(warehouse)
    bare = min(bare, timed(lambda: copy_bare(warehouse, surveys)))
    return [
        (f"bare COPY of {rows:,} rows", f"{rows / bare:,.0f} rows/s", "-"),
        (f"upload of {surveys.stat().st_size / 1e6:,.0f} MB, to the answer", f"{uploaded - started:.1f} s", "-"),
        (f"landing of {rows:,} rows, from the answer to committed", f"{rows / landed:,.0f} rows/s", "-"),
        ("landing against bare COPY", f"{bare / landed:.2f}", "0.5"),
        ("records a minute, landing", f"{60 * rows / landed:,.0f}", "800,000"),
        ("peak memory of the API; of the worker", peaks, "300 MB each"),
    ], rows / landed


def measure_dlt(warehouse: Warehouse, surveys: Path, rate: float) -> list[Row]:
    """The same file by dlt, its slow ways with the first rows of it only.

    Args:
        warehouse: on whose server.
        surveys: the file.
        rate: what to compare with, in rows a second.
    """
    part = surveys.with_name("part.csv")
    with surveys.open("rb") as file, part.open("wb") as first:
        first.writelines(islice(file, PART_ROWS + 1))
    measured: list[Row] = []
    for way, what in DLT_WAYS.items():
        checkpoint(warehouse)
        rows, seconds = load_with_dlt(warehouse, surveys if way == "tuned" else part, way)
        measured += [
            (f"dlt {what}, {rows:,} rows", f"{rows / seconds:,.0f} rows/s", "-"),
            ("landing against that", f"{rate * seconds / rows:.1f} times", "4 times"),
        ]
    return measured


def warm_up(warehouse: Warehouse, client: httpx2.Client, path: Path) -> None:
    """Let a small file through, so that all processes have begun to work."""
    write_surveys(path, 100, seed=1)
    wait_until_landed(warehouse, upload(client, path))


def upload(client: httpx2.Client, surveys: Path) -> str:
    """Send a file, and return the identifier of its ingestion."""
    with surveys.open("rb") as file:
        answer = client.post("/api/v1/upload/file", files={"file": (surveys.name, file)})
    return str(answer.raise_for_status().json()["ingestion_id"])


def wait_until_landed(warehouse: Warehouse, ingestion_id: str) -> int:
    """Look at the ledger until a file is landed; how many rows it had."""
    deadline = time.monotonic() + LANDING_SECONDS
    while time.monotonic() < deadline:
        with warehouse.database.transaction() as connection:
            status, rows, error = connection.execute(STATUS, [ingestion_id]).fetchone() or ("absent", 0, None)
        if status == "loaded":
            return int(rows)
        if status != "received":
            raise RuntimeError(f"{ingestion_id} is {status}: {error}")
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{ingestion_id} was not landed")


def copy_bare(warehouse: Warehouse, surveys: Path) -> None:
    """COPY a file as it is into a new table of text columns."""
    with surveys.open() as file:
        columns = [f"column_{number} text" for number, _ in enumerate(next(csv.reader(file)))]
    with warehouse.database.transaction() as connection, surveys.open("rb") as file:
        connection.execute("drop table if exists bare")
        connection.execute(f"create table bare ({', '.join(columns)})")
        with connection.cursor().copy("copy bare from stdin (format csv, header)") as copy:
            while chunk := file.read(1024**2):
                copy.write(chunk)


def load_with_dlt(warehouse: Warehouse, surveys: Path, way: str) -> tuple[int, float]:
    """The rows that dlt loads into the warehouse's server, and the seconds it takes, its start not counted."""
    folder = surveys.with_name(f"dlt-{way}")
    folder.mkdir()
    credentials = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**warehouse.database.address())
    command = [str(EXTRAS / "python"), str(DLT), way, str(surveys), str(folder)]
    environment = {**os.environ, "DESTINATION__POSTGRES__CREDENTIALS": credentials}
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment).stdout
    with warehouse.database.transaction() as connection:
        statement = sql.SQL("select count(*) from {}").format(sql.Identifier(f"dlt_{way}", "surveys"))
        (rows,) = connection.execute(statement).fetchone() or (0,)
    return rows, float(said.split()[-1])


def checkpoint(warehouse: Warehouse) -> None:
    """Let the server write what the work before left, so that the next one does not pay for it."""
    with warehouse.database.transaction() as connection:
        connection.execute("checkpoint")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="households in the file")
    options = parser.parse_args()
    with scratch_folder() as folder:
        print_table(measure(folder, options.rows))


if __name__ == "__main__":
    main()
