"""The API in this very process, with settings of a test's own and its processor time in sight."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvicorn

from ingest_api.protocol import BoundedProtocol
from orchestration.context import Warehouse
from orchestration.serving import create_app
from warehouse.embedded.server import free_port


@contextmanager
def served(warehouse: Warehouse, **settings: object) -> Iterator[httpx2.Client]:
    """Serve the API with some settings changed, and give a client that is not signed in."""
    port = free_port()
    app = create_app(warehouse.settings.model_copy(update=settings))
    config = uvicorn.Config(app, port=port, http=BoundedProtocol, proxy_headers=False, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def sign_in(client: httpx2.Client, name: str, secret: str) -> dict[str, str]:
    """The header that a client sends once it has a token."""
    answer = client.post("/api/v1/auth/token", json={"client_id": name, "client_secret": secret})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
