"""What routes call to learn who is asking, and whether they may."""

import base64
import binascii
import ipaddress
from collections.abc import Awaitable, Callable, Collection

from fastapi import Request
from starlette.types import Scope

from ingest_api.auth.clients import Client
from ingest_api.auth.doorkeeper import Doorkeeper
from ingest_api.auth.roles import EVERYBODY, FILE_SENDERS, REVIEWERS, SURVEY_SENDERS, Role
from warehouse.errors import ForbiddenError, UnauthenticatedError

BEARER_CHALLENGE = 'Bearer realm="kyalo"'
BASIC_CHALLENGE = 'Basic realm="kyalo", charset="UTF-8"'
__all__ = [
    "EVERYBODY",
    "FILE_SENDERS",
    "REVIEWERS",
    "SURVEY_SENDERS",
    "Client",
    "allow",
    "authenticate",
    "check",
    "identify_device",
    "is_near",
    "is_private",
    "may_see",
]


def authenticate(request: Request) -> Client:
    """The client whose access token the request bears.

    Raises:
        UnauthenticatedError: there is none, or it is not to be believed.
        TooManyRequestsError: the client asks too often.
    """
    scheme, credentials = _authorization(request.scope)
    if scheme != b"bearer":
        raise UnauthenticatedError(
            "The request bears no access token.",
            remedy="POST /api/v1/auth/token gives one; send it as `Authorization: Bearer TOKEN`.",
            challenge=BEARER_CHALLENGE,
        )
    return _doorkeeper(request).by_token(request.scope, credentials)


def check(request: Request, roles: Collection[Role]) -> Client:
    """The client that asks, if its role is one of these; administrators may do everything.

    Raises:
        UnauthenticatedError: nobody knows who is asking.
        ForbiddenError: its role is another.
        TooManyRequestsError: it asks too often.
    """
    return _check_role(authenticate(request), roles)


def allow(*roles: Role) -> Callable[[Request], Awaitable[Client]]:
    """A dependency of a route that gives the client that asks, if its role is one of these."""

    async def dependency(request: Request) -> Client:
        return check(request, roles)

    return dependency


def may_see(client: Client, owner: str | None) -> bool:
    """Whether a client may know of an ingestion: a device of its own ones only.

    Args:
        client: who asks.
        owner: the client that sent it.
    """
    return client.role != "device" or owner == client.name


def identify_device(request: Request) -> Client:
    """The client of an OpenRosa request: by URL token, access token, or name and password (HTTP Basic).

    May verify a password, which takes 20 ms: call it in a thread, or as a dependency.

    Raises:
        UnauthenticatedError: nobody knows who is asking, or the password came in clear.
        ForbiddenError: the URL token is nobody's, or the client may not send surveys.
        TooManyRequestsError: too many attempts have failed, or the client asks too often.
    """
    doorkeeper, scope = _doorkeeper(request), request.scope
    scheme, credentials = _authorization(scope)
    if token := request.path_params.get("token"):
        client = doorkeeper.by_url_token(scope, token)
    elif scheme == b"bearer":
        client = doorkeeper.by_token(scope, credentials)
    elif not is_private(scope):
        raise UnauthenticatedError(
            "Names and passwords are taken over https only.",
            code="auth.needs_tls",
            remedy="Use https, or an address with a token: `kyalo clients add NAME --role device --url-token`.",
            challenge=BASIC_CHALLENGE,
        )
    else:
        client = doorkeeper.by_secret(scope, *_name_and_secret(scheme, credentials))
    return _check_role(client, SURVEY_SENDERS)


def is_private(scope: Scope) -> bool:
    """Whether nobody between can read the request: it came by TLS, or from this very machine.

    A request that a proxy passed on comes from elsewhere, whatever its address says; the scheme that a trusted
    proxy names was put into the scope before.
    """
    if scope["scheme"] == "https":
        return True
    address = _direct_address(scope)
    return address is not None and address.is_loopback


def is_near(scope: Scope) -> bool:
    """Whether the request comes from this machine or a private network, and no proxy passed it on."""
    address = _direct_address(scope)
    return address is not None and address.is_private


def _direct_address(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Where the request comes from; None where a proxy passed it on, and where that is no address."""
    if any(name == b"forwarded" or name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
        return None
    try:
        return ipaddress.ip_address(scope["client"][0] if scope.get("client") else "")
    except ValueError:
        return None


def _check_role(client: Client, roles: Collection[Role]) -> Client:
    if client.role not in roles and client.role != "admin":
        raise ForbiddenError(
            f"{client.name} has the role {client.role}, which may not do this.",
            remedy=f"Roles that may: {', '.join([*sorted(roles), 'admin'])}.",
        )
    return client


def _authorization(scope: Scope) -> tuple[bytes, bytes]:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credentials = value.partition(b" ")
            return scheme.lower(), credentials.strip()
    return b"", b""


def _name_and_secret(scheme: bytes, credentials: bytes) -> tuple[str, str]:
    try:
        name, separator, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        separator = ""
    if scheme != b"basic" or not separator:
        raise UnauthenticatedError(
            "The request bears neither a name with a password nor a token.",
            code="auth.missing_credentials",
            remedy="Sign in with the client's name and secret.",
            challenge=BASIC_CHALLENGE,
        )
    return name, secret


def _doorkeeper(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.clients
    return doorkeeper
