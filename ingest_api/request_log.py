"""A log line for each request: what was asked, by whom, how it was answered and how long that took."""

import logging
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_api.auth.doorkeeper import NAME
from ingest_api.limits import PROBES
from ingest_api.request_times import RequestTimes
from warehouse.logs import bind_context, write_often

logger = logging.getLogger(__name__)
UNKNOWN = "unknown"  # whatever somebody writes into an address that leads nowhere


class RequestLog:
    """ASGI middleware that writes the line, counts it, and binds `request_id` to every other line of the request.

    The identifier goes back in the header `X-Request-ID`, so that whoever was told of a failure can name it. What is
    asked every few seconds by machines is written only where it fails.

    Args:
        app: what answers.
        times: what counts the answers.
    """

    def __init__(self, app: ASGIApp, *, times: RequestTimes) -> None:
        self.app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and write down what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status: int | None = None  # stays so where the client left before an answer
        request_id = secrets.token_hex(8)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        started = time.perf_counter()
        bind_context(request_id=request_id)  # each request has a context of its own, which ends with it
        try:
            await self.app(scope, receive, answer)
        except Exception:
            status = status or 500
            raise
        finally:
            route, seconds = route_template(scope), time.perf_counter() - started
            self._times.note(scope["method"], route, status, seconds)
            _write(scope, route, status, seconds)


def route_template(scope: Scope) -> str | None:
    """The address of the route that was found, with its parameters by name; None where there is no such route."""
    # FastAPI keeps the whole address of a route of an included router here; the route itself knows its end only.
    found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return found.path if found else None


def _write(scope: Scope, route: str | None, status: int | None, seconds: float) -> None:
    is_probe = scope["path"] in PROBES and status is not None and status < 400
    fields = {
        "method": scope["method"],
        "route": route or (scope["path"] if scope["path"] in PROBES else UNKNOWN),
        "status": status,
        "seconds": round(seconds, 4),
        "client": scope.get(NAME),
    }
    write_often(logger, logging.DEBUG if is_probe else logging.INFO, "request", fields)
