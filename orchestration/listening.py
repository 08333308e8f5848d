"""How a process serves: on a socket that is bound before anything slow begins, until it is told to stop."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from orchestration.stopping import STOP_SIGNALS
from warehouse.errors import ConfigurationError


def listen(name: str, host: str, port: int, *, code: str) -> socket.socket:
    """A socket bound to an address.

    Args:
        name: what listens there.
        host: the address.
        port: the port; 0 for any that is free.
        code: the error's code.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine's.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The {name} cannot listen on {host}:{port}: {error.strerror}.",
            code=code,
            remedy=f"End what listens there, or name another: {name.upper()}_PORT={port + 1}.",
        ) from error
    return listener


def serve(
    app: FastAPI, config: uvicorn.Config, listener: socket.socket, stop: threading.Event, on_ready: Callable[[], None]
) -> None:
    """Serve an application until SIGTERM or SIGINT. What keeps it from beginning is raised here, as any error is.

    Args:
        app: the application.
        config: of its server, with `lifespan="off"`.
        listener: what it listens on.
        stop: set where a signal came before.
        on_ready: called once it can answer.
    """
    server = uvicorn.Server(config)
    for number in STOP_SIGNALS:
        signal.signal(number, server.handle_exit)  # also while the application begins and ends

    async def keep() -> None:
        async with app.router.lifespan_context(app):
            on_ready()
            await server.serve(sockets=[listener])

    server.should_exit = stop.is_set()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(keep())


def address_of(listener: socket.socket, scheme: str) -> str:
    """The address that a socket is bound to, as a browser takes it; the scheme is http or https."""
    host, port = listener.getsockname()
    return f"{scheme}://{host}:{port}"
