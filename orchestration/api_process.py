"""The API as a process of its own, for as long as a command needs it."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvicorn

from ingest_api.app import create_app
from orchestration.context import Warehouse
from orchestration.worker import stop_on_signal
from warehouse.embedded.server import free_port
from warehouse.errors import ConfigurationError, DatabaseUnavailableError
from warehouse.settings import Settings

START_SECONDS = 60
logger = logging.getLogger(__name__)


def serve_api(settings: Settings, host: str, port: int) -> None:
    """Serve the API in this process until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine's.
    """
    stop_on_signal()  # uvicorn hands the signal back when it has stopped
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        message = f"The API cannot listen on {host}:{port}: {error.strerror}."
        raise ConfigurationError(message, code="api.cannot_listen", remedy="Name another: --port 8001.") from error
    logger.info("serving http://%s:%d, documentation at /docs", *listener.getsockname())
    uvicorn.Server(uvicorn.Config(create_app(settings))).run(sockets=[listener])


@contextmanager
def serving_api(warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """Serve the API on a free port and give a client to it; the process ends with the block."""
    port = free_port()
    log_file = warehouse.settings.home / "logs" / "api.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "uvicorn", "ingest_api.app:create_app", "--factory", "--port", str(port)]
    environment = {**os.environ, **_settings_of(warehouse)}
    with log_file.open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client:
            _wait_until_healthy(client, process)
            yield client
    finally:
        process.terminate()
        process.wait()


def _settings_of(warehouse: Warehouse) -> dict[str, str]:
    settings = warehouse.settings
    own = {"KYALO_HOME": str(settings.home), "STORAGE_PATH": str(settings.store_folder)}
    return own if settings.is_embedded else own | warehouse.database.environment()


def _wait_until_healthy(client: httpx2.Client, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/health").is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise DatabaseUnavailableError("The API did not start.", code="api.not_started", remedy="See logs/api.log.")
