"""The one who knows the clients: by access token, by name and secret, by URL token."""

import time

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_api.auth.clients import Client, hash_url_token
from ingest_api.auth.keys import load_keys
from ingest_api.auth.memory import Memory
from ingest_api.auth.passwords import PasswordCheck
from ingest_api.auth.rates import RequestRate, address_subject
from ingest_api.auth.registry import ClientRegistry, ClientTable
from ingest_api.auth.tokens import Claims, issue_token, refuse_token, verify_token
from ingest_api.limits import PROBES
from warehouse.audit import note
from warehouse.database import Database
from warehouse.errors import DatabaseUnavailableError, ForbiddenError
from warehouse.settings import Settings

TABLE = "kyalo.clients"
NAME = "kyalo.client"  # of the one who asks, for the log of requests


class Doorkeeper:
    """Recognises clients and counts their requests. One for each process of the API.

    Args:
        settings: keys and limits.
        database: where the clients are registered.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.registry = ClientRegistry(database)
        self.token_seconds = settings.jwt_expiration
        self._keys = load_keys(settings)
        self._verified: Memory[Claims] = Memory()
        self._rate = RequestRate(settings.rate_limit_per_minute)
        self._passwords = PasswordCheck(settings.login_limit_per_minute)

    def close(self) -> None:
        """Stop listening for changes."""
        self.registry.close()

    def by_token(self, scope: Scope, token: bytes) -> Client:
        """The client of an access token. A token seen before costs two look-ups.

        Raises:
            UnauthenticatedError: the token is not to be believed any more, or never was.
            TooManyRequestsError: the client asks too often.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = verify_token(self._keys, token)
            self._verified.keep(token, claims)
        elif claims.expires_at <= time.time():
            raise refuse_token("The token has expired.", "auth.token_expired")
        client = _table(scope).by_name.get(claims.name)
        if client is None or client.revoked_at or client.generation != claims.generation:
            raise refuse_token("The client was revoked, or has another secret by now.", "auth.revoked")
        return self._admit(scope, client)

    def by_secret(self, scope: Scope, name: str, secret: str) -> Client:
        """The client of a name and a secret; may take 20 ms, so not for an event loop.

        Raises:
            UnauthenticatedError: one of them is wrong.
            TooManyRequestsError: too many attempts have failed, or the client asks too often.
        """
        client = self._passwords.sign_in(_table(scope), self.registry, name, secret, _host(scope))
        return self._admit(scope, client)

    def by_url_token(self, scope: Scope, token: str) -> Client:
        """The client of a URL token.

        Raises:
            ForbiddenError: nobody has that token. Not 401: form apps would ask for a password.
            TooManyRequestsError: too many attempts have failed, or the client asks too often.
        """
        client = _table(scope).by_url_token.get(hash_url_token(token))
        if client is None or client.revoked_at:
            subject = address_subject(_host(scope))
            self._passwords.guard.check(subject)
            self._passwords.guard.note_failure(subject)
            raise ForbiddenError(
                "The address of the server holds no valid token.",
                code="auth.bad_url_token",
                remedy="Ask for a new address: `kyalo clients rotate NAME --url-token`.",
            )
        return self._admit(scope, client)

    def issue(self, client: Client) -> str:
        """An access token for a client."""
        return issue_token(self._keys, client, self.token_seconds)

    def _admit(self, scope: Scope, client: Client) -> Client:
        scope[NAME] = client.name
        note(actor=client.name)
        self._rate.count(client.name)
        self.registry.note_use(client.name)
        return client


class FreshClients:
    """ASGI middleware that gives each request the table of clients, read anew while the one in memory may be stale."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a table to look its client up in."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            registry: ClientRegistry = scope["app"].state.clients.registry
            scope[TABLE] = registry.current() or await _read(registry)
        await self.app(scope, receive, send)


async def _read(registry: ClientRegistry) -> ClientTable | None:
    try:
        return await run_in_threadpool(registry.read)
    except DatabaseUnavailableError:
        return None  # whoever needs a client is told so


def _table(scope: Scope) -> ClientTable:
    table: ClientTable | None = scope[TABLE]
    if table is None:
        raise DatabaseUnavailableError("The clients cannot be read.", remedy="Try again in some seconds.")
    return table


def _host(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
