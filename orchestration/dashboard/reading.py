"""What the pages read, as the role that may only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from warehouse.database import Database, fetch_rows, queries
from warehouse.settings import Settings

ROLE = "kyalo_dashboard"
MARTS, TOLD_TO_ANALYSTS = "marts", "analyst"
CONNECTIONS = 8

Row = dict[str, Any]


class Reading:
    """The statements of `dashboard.sql`, in one transaction: a page tells of one moment.

    Args:
        connection: in that transaction.
        marts: where reports of districts, villages and rules are read from: the marts, or what analysts see of them.
    """

    def __init__(self, connection: psycopg.Connection, marts: str) -> None:
        self.connection = connection
        self._marts = sql.Identifier(marts)
        self.has_marts = bool(self.row("has_marts")["has_marts"])

    def statement(self, name: str) -> sql.Composed:
        """A statement that reads from where this reading does."""
        return queries("dashboard")[name].format(marts=self._marts)

    def rows(self, statement: str, **values: object) -> list[Row]:
        """All rows of a statement."""
        return fetch_rows(self.connection, self.statement(statement), values)

    def row(self, statement: str, **values: object) -> Row:
        """The first row of a statement, empty where there is none."""
        rows = self.rows(statement, **values)
        return rows[0] if rows else {}


def open_reader(settings: Settings) -> Database:
    """The database as the pages may use it."""
    return Database(settings, pool_size=CONNECTIONS, reader=ROLE)


@contextmanager
def reading(database: Database, marts: str = MARTS) -> Iterator[Reading]:
    """A reading for the length of the block."""
    with database.transaction() as connection:
        connection.execute("set transaction isolation level repeatable read")
        yield Reading(connection, marts)
