"""Where a process listens: a socket that is bound before anything slow begins."""

import socket

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
            remedy=f"Name another: --port {port + 1}.",
        ) from error
    return listener


def address_of(listener: socket.socket, scheme: str) -> str:
    """The address that a socket is bound to, as a browser takes it; the scheme is http or https."""
    host, port = listener.getsockname()
    return f"{scheme}://{host}:{port}"
