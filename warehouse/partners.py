"""Partners: analysts of other organisations, who sign in to the database and see the rows of their districts."""

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from warehouse.address import Address
from warehouse.database import Database, Statements, fetch_row, fetch_rows, queries
from warehouse.errors import ConfigurationError, ConflictError, NotFoundError, RefusedRequestError
from warehouse.grants import PARTNER

PREFIX = "partner_"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SESSIONS = 10
LONGEST_STATEMENT = "5min"


@dataclass(frozen=True)
class Partner:
    """Whom a login belongs to.

    Attributes:
        role_name: what the partner signs in as.
        districts: the districts whose rows it sees.
        added_at: since when.
    """

    role_name: str
    districts: list[str]
    added_at: datetime


def add_partner(database: Database, name: str, districts: Sequence[str]) -> tuple[str, str]:
    """Make a login that sees what analysts see of some districts; its role and its password, which nobody keeps.

    Args:
        database: the owner's.
        name: the partner's, the role bears `partner_` before it.
        districts: as the marts write them.

    Raises:
        RefusedRequestError: the name cannot be a role's, or the marts know no such district.
        ConflictError: the server has a role of that name.
        ConfigurationError: the database's user may not make roles.
    """
    role, password = _role_of(name), secrets.token_urlsafe(24)
    statements = queries("partners")
    with _telling_rights(), database.transaction() as connection:
        if fetch_row(connection, statements["find_role"], {"role": role}):
            raise ConflictError(
                f"The server has a role {role} already.",
                code="partner.exists",
                remedy=f"`kyalo partners remove {name}` ends it; or take another name.",
            )
        _require_districts(connection, statements, districts)
        _make_role(connection, role, password)
        connection.execute(statements["add_districts"], {"role": role, "districts": [*districts]})
    return role, password


def partner_url(address: Address, role: str) -> str:
    """Where a partner connects, as psql and other programs read it; without its password.

    Args:
        address: of the database, as this machine knows it.
        role: what the partner signs in as.
    """
    host = address["host"]
    options = {"host": host} if host.startswith("/") else {}
    if "sslmode" in address:
        options["sslmode"] = address["sslmode"]
    shown = "" if host.startswith("/") else f"[{host}]" if ":" in host else host
    asked = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{role}@{shown}:{address['port']}/{quote(address['dbname'], safe='')}{asked}"


def list_partners(database: Database) -> list[Partner]:
    """Everybody who sees some districts, by role."""
    with database.transaction() as connection:
        return (
            connection.cursor(row_factory=class_row(Partner)).execute(queries("partners")["list_partners"]).fetchall()
        )


def remove_partner(database: Database, name: str) -> int:
    """End a partner's login and its sessions; how many districts it saw.

    Raises:
        NotFoundError: there is no such partner.
    """
    role, statements = _role_of(name), queries("partners")
    with _telling_rights(), database.transaction() as connection:
        found = fetch_row(connection, statements["find_role"], {"role": role})
        seen = fetch_rows(connection, statements["forget_districts"], {"role": role})
        if not seen and not (found and found["is_partner"]):
            raise NotFoundError(
                f"There is no partner {name}.", code="partner.not_found", remedy="`kyalo partners list` shows them."
            )
        if found and found["is_partner"]:
            connection.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(role)))
            connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            connection.execute(statements["end_sessions"], {"role": role})
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
    return len(seen)


def _role_of(name: str) -> str:
    if not NAME.fullmatch(name):
        raise RefusedRequestError(
            f"{name!r} cannot be the name of a partner.",
            code="partner.bad_name",
            remedy="Use up to 40 small letters, digits and underscores, a letter first.",
        )
    return PREFIX + name


def _require_districts(connection: psycopg.Connection, statements: Statements, districts: Sequence[str]) -> None:
    found = fetch_row(connection, statements["has_districts"])
    known = []
    if found and found["has_districts"]:
        known = [row["district"] for row in fetch_rows(connection, statements["known_districts"])]
    if unknown := [district for district in districts if district not in known]:
        raise RefusedRequestError(
            f"The marts have no district {', '.join(unknown)}.",
            code="partner.unknown_district",
            remedy=f"There are: {', '.join(known) or 'none yet, run `kyalo run` first'}.",
        )


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """Make the login; the server is told the password's hash, so that no log of statements holds the password."""
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    place = sql.Identifier(role)
    connection.execute(
        sql.SQL("create role {} login connection limit {} password {}").format(
            place, sql.Literal(SESSIONS), sql.Literal(hashed)
        )
    )
    connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(PARTNER), place))
    for setting, value in {"default_transaction_read_only": "on", "statement_timeout": LONGEST_STATEMENT}.items():
        statement = sql.SQL("alter role {} set {} = {}")
        connection.execute(statement.format(place, sql.Identifier(setting), sql.Literal(value)))


@contextmanager
def _telling_rights() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"DB_USER may not make or end the logins of partners: {error.diag.message_primary}",
            code="partner.no_right",
            remedy="Let an administrator of the server say: alter role DB_USER createrole;"
            " grant kyalo_partner to DB_USER with admin option.",
        ) from error
