"""The dashboard as a process of its own."""

import uvicorn

from orchestration.context import open_warehouse
from orchestration.dashboard.app import create_app
from orchestration.heartbeat import beating
from orchestration.listening import address_of, listen
from orchestration.stopping import stop_on_signal
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
    listener = listen("dashboard", host, port, code="dashboard.cannot_listen")
    with open_warehouse(settings) as warehouse, beating(warehouse.database, "dashboard", doing="showing"):
        logger.info("serving", url=f"{address_of(listener)}/dashboard")
        config = uvicorn.Config(
            create_app(settings), proxy_headers=False, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS
        )
        uvicorn.Server(config).run(sockets=[listener])
