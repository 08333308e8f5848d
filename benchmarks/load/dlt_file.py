"""Load a CSV file with dlt into the PostgreSQL of DESTINATION__POSTGRES__CREDENTIALS; prints the seconds it took.

Three ways: `source` is dlt's own reader of CSV files, as its documentation introduces it. `arrow` is what it
recommends for speed: Arrow tables, all columns text as in raw, and the loader's format csv, which is COPY. `tuned`
adds the settings of its pages on performance: nothing compressed, and files that two workers take side by side.

Two more were tried and left out: Parquet through ADBC took twice as long as `tuned`, and a CSV file is imported
as it is only where its header is made of SQL names.
"""

import csv
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMON = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
TUNED = {
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__FILE_MAX_ITEMS": "100000",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "2",
}
BLOCK_BYTES = 16 * 1024**2


def read_tables(path: Path) -> Iterator[Any]:
    """A CSV file as Arrow tables of text."""
    import pyarrow as pa
    import pyarrow.csv

    with path.open(newline="") as file:
        names = [f"{name}_{number}" for number, name in enumerate(next(csv.reader(file)))]  # two columns bear one name
    read = pa.csv.ReadOptions(block_size=BLOCK_BYTES, column_names=names, skip_rows=1)
    convert = pa.csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=True)
    for batch in pa.csv.open_csv(path, read, convert_options=convert):
        yield pa.Table.from_batches([batch])


def main(way: str, path: Path, folder: Path) -> None:
    """Load the file into the table dlt_WAY.surveys, with dlt's own files in the folder."""
    os.environ.update(COMMON, DLT_DATA_DIR=str(folder))
    if way == "tuned":
        os.environ.update(TUNED)
    import dlt
    from dlt.sources.filesystem import filesystem, read_csv

    started = time.perf_counter()
    pipeline = dlt.pipeline(way, destination="postgres", dataset_name=f"dlt_{way}", pipelines_dir=str(folder))
    if way == "source":
        found = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name)
        loaded = pipeline.run((found | read_csv()).with_name("surveys"))
    else:
        loaded = pipeline.run(read_tables(path), table_name="surveys", loader_file_format="csv")
    loaded.raise_on_failed_jobs()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
