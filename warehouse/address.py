"""Where a PostgreSQL database is and who connects to it, as psycopg takes it."""

from typing import TypedDict


class Address(TypedDict):
    """Keyword arguments of `psycopg.connect`."""

    host: str
    port: int
    dbname: str
    user: str
    password: str
