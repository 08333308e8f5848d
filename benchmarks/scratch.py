"""What benchmarks share: a warehouse of their own, its API and its worker as processes, a client with a token."""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from ingest_api.auth.clients import add_client
from orchestration.cli import YOUNG_OBJECTS
from orchestration.context import Warehouse, open_warehouse
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.server import free_port
from warehouse.settings import PROJECT_ROOT, Settings

Row = tuple[str, str, str]
START_SECONDS = 60
MAIN = "from orchestration.cli import main; main()"
EXTRAS = PROJECT_ROOT / ".venv-bench" / "bin"  # programs that only benchmarks need


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that the embedded server's account may pass through, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="kyalo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def scratch_warehouse(home: Path) -> Iterator[Warehouse]:
    """A warehouse of the benchmark's own, its server stopped in the end; garbage is collected as in a command."""
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        with open_warehouse(Settings(_env_file=None, kyalo_home=home)) as warehouse:
            yield warehouse
    finally:
        EmbeddedServer(home).stop()


@contextmanager
def process(warehouse: Warehouse, *command: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python process on the warehouse, for the length of the block."""
    home = warehouse.settings.home
    environment = {**os.environ, "KYALO_HOME": str(home), "RATE_LIMIT_PER_MINUTE": "0", **settings}
    with (home / "processes.log").open("a") as log:
        started = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log, env=environment)
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


@contextmanager
def serving(warehouse: Warehouse, app: str = "orchestration.serving:create_app") -> Iterator[tuple[httpx2.Client, int]]:
    """One process of the API, a client of it that may send everything, and the process's identifier."""
    port = free_port()
    command = ["-m", "uvicorn", app, "--factory", "--port", str(port), "--no-access-log"]
    with (
        process(warehouse, *command) as started,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client,
    ):
        _wait_until_healthy(client)
        client.headers["Authorization"] = f"Bearer {_token(warehouse, client)}"
        yield client, started.pid


@contextmanager
def working(warehouse: Warehouse) -> Iterator[int]:
    """A worker, and its process identifier."""
    with process(warehouse, "-c", MAIN, "worker") as started:
        yield started.pid


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_megabytes(process_id: int) -> float:
    """The most memory that a process has held at a time, as Linux counts it (VmHWM)."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def print_table(rows: list[Row]) -> None:
    """Print measurements as a Markdown table."""
    print("| what | measured | goal |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def _token(warehouse: Warehouse, client: httpx2.Client) -> str:
    given = add_client(warehouse.database, f"benchmark-{time.time_ns()}", "admin")
    answer = client.post("/api/v1/auth/token", json={"client_id": given.name, "client_secret": given.secret})
    return str(answer.raise_for_status().json()["access_token"])


def _wait_until_healthy(client: httpx2.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get("/health").is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the API did not start")
