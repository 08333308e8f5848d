"""Who sent an upload, as the ledger keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of one request.

    Attributes:
        client: the registered client; None for what was loaded on the machine itself.
        device: the device that it says it is; nobody has checked.
        idempotency_key: the name that it gave the request.
    """

    client: str | None = None
    device: str | None = None
    idempotency_key: str | None = None


LOCAL = Sender()
