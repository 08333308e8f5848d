"""A thousand users post single surveys to one process of the API (locust); nothing acknowledged may be missing."""

import argparse
import os
import subprocess
from collections import Counter
from pathlib import Path
from statistics import quantiles

import httpx2

from benchmarks.scratch import EXTRAS, Row, print_table, scratch_folder, scratch_warehouse, serving, working
from benchmarks.single_surveys import write_body
from ingest_api.auth.clients import add_client
from orchestration.context import Warehouse

LOCUSTFILE = Path(__file__).parent / "load" / "locustfile.py"
DEVICES = 10
SPAWNED_A_SECOND = 100
STOP_SECONDS = 60
PAUSE = 2.0  # seconds
STORED = "select household_id, count(*) from raw.household_survey group by household_id"


def measure(folder: Path, *, users: int, seconds: int, pause: float) -> list[Row]:
    """The load, then a count of what became of it."""
    with scratch_warehouse(folder / "load") as warehouse, serving(warehouse) as (client, _), working(warehouse):
        write_tokens(warehouse, client, folder / "tokens")
        run_locust(folder, str(client.base_url), users=users, seconds=seconds, pause=pause)
        with warehouse.database.transaction() as connection:
            stored = dict(connection.execute(STORED).fetchall())
    answers = [line.split() for line in (folder / "answers").read_text().splitlines()]
    statuses = Counter(status for status, *_ in answers)
    acknowledged = {household for status, household, *_ in answers if status == "200"}
    times = [(float(asked), float(came)) for *_, asked, came in answers]
    rate = len(times) / (max(came for _, came in times) - min(asked for asked, _ in times))
    percentiles = quantiles([1000 * (came - asked) for asked, came in times], n=100)
    lost = len(acknowledged - stored.keys())
    doubled = sum(number > 1 for number in stored.values())
    failed = {status: number for status, number in statuses.items() if status != "200"}
    return [
        (f"{users:,} users that rest {pause:g} s after a survey", f"{rate:,.0f} requests/s", "-"),
        ("p50, p95, p99 of an answer", ", ".join(f"{percentiles[at - 1]:,.0f} ms" for at in (50, 95, 99)), "-"),
        ("requests; error rate", f"{len(answers):,}; {sum(failed.values()) / len(answers):.2%}", "0.00%"),
        ("answers 5xx", str(sum(number for status, number in failed.items() if status[0] == "5")), "0"),
        ("surveys acknowledged; missing; stored twice", f"{len(acknowledged):,}; {lost}; {doubled}", "0; 0"),
    ]


def write_tokens(warehouse: Warehouse, client: httpx2.Client, path: Path) -> None:
    """Register devices, and write an access token of each to a file."""
    tokens = []
    for number in range(DEVICES):
        given = add_client(warehouse.database, f"device-{number}", "device")
        answer = client.post("/api/v1/auth/token", json={"client_id": given.name, "client_secret": given.secret})
        tokens.append(answer.raise_for_status().json()["access_token"])
    path.write_text("\n".join(tokens))


def run_locust(folder: Path, host: str, *, users: int, seconds: int, pause: float) -> None:
    """Let locust's users write their answers to a file."""
    environment = {
        **os.environ,
        "LOAD_BODY": str(write_body(folder)),
        "LOAD_TOKENS": str(folder / "tokens"),
        "LOAD_ANSWERS": str(folder / "answers"),
        "LOAD_PAUSE": str(pause),
    }
    command = [str(EXTRAS / "locust"), "--headless", "--only-summary", "--loglevel=WARNING", "--exit-code-on-error=0"]
    command += [f"--locustfile={LOCUSTFILE}", f"--host={host}"]
    command += [f"--users={users}", f"--spawn-rate={SPAWNED_A_SECOND}", f"--run-time={seconds}s"]
    command += [f"--stop-timeout={STOP_SECONDS}"]
    subprocess.run(command, check=True, env=environment, capture_output=True)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000, help="devices that post")
    parser.add_argument("--seconds", type=int, default=60, help="how long they do, the first ten to begin")
    parser.add_argument(
        "--pause", type=float, default=PAUSE, help="seconds that a user rests after a survey, on average"
    )
    options = parser.parse_args()
    with scratch_folder() as folder:
        print_table(measure(folder, users=options.users, seconds=options.seconds, pause=options.pause))


if __name__ == "__main__":
    main()
