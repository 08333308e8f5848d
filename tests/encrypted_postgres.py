"""TLS before the embedded PostgreSQL, which was built without: what a client asks and checks is real."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.certificates import HOST, Authority

ENCRYPTION_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
AGREED = b"S"
CHUNK = 65_536


@contextmanager
def encrypted(port: int, authority: Authority, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Iterator[int]:
    """A port on which the server at another port is spoken to by TLS, and by nothing else."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate, authority.key)
    context.maximum_version = newest
    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, context), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, port: int, context: ssl.SSLContext) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, port, context), daemon=True).start()


def _serve(client: socket.socket, port: int, context: ssl.SSLContext) -> None:
    with client, suppress(OSError):
        if client.recv(len(ENCRYPTION_REQUEST)) != ENCRYPTION_REQUEST:
            return
        client.sendall(AGREED)
        with context.wrap_socket(client, server_side=True) as inside, socket.create_connection((HOST, port)) as server:
            threading.Thread(target=_pass_on, args=(server, inside), daemon=True).start()
            _pass_on(inside, server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(CHUNK):
            target.sendall(content)
        target.shutdown(socket.SHUT_RDWR)
