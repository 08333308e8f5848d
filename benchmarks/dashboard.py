"""Every page of the dashboard on the reports of a million households; prints a Markdown table.

The pages read reports, never the households themselves: the reports are made up in SQL as large as a million
households make them (a village of 25 each, 200 enumerators on 180 days, one in 40 in quarantine), beside a ledger of a
million surveys that were posted one by one within a year.
"""

import argparse
import statistics
import time

from starlette.testclient import TestClient

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse
from ingest_api.auth.clients import add_client
from orchestration.context import Warehouse
from orchestration.dashboard.access import COOKIE
from orchestration.dashboard.app import create_app
from orchestration.dashboard.session import SignIns
from tests.shown_marts import Size, make_up

PAGES = [
    "/dashboard",
    "/dashboard/ingestion",
    "/dashboard/quality",
    "/dashboard/quality?days=365",
    "/dashboard/quality?status=discarded&district=District%203&page=40",
    "/dashboard/risk",
    "/dashboard/risk?district=District%201&page=100",
    "/dashboard/models",
    "/dashboard/runs",
    "/dashboard/runs/made-up-3",
    "/dashboard/alerts",
]
TIMES = 10
GOAL_SECONDS = 0.5


def measure(warehouse: Warehouse) -> list[Row]:
    """The first answer of each page after the process began, and the median and the slowest of those after it."""
    given = add_client(warehouse.database, "benchmark", "office")
    rows = []
    with TestClient(create_app(warehouse.settings)) as client:
        client.cookies.set(
            COOKIE, SignIns(warehouse.settings, warehouse.database).sign_in(given.name, given.secret, None)
        )
        for page in PAGES:
            first, *others = (ask(client, page) for _ in range(1 + TIMES))
            told = f"first {show(first)}, then median {show(statistics.median(others))}, slowest {show(max(others))}"
            rows.append((page, told, show(GOAL_SECONDS)))
    return rows


def ask(client: TestClient, page: str) -> float:
    """Seconds until a page is there."""
    started = time.perf_counter()
    client.get(page).raise_for_status()
    return time.perf_counter() - started


def show(seconds: float) -> str:
    """A short time."""
    return f"{seconds * 1000:.0f} ms"


def main() -> None:
    """Make it up, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=1_000_000)
    households = parser.parse_args().households
    with scratch_folder() as folder, scratch_warehouse(folder / "home") as warehouse:
        make_up(warehouse, Size.of(households))
        print_table(measure(warehouse))


if __name__ == "__main__":
    main()
