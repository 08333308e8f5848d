"""Signing in with a name and a secret, at the price of one argon2 hash, remembered for some minutes."""

import hashlib
import secrets
import threading
import time

from ingest_api.auth.clients import Client, verify_secret
from ingest_api.auth.memory import Memory
from ingest_api.auth.rates import LoginGuard, address_subject
from ingest_api.auth.registry import ClientRegistry, ClientTable
from warehouse.errors import BusyError, UnauthenticatedError

REMEMBERED_SECONDS = 300.0
HASHES_AT_ONCE = 2
PATIENCE_SECONDS = 5.0
LONGEST_SECRET = 1024


class PasswordCheck:
    """Verifies secrets, a few at a time: each takes 19 MiB and some 20 ms.

    Args:
        failures_per_minute: how many may fail from one address. Those for one name are not counted: whoever knows a
            name could lock its owner out, and no number of addresses guesses a secret of 256 bits.
    """

    def __init__(self, failures_per_minute: int) -> None:
        self.guard = LoginGuard(failures_per_minute)
        self._turn = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._remembered: Memory[tuple[int, float]] = Memory()
        self._memory_key = secrets.token_bytes(32)

    def sign_in(self, table: ClientTable, registry: ClientRegistry, name: str, secret: str, host: str | None) -> Client:
        """The client of that name, if this is its secret.

        Args:
            table: the clients as they are known to be; enough for a sign-in that is remembered.
            registry: reads them anew for any other: a client that was registered a moment ago may sign in.
            name: the client's.
            secret: what it offers.
            host: the address that it comes from.

        Raises:
            UnauthenticatedError: it is not, or the client is revoked.
            TooManyRequestsError: too many attempts have failed.
            BusyError: too many others are signing in.
        """
        trace = self._trace(name, secret)
        known = table.by_name.get(name)
        if known and not known.revoked_at and self._is_remembered(trace, known):
            return known
        client = self._verify(registry, name, secret, host)
        self._remembered.keep(trace, (client.generation, time.monotonic() + REMEMBERED_SECONDS))
        return client

    def _verify(self, registry: ClientRegistry, name: str, secret: str, host: str | None) -> Client:
        subject = address_subject(host)
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise BusyError("Too many are signing in at once.", code="auth.busy", remedy="Try again in some seconds.")
        try:
            self.guard.check(subject)
            client = registry.read().by_name.get(name)
            matches = len(secret) <= LONGEST_SECRET and verify_secret(client, secret)
            if client is None or not matches or client.revoked_at:
                self.guard.note_failure(subject)
                raise UnauthenticatedError(
                    "The name or the secret is wrong, or the client was revoked.",
                    code="auth.bad_credentials",
                    remedy="Check both; `kyalo clients rotate NAME` gives a new secret.",
                )
            return client
        finally:
            self._turn.release()

    def _is_remembered(self, trace: bytes, client: Client) -> bool:
        generation, until = self._remembered.get(trace) or (0, 0.0)
        return generation == client.generation and time.monotonic() < until

    def _trace(self, name: str, secret: str) -> bytes:
        pair = f"{name}\0{secret}".encode("utf-8", "replace")
        return hashlib.blake2b(pair, key=self._memory_key).digest()
