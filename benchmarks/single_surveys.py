"""Single surveys of 75 answers over HTTP, each durable before its answer, against an empty handler; by wrk.

Both routes stand in the same process of the API and are asked in turn, so that their ratio holds on another machine.
"""

import argparse
import csv
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

import orjson

from benchmarks.scratch import Row, print_table, scratch_warehouse, serving
from orchestration.context import Warehouse
from orchestration.synth import write_surveys
from warehouse.contract import load_contract

SCRIPT = Path(__file__).with_name("surveys.lua")
CONNECTIONS = 32
SURVEYS = "/api/v1/upload/survey-data"
EMPTY = "/empty"


def write_body(folder: Path) -> Path:
    """A survey's body with the answers of a made-up household, its name left out."""
    path = folder / "one.csv"
    write_surveys(path, 50, clean=True)
    with path.open() as file:
        header, row, *_ = csv.reader(file)
    names = load_contract("household_survey").resolve(header)
    answers = {name: cell for name, cell in zip(names, row, strict=True) if name and cell and name != "household_id"}
    numbers = {name: float(cell) if cell.replace(".", "", 1).isdigit() else cell for name, cell in answers.items()}
    body = folder / "survey.json"
    body.write_bytes(orjson.dumps({"household_id": "HOUSEHOLD", "survey_data": numbers}))
    return body


def run_wrk(url: str, body: Path, authorization: str, seconds: int, run: str) -> tuple[float, float, int]:
    """Requests a second, the 99th percentile of their milliseconds, and the answers that were no success."""
    environment = {
        **os.environ, "SURVEY_BODY": str(body), "SURVEY_AUTHORIZATION": authorization, "SURVEY_RUN": run
    }  # fmt: skip
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if not (rate and slowest):
        raise RuntimeError(said)
    milliseconds = float(slowest[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slowest[2]]
    return float(rate[1]), milliseconds, int(failed[1]) if failed else 0


def measure(warehouse: Warehouse, folder: Path, *, seconds: int, rounds: int) -> list[Row]:
    """Both routes in turn, several times."""
    body = write_body(folder)
    found: dict[str, list[float]] = {EMPTY: [], SURVEYS: []}
    failed, slowest = 0, 0.0
    with serving(warehouse, "benchmarks.empty_app:create_empty_app") as (client, _):
        authorization = client.headers["Authorization"]
        for number in range(rounds):
            for route, rates in found.items():
                run = f"run-{number}-{'empty' if route == EMPTY else 'survey'}"
                rate, late, bad = run_wrk(f"{client.base_url}{route}", body, authorization, seconds, run)
                rates.append(rate)
                failed += bad
                slowest = max(slowest, late) if route == SURVEYS else slowest
    with warehouse.database.transaction() as connection:
        (stored,) = connection.execute("select count(*) from raw.household_survey").fetchone() or (0,)
    ratios = [survey / empty for survey, empty in zip(found[SURVEYS], found[EMPTY], strict=True)]
    return [
        (f"empty handler, {CONNECTIONS} connections, one process", f"{median(found[EMPTY]):,.0f} requests/s", "-"),
        ("single surveys of 75 answers, durable", f"{median(found[SURVEYS]):,.0f} requests/s", "-"),
        ("single surveys against an empty handler", f"{median(ratios):.2f}", "0.8"),
        ("99th percentile of a survey's answer", f"{slowest:.0f} ms", "-"),
        ("answers that were no success; surveys stored", f"{failed}; {stored:,}", "0"),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each route")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed (on Debian: apt install wrk)")
    with tempfile.TemporaryDirectory(prefix="kyalo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with scratch_warehouse(folder / "surveys") as warehouse:
            print_table(measure(warehouse, folder, seconds=options.seconds, rounds=options.rounds))


if __name__ == "__main__":
    main()
