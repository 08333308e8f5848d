"""Registered clients as the database has them."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from psycopg.rows import class_row

from ingest_api.auth.roles import Role
from warehouse.database import Database, queries
from warehouse.errors import ConflictError, NotFoundError, RefusedRequestError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.IGNORECASE | re.ASCII)
RESERVED = {"inbox"}  # the ledger calls so what no client sent
SECRET_BYTES = 32

# OWASP's second setting: 19 MiB and about 20 ms for each login. The secrets are ours, of 256 random bits.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may use the API.

    Attributes:
        name: what the ledger calls it.
        generation: how often its secret was set; a token of an earlier generation is void.
        secret_hash: argon2.
        url_token_hash: SHA-256, None without a URL token.
        revoked_at: since when it is refused.
        last_used_at: to a minute or so.
    """

    name: str
    role: Role
    generation: int
    secret_hash: str
    url_token_hash: bytes | None
    created_at: datetime
    rotated_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client is given, once: only hashes of it are kept."""

    name: str
    secret: str
    url_token: str | None


def add_client(database: Database, name: str, role: Role, *, with_url_token: bool = False) -> Credentials:
    """Register a client and return what it signs in with.

    Raises:
        RefusedRequestError: the name cannot stand in a ledger or a header.
        ConflictError: there is, or was, one of that name.
    """
    if not NAME.fullmatch(name) or name.lower() in RESERVED:
        raise RefusedRequestError(
            f"{name!r} cannot be the name of a client.",
            code="client.bad_name",
            remedy="Use up to 63 letters, digits, dots, hyphens and underscores; `inbox` is taken.",
        )
    given = _make_credentials(name)
    values = {"name": name, "role": role, **_hashes(given)}
    if not with_url_token:
        values["url_token_hash"] = None
    with database.transaction() as connection:
        added = connection.execute(queries("clients")["add"], values).fetchone()
    if not added:
        raise ConflictError(
            f"There is a client {name} already.",
            code="client.exists",
            remedy=f"`kyalo clients rotate {name}` gives it a new secret; a revoked name is not given again.",
        )
    return given if with_url_token else Credentials(name, given.secret, None)


def list_clients(database: Database) -> list[Client]:
    """All clients, revoked ones too, by name."""
    with database.transaction() as connection:
        return fetch_clients(connection)


def fetch_clients(connection: psycopg.Connection) -> list[Client]:
    """All clients, on a connection of the caller's."""
    return connection.cursor(row_factory=class_row(Client)).execute(queries("clients")["all"]).fetchall()


def revoke_client(database: Database, name: str) -> None:
    """Refuse a client from now on, with every token that it has.

    Raises:
        NotFoundError: there is none of that name.
    """
    with database.transaction() as connection:
        if not connection.execute(queries("clients")["revoke"], {"name": name}).fetchone():
            raise _no_client(name)


def rotate_client(database: Database, name: str, *, with_url_token: bool = False) -> Credentials:
    """Give a client a new secret (and URL token, where it has or shall have one); the old ones end at once.

    Raises:
        NotFoundError: there is none of that name, or it is revoked.
    """
    given = _make_credentials(name)
    values = {"name": name, "with_url_token": with_url_token, **_hashes(given)}
    with database.transaction() as connection:
        row = connection.execute(queries("clients")["rotate"], values).fetchone()
    if row is None:
        raise _no_client(name)
    return given if row[0] else Credentials(name, given.secret, None)


def note_use(connection: psycopg.Connection, names: Iterable[str]) -> None:
    """Note that these clients have used the API lately."""
    connection.execute(queries("clients")["note_use"], {"names": list(names)})


def verify_secret(client: Client | None, secret: str) -> bool:
    """Whether this is the client's secret; it takes as long where there is no such client."""
    try:
        _hasher.verify(client.secret_hash if client else _hash_of_nobody(), secret)
    except VerificationError:
        return False
    return client is not None


def hash_url_token(token: str) -> bytes:
    """What is kept of a URL token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _make_credentials(name: str) -> Credentials:
    return Credentials(name, secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def _hashes(given: Credentials) -> dict[str, str | bytes | None]:
    return {
        "secret_hash": _hasher.hash(given.secret),
        "url_token_hash": hash_url_token(given.url_token) if given.url_token else None,
    }


def _no_client(name: str) -> NotFoundError:
    return NotFoundError(
        f"There is no client {name} that could be used.",
        code="client.not_found",
        remedy="`kyalo clients list` shows them.",
    )


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(SECRET_BYTES))
