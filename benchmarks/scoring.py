"""A million households scored: read, predicted with reasons, written and merged; prints a Markdown table.

Beside it, in the same run, a minimal script that only reads, predicts and writes: COPY into pandas, a scikit-learn
pipeline of the same settings, COPY into a table without keys.
"""

import argparse
import io
import resource
import time
from pathlib import Path

import pandas as pd
import psycopg
from psycopg import sql
from sklearn.pipeline import Pipeline

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ml.features import load_features, read_rows
from ml.models import GRIDS, build_pipeline, fit
from ml.score import score
from orchestration.building import build
from orchestration.context import Warehouse
from orchestration.loading import load_file
from orchestration.sample import SAMPLE
from orchestration.training import train_models

FEATURES = [feature for feature in load_features() if "screening" in feature.tracks]
NAMES = [feature.name for feature in FEATURES]
KEYS = ("household_round_id", "household_id", "submission_id")


def prepare(warehouse: Warehouse, surveys: Path, households: int) -> Pipeline:
    """Build and train on a survey file, copy its households until there are enough; the minimal script's pipeline."""
    load_file(warehouse, surveys, "household_survey")
    build(warehouse)
    train_models(warehouse, ["screening"], "benchmark")
    rows = pd.concat(read_rows(warehouse.database, load_features(), labelled_only=True))
    pipeline = build_pipeline("gradient_boosting", GRIDS["screening"]["gradient_boosting"][0], FEATURES)
    with warehouse.database.transaction() as connection:
        (present,) = connection.execute("select count(*) from features.fct_household_features").fetchone() or (0,)
        connection.execute(copy_households(connection, copies=households // present, missing=households - present))
        connection.execute("create table if not exists ml.minimal (household_id text, probability double precision)")
    with warehouse.database.connect() as connection:
        connection.autocommit = True
        connection.execute("vacuum analyze features.fct_household_features")
    return fit(pipeline, rows)


def copy_households(connection: psycopg.Connection, *, copies: int, missing: int) -> sql.Composed:
    """The statement that adds households like those that are there, under other identifiers."""
    described = connection.execute("select * from features.fct_household_features limit 0").description or []
    columns = [column.name for column in described]
    values = [sql.SQL("copy || '-' || {}" if name in KEYS else "{}").format(sql.Identifier(name)) for name in columns]
    return sql.SQL(
        "insert into features.fct_household_features ({columns}) select {values} from features.fct_household_features"
        " cross join generate_series(1, {copies}) as copy limit {missing}"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        copies=copies,
        missing=missing,
    )


def score_minimally(warehouse: Warehouse, pipeline: Pipeline) -> float:
    """Seconds of a script that reads, predicts and writes, and does nothing else."""
    started = time.perf_counter()
    columns = sql.SQL(", ").join(map(sql.Identifier, ["household_id", *NAMES]))
    categories = {feature.name: "str" for feature in FEATURES if feature.kind == "category"}
    booleans = {feature.name: {"t": 1.0, "f": 0.0} for feature in FEATURES if feature.kind == "boolean"}
    query = sql.SQL("copy (select {} from features.fct_household_features) to stdout (format csv, header)")
    with warehouse.database.transaction() as connection:
        with connection.cursor().copy(query.format(columns)) as copy:
            text = io.BytesIO(b"".join(copy))
        rows = pd.read_csv(text, dtype=categories)
        for name, values in booleans.items():
            rows[name] = rows[name].map(values)
        rows["probability"] = pipeline.predict_proba(rows[NAMES])[:, 1]
        with connection.cursor().copy("copy ml.minimal from stdin (format csv)") as copy:
            copy.write(rows[["household_id", "probability"]].to_csv(index=False, header=False))
    return time.perf_counter() - started


def measure(surveys: Path, households: int) -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder, scratch_warehouse(folder / "home") as warehouse:
        pipeline = prepare(warehouse, surveys, households)
        minimal = score_minimally(warehouse, pipeline)
        started = time.perf_counter()
        (track,) = score(warehouse.database, warehouse.store, run_id="benchmark").tracks
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        score(warehouse.database, warehouse.store, run_id="benchmark-again")
        again = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        (f"{track.inserted:,} households scored, with reasons, merged", f"{seconds:.1f} s", "40 s for 1,000,000"),
        ("a minimal script: read, predict, write", f"{minimal:.1f} s", "-"),
        ("speed against the minimal script", f"{minimal / seconds:.2f}", "0.5"),
        ("scored again, nothing changed", f"{again:.1f} s", "-"),
        ("peak memory of both", f"{peak:,.0f} MB", "-"),
    ]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=1_000_000)
    parser.add_argument("--surveys", type=Path, default=SAMPLE)
    options = parser.parse_args()
    print_table(measure(options.surveys, options.households))


if __name__ == "__main__":
    main()
