"""Answers for single households over HTTP, each on record before it is given; prints a Markdown table.

Requests are sent on a clock, whether or not those before them are answered, and each is timed from the moment that it
was due: a slow answer delays no other, and its wait counts. In each round the same requests go to a handler that does
nothing, too: what its answers wait for is the machine.
"""

import argparse
import asyncio
import csv
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from benchmarks.scratch import Row, print_table, scratch_folder, scratch_warehouse, serving
from orchestration.building import build
from orchestration.context import Warehouse
from orchestration.loading import load_file
from orchestration.synth import write_surveys
from orchestration.training import train_models
from warehouse.contract import load_contract

HOUSEHOLDS = 4_000
TOGETHER = 1_000
ROUTE = "/api/v1/predict"
EMPTY_APP, EMPTY_ROUTE = "benchmarks.empty_app:create_empty_app", "/empty"
WARM_SECONDS = 3
HTTP_OK = 200


def prepare(warehouse: Warehouse, folder: Path) -> list[bytes]:
    """Build and train on made-up surveys; the bodies of requests about them."""
    path = folder / "surveys.csv"
    write_surveys(path, HOUSEHOLDS, clean=True)
    load_file(warehouse, path, "household_survey")
    build(warehouse)
    train_models(warehouse, ["screening"], "benchmark")
    with path.open() as file:
        header, *rows = csv.reader(file)
    names = load_contract("household_survey").resolve(header)
    return [orjson.dumps({name: cell for name, cell in zip(names, row, strict=True) if name and cell}) for row in rows]


@dataclass
class Sender:
    """Connections of HTTP/1.1, each used again when its answer has come; in turn, so that none lies idle for long.

    Attributes:
        address: host and port of the API.
        authorization: the header that signs its client in.
        route: the path of the route.
    """

    address: tuple[str, int]
    authorization: str
    route: str
    idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=deque)

    async def post(self, body: bytes) -> int:
        """Send one body; the answer's status."""
        reader, writer = self.idle.popleft() if self.idle else await asyncio.open_connection(*self.address)
        head = f"POST {self.route} HTTP/1.1\r\nHost: {self.address[0]}\r\nAuthorization: {self.authorization}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(answer.lower().partition(b"content-length:")[2].split()[0]))
        self.idle.append((reader, writer))
        return int(answer.split()[1])


async def send_on_a_clock(sender: Sender, bodies: list[bytes], *, rate: int, seconds: int) -> tuple[list[float], int]:
    """Milliseconds from each request's due time to its answer, and how many were no success."""
    taken: list[float] = []
    statuses: list[int] = []

    async def send(body: bytes, due: float) -> None:
        statuses.append(await sender.post(body))
        taken.append((time.perf_counter() - due) * 1000)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(bodies[number % len(bodies)], due))
    for _, writer in sender.idle:
        writer.close()
    return taken, sum(status != HTTP_OK for status in statuses)


def measure(warehouse: Warehouse, bodies: list[bytes], *, rate: int, seconds: int, rounds: int) -> list[Row]:
    """Single households on a clock, beside nothing done as often, then a thousand in one request."""
    predicted: list[list[float]] = []
    empty: list[list[float]] = []
    refused = 0
    with serving(warehouse, EMPTY_APP) as (client, _):
        for round_number in range(rounds + 1):
            is_measured = round_number > 0
            for route, found in ((EMPTY_ROUTE, empty), (ROUTE, predicted)):
                sender = Sender(("127.0.0.1", client.base_url.port or 0), client.headers["Authorization"], route)
                taken, failed = asyncio.run(
                    send_on_a_clock(sender, bodies, rate=rate, seconds=seconds if is_measured else WARM_SECONDS)
                )
                refused += failed
                if is_measured:
                    found.append(taken)
        started = time.perf_counter()
        answer = client.post(
            ROUTE, content=b"[" + b",".join(bodies[:TOGETHER]) + b"]", headers={"Content-Type": "application/json"}
        )
        together = time.perf_counter() - started
    with warehouse.database.transaction() as connection:
        (logged,) = connection.execute("select count(*) from ml.prediction_requests").fetchone() or (0,)
    told = len(answer.raise_for_status().json()["predictions"])
    asked = f"one household a request, {rate} requests/s, {rounds} rounds"
    return [
        (f"{asked}: 50th percentile", _percentiles(predicted, 50), "-"),
        (f"{asked}: 99th percentile", _percentiles(predicted, 99), "under 15 ms"),
        (f"{asked}: the slowest of {len(predicted[0]):,}", _percentiles(predicted, 100), "-"),
        ("a handler that does nothing, beside each: 50th percentile", _percentiles(empty, 50), "-"),
        ("a handler that does nothing, beside each: 99th percentile", _percentiles(empty, 99), "-"),
        ("answers that were no success; answers on record", f"{refused}; {logged:,}", "0"),
        (f"{told:,} households in one request", f"{together * 1000:,.0f} ms", "-"),
    ]


def _percentiles(rounds: list[list[float]], percent: int) -> str:
    """A percentile of each round, the best first."""
    return ", ".join(f"{value:.1f}" for value in sorted(np.percentile(taken, percent) for taken in rounds)) + " ms"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100, help="requests a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with scratch_folder() as folder, scratch_warehouse(folder / "online") as warehouse:
        bodies = prepare(warehouse, folder)
        print_table(measure(warehouse, bodies, rate=options.rate, seconds=options.seconds, rounds=options.rounds))


if __name__ == "__main__":
    main()
