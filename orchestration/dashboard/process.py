"""The dashboard as a process of its own."""

import socket

import uvicorn

from orchestration.context import open_warehouse
from orchestration.dashboard.app import create_app
from orchestration.heartbeat import beating
from orchestration.stopping import stop_on_signal
from warehouse.errors import ConfigurationError
from warehouse.logs import get_logger
from warehouse.settings import Settings

logger = get_logger(__name__)
GRACE_SECONDS = 5


def serve_dashboard(settings: Settings, host: str, port: int) -> None:
    """Serve the dashboard in this process until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine's.
    """
    stop_on_signal()  # uvicorn hands the signal back when it has stopped
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        message = f"The dashboard cannot listen on {host}:{port}: {error.strerror}."
        raise ConfigurationError(
            message, code="dashboard.cannot_listen", remedy="Name another: --port 8002."
        ) from error
    with open_warehouse(settings) as warehouse, beating(warehouse.database, "dashboard", doing="showing"):
        address, port = listener.getsockname()
        logger.info("serving", url=f"http://{address}:{port}/dashboard")
        config = uvicorn.Config(
            create_app(settings), proxy_headers=False, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS
        )
        uvicorn.Server(config).run(sockets=[listener])
