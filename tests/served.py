"""The API in this very process, with settings of a test's own and its processor time in sight."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import uvicorn
from starlette.types import ASGIApp

from ingest_api.protocol import BoundedProtocol
from orchestration.context import Warehouse
from orchestration.serving import create_app
from orchestration.tls import https_of, scheme_of, trusted_by
from warehouse.embedded.server import free_port
from warehouse.settings import Settings


@contextmanager
def served(
    warehouse: Warehouse, make: Callable[[Settings], ASGIApp] = create_app, **changed: object
) -> Iterator[httpx2.Client]:
    """Serve the API, or another application, with some settings changed; gives a client that is not signed in."""
    port = free_port()
    settings = warehouse.settings.model_copy(update=changed)
    config = uvicorn.Config(
        make(settings),
        port=port,
        http=BoundedProtocol,
        proxy_headers=False,
        log_level="error",
        ssl_context_factory=https_of(settings),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        address, trust = f"{scheme_of(settings)}://127.0.0.1:{port}", trusted_by(settings.api_ca_bundle)
        with httpx2.Client(base_url=address, timeout=30, verify=trust) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def sign_in(client: httpx2.Client, name: str, secret: str) -> dict[str, str]:
    """The header that a client sends once it has a token."""
    answer = client.post("/api/v1/auth/token", json={"client_id": name, "client_secret": secret})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
