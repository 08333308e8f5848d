"""The API as a process of its own, for as long as a command needs it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import uvicorn

from ingest_api.auth.clients import Client, add_client, list_clients
from ingest_api.auth.keys import load_keys
from ingest_api.auth.tokens import issue_token
from ingest_api.protocol import BoundedProtocol
from orchestration.context import Warehouse, require_keys
from orchestration.heartbeat import beating
from orchestration.listening import address_of, listen, serve
from orchestration.serving import create_app
from orchestration.stopping import stop_on_signal
from orchestration.tls import https_of
from warehouse.database import Database
from warehouse.embedded.server import free_port
from warehouse.errors import ConflictError, DatabaseUnavailableError
from warehouse.grants import LOADER
from warehouse.logs import get_logger
from warehouse.settings import Settings

START_SECONDS = 60
MAIN = "from orchestration.cli import main; main()"
OWN_CLIENT = "kyalo-demo"
TOKEN_SECONDS = 24 * 3600
logger = get_logger(__name__)


def serve_api(settings: Settings, host: str, port: int, *, plain: bool = False) -> None:
    """Serve the API in this process until SIGTERM or SIGINT.

    Args:
        settings: those of the application.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        plain: speak http, whatever certificate is set.

    Raises:
        ConfigurationError: the port is taken, the address is none of this machine's, a key is missing, or the
            certificate cannot be used.
    """
    require_keys(settings)
    https = None if plain else https_of(settings)
    stop = stop_on_signal()
    listener = listen("API", host, port, code="api.cannot_listen")
    app = create_app(settings)
    config = uvicorn.Config(
        app, http=BoundedProtocol, lifespan="off", proxy_headers=False, log_config=None, ssl_context_factory=https
    )

    def tell() -> None:
        logger.info("serving, with documentation at /docs", url=address_of(listener, "https" if https else "http"))

    with beating(Database(settings, role=LOADER), "api"):
        serve(app, config, listener, stop, tell)


@contextmanager
def serving_api(warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """Serve the API on a free port and give a client to it, signed in; the process ends with the block."""
    port = free_port()
    log_file = warehouse.settings.home / "logs" / "api.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", MAIN, "api", "--host", "127.0.0.1", "--port", str(port), "--plain"]
    token = issue_token(load_keys(warehouse.settings), _own_client(warehouse.database), TOKEN_SECONDS)
    # Its one client is the command itself.
    environment = {**os.environ, **_settings_of(warehouse), "RATE_LIMIT_PER_MINUTE": "0"}
    with log_file.open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=600, headers=headers) as client:
            _wait_until_healthy(client, process)
            yield client
    finally:
        process.terminate()
        process.wait()


def _own_client(database: Database) -> Client:
    """The client that commands send as; nobody knows its secret."""
    if not any(client.name == OWN_CLIENT for client in list_clients(database)):
        with suppress(ConflictError):  # another command was faster
            add_client(database, OWN_CLIENT, "office")
    return next(client for client in list_clients(database) if client.name == OWN_CLIENT)


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
