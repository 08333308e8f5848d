"""The worker and the API as processes of their own, as an operator starts them, for tests that end them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestration.context import Warehouse

Process = subprocess.Popen[bytes]
END_SECONDS = 240
MAIN = "from orchestration.cli import main; main()"


def start(warehouse: Warehouse, *command: str, **settings: str) -> Process:
    """Start `kyalo <command>` on a warehouse; what it says goes to a file in the warehouse's folder."""
    log_file = warehouse.settings.home / "logs" / f"{command[0]}.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    environment = _environment(warehouse) | settings
    with log_file.open("a") as log:
        return subprocess.Popen([sys.executable, "-c", MAIN, *command], stdout=log, stderr=log, env=environment)


def run(warehouse: Warehouse, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `kyalo <command>` on a warehouse to its end, with what it said."""
    arguments = [sys.executable, "-c", MAIN, *command]
    environment = _environment(warehouse) | settings
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, timeout=END_SECONDS)


def _environment(warehouse: Warehouse) -> dict[str, str]:
    own = {"KYALO_HOME": str(warehouse.settings.home), "STORAGE_PATH": str(warehouse.settings.store_folder)}
    database = {} if warehouse.settings.is_embedded else warehouse.database.environment()
    return {**os.environ, **own, **database}


def kill(process: Process) -> None:
    """End a process as a power cut does."""
    process.kill()
    process.wait()


@contextmanager
def running(warehouse: Warehouse, *command: str, **settings: str) -> Iterator[Process]:
    """A process for the length of the block; it is asked to stop in the end."""
    process = start(warehouse, *command, **settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s"
        time.sleep(0.02)
