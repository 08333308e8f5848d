"""What tests ask a warehouse in SQL, and change in it."""

from typing import Any, cast

from orchestration.context import Warehouse
from warehouse.crypto.keys import load_key_ring


def ask(warehouse: Warehouse, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of a statement; without values its percent signs are its own."""
    with warehouse.database.transaction() as connection:
        return connection.execute(cast(Any, statement), values or None).fetchall()


def execute(warehouse: Warehouse, statement: str, *values: object) -> None:
    """Execute a statement that returns no rows."""
    with warehouse.database.transaction() as connection:
        connection.execute(cast(Any, statement), values or None)


def ask_bodies(warehouse: Warehouse) -> list[str]:
    """The originals that wait in the database, opened."""
    keys = load_key_ring(warehouse.settings)
    return [keys.open(body).decode() for (body,) in ask(warehouse, "select body from raw.bodies")]
