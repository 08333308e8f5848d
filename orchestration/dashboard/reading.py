"""What the pages read, as the role that may only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from warehouse.database import Database, fetch_rows, queries
from warehouse.settings import Settings

ROLE = "kyalo_dashboard"
CONNECTIONS = 8

Row = dict[str, Any]


class Reading:
    """The statements of `dashboard.sql`, in one transaction: a page tells of one moment."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.has_marts = bool(self.row("has_marts")["has_marts"])

    def rows(self, statement: str, **values: object) -> list[Row]:
        """All rows of a statement."""
        return fetch_rows(self.connection, queries("dashboard")[statement], values)

    def row(self, statement: str, **values: object) -> Row:
        """The first row of a statement, empty where there is none."""
        rows = self.rows(statement, **values)
        return rows[0] if rows else {}


def open_reader(settings: Settings) -> Database:
    """The database as the pages may use it."""
    return Database(settings, pool_size=CONNECTIONS, reader=ROLE)


@contextmanager
def reading(database: Database) -> Iterator[Reading]:
    """A reading for the length of the block."""
    with database.transaction() as connection:
        connection.execute("set transaction isolation level repeatable read")
        yield Reading(connection)
