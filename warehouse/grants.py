"""Who may do what in the database: `grants.csv`, and the statements that make it so.

The owner, whose tables the migrations make, may do all of it; `kyalo_transformer` owns what dbt makes.
"""

import csv
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from warehouse.contract import list_forms
from warehouse.database import fetch_rows, queries
from warehouse.errors import MisuseError

LOADER, TRANSFORMER, SCORER = "kyalo_loader", "kyalo_transformer", "kyalo_scorer"
ANALYST, PARTNER, DASHBOARD, CUSTODIAN = "kyalo_analyst", "kyalo_partner", "kyalo_dashboard", "kyalo_custodian"
ROLES = (LOADER, TRANSFORMER, SCORER, ANALYST, PARTNER, DASHBOARD, CUSTODIAN)
DBT_SCHEMAS = ("staging", "validated", "features", "marts_next", "marts", "analyst")
EVERY_TABLE, EACH_FORM = "*", "{form}"
SHORT_NAMES = {role.removeprefix("kyalo_"): role for role in ROLES}
LIST = Path(__file__).with_suffix(".csv")


class Grant(NamedTuple):
    """What a role may do with one table, or with some columns of it; `*` are all tables and views of the schema."""

    role: str
    schema: str
    table: str
    verb: str
    column: str | None


@cache
def list_grants() -> tuple[Grant, ...]:
    """Every grant of `grants.csv`, one for each table, verb and column."""
    with LIST.open(newline="") as file:
        return tuple(
            Grant(row["role"], row["schema"], table, verb, column)
            for row in csv.DictReader(file)
            for table in _tables(row["tables"])
            for verb in row["verbs"].split()
            for column in row["columns"].split() or [None]
        )


@cache
def listed_tables() -> frozenset[tuple[str, str]]:
    """Every schema and table that `grants.csv` names, also those that no role may touch."""
    with LIST.open(newline="") as file:
        return frozenset((row["schema"], table) for row in csv.DictReader(file) for table in _tables(row["tables"]))


def apply_grants(connection: psycopg.Connection, schemas: Collection[str] | None = None) -> int:
    """Grant what the list says and is missing, revoke what it does not say; how many statements that took.

    What is listed and does not exist is left out: dbt has not built it yet.

    Args:
        connection: the owner's, or that of the role that owns the tables.
        schemas: only in these; in all that the list names, and in dbt's, when omitted.
    """
    grants = list_grants()
    wanted = {*schemas} if schemas is not None else {*DBT_SCHEMAS, *(grant.schema for grant in grants)}
    values = {
        "roles": [*ROLES],
        "schemas": [*wanted],
        "dbt_schemas": [*DBT_SCHEMAS],
        "grants": Jsonb([grant._asdict() for grant in grants if grant.schema in wanted]),
    }
    statements = [row["statement"] for row in fetch_rows(connection, queries("grants")["differing_grants"], values)]
    for statement in statements:
        connection.execute(statement)
    return len(statements)


def role_named(name: str) -> str:
    """The role of a short name, such as analyst.

    Raises:
        MisuseError: there is no such role.
    """
    if name not in SHORT_NAMES:
        raise MisuseError(
            f"There is no role {name}.", code="database.unknown_role", remedy=f"Roles are {', '.join(SHORT_NAMES)}."
        )
    return SHORT_NAMES[name]


def make_dbt_schemas(connection: psycopg.Connection) -> None:
    """Make the schemas that dbt builds in, where they are not, so that its role needs no right to make any."""
    for schema in DBT_SCHEMAS:
        statement = sql.SQL("create schema if not exists {} authorization {}")
        connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(TRANSFORMER)))


def _tables(named: str) -> list[str]:
    return [table for name in named.split() for table in (list_forms() if name == EACH_FORM else [name])]
