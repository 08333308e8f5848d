"""The dashboard as a process of its own."""

import uvicorn

from orchestration.context import open_warehouse, require_keys
from orchestration.dashboard.app import create_app
from orchestration.heartbeat import beating
from orchestration.listening import address_of, listen, serve
from orchestration.stopping import stop_on_signal
from orchestration.tls import https_of, scheme_of
from warehouse.logs import get_logger
from warehouse.settings import Settings

logger = get_logger(__name__)
GRACE_SECONDS = 5


def serve_dashboard(settings: Settings, host: str, port: int) -> None:
    """Serve the dashboard in this process until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the port is taken, the address is none of this machine's, a key is missing, or the
            certificate cannot be used.
    """
    require_keys(settings)
    https = https_of(settings)
    stop = stop_on_signal()
    listener = listen("dashboard", host, port, code="dashboard.cannot_listen")
    with open_warehouse(settings) as warehouse, beating(warehouse.database, "dashboard", doing="showing"):
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            lifespan="off",
            proxy_headers=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=https,
        )
        url = f"{address_of(listener, scheme_of(settings))}/dashboard"
        serve(app, config, listener, stop, lambda: logger.info("serving", url=url))
