"""Peak memory of the API and of the worker while a large file comes in: as CSV, gzipped, and as Parquet."""

import argparse
import csv
import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from pyarrow.parquet import write_table

from benchmarks.files import upload, wait_until_landed
from benchmarks.scratch import (
    Row,
    peak_megabytes,
    print_table,
    scratch_folder,
    scratch_warehouse,
    serving,
    timed,
    working,
)
from orchestration.synth import write_surveys

SAMPLE_HOUSEHOLDS = 10_000
BLOCK_BYTES = 16 * 1024**2


def measure(folder: Path, megabytes: int) -> list[Row]:
    """The same rows in three formats, each into a warehouse of its own and through processes of its own."""
    surveys = write_large(folder, megabytes * 10**6)
    rows = measure_file(folder / "large", surveys)
    for pack in PACKS:
        packed = pack(surveys)
        rows += measure_file(folder / "large", packed)
        packed.unlink()
    return rows


def measure_file(home: Path, surveys: Path) -> list[Row]:
    """One file through the doors."""
    with scratch_warehouse(home) as warehouse, serving(warehouse) as (client, api), working(warehouse) as worker:
        ingestion_id = upload(client, surveys)
        landed = timed(lambda: wait_until_landed(warehouse, ingestion_id))
        rows = wait_until_landed(warehouse, ingestion_id)
        peaks = f"{peak_megabytes(api):,.0f} MB; {peak_megabytes(worker):,.0f} MB"
    shutil.rmtree(home)
    what = f"{surveys.name}, {surveys.stat().st_size / 1e6:,.0f} MB"
    return [
        (f"{what}: peak memory of the API; of the worker", peaks, "300 MB each"),
        (f"{what}: landing", f"{rows / landed:,.0f} rows/s", "-"),
    ]


def write_large(folder: Path, size: int) -> Path:
    """Made-up surveys of about as many bytes."""
    path = folder / "large.csv"
    write_surveys(path, SAMPLE_HOUSEHOLDS)
    write_surveys(path, max(1, size * SAMPLE_HOUSEHOLDS // path.stat().st_size))
    return path


def write_gzipped(surveys: Path) -> Path:
    """A CSV file gzipped, as fast as gzip goes."""
    path = surveys.with_suffix(".csv.gz")
    with surveys.open("rb") as plain, gzip.open(path, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed, BLOCK_BYTES)
    return path


def write_parquet(surveys: Path) -> Path:
    """A CSV file as Parquet with text columns, its row groups a million rows long as pandas writes them."""
    path = surveys.with_suffix(".parquet")
    with surveys.open(newline="") as file:
        names = next(csv.reader(file))
    convert = pa.csv.ConvertOptions(column_types={name: pa.string() for name in names})
    write_table(pa.csv.read_csv(surveys, convert_options=convert), path)
    return path


PACKS: tuple[Callable[[Path], Path], ...] = (write_gzipped, write_parquet)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the CSV file")
    options = parser.parse_args()
    with scratch_folder() as folder:
        print_table(measure(folder, options.megabytes))


if __name__ == "__main__":
    main()
