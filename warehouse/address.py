"""Where a PostgreSQL database is and who connects to it, as psycopg takes it."""

from typing import TypedDict


class Encryption(TypedDict, total=False):
    """How a connection is encrypted, in the words of libpq."""

    sslmode: str
    sslrootcert: str
    sslcert: str
    sslkey: str
    ssl_min_protocol_version: str


class Address(Encryption):
    """Keyword arguments of `psycopg.connect`."""

    host: str
    port: int
    dbname: str
    user: str
    password: str
