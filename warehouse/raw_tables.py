"""Raw tables, derived from the contracts: text columns, one for each field, and an envelope."""

import psycopg
from psycopg import sql

from warehouse.contract import Contract

ENVELOPE = {
    "submission_key": "text not null",
    "ingestion_id": "text not null",
    "row_number": "bigint not null",
    "content_hash": "text not null",
    "form_version": "text not null",
    "source": "text not null",
    "received_at": "timestamptz not null",
    "extras": "jsonb",
    "deprecates": "text",
}
INDEXES = "select indexname from pg_indexes where schemaname = 'raw' and tablename = %s"


def create_raw_table(connection: psycopg.Connection, contract: Contract) -> None:
    """Create a form's raw table, or add the columns that its contract has gained. No column is ever dropped."""
    table = sql.Identifier("raw", contract.form)
    envelope = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in ENVELOPE.items()
    )
    connection.execute(sql.SQL("create table if not exists {} ({})").format(table, envelope))
    _index(connection, contract.form, table)
    existing = _columns(connection, contract.form)
    for name in [*ENVELOPE, *contract.names]:
        if name not in existing:
            kind = sql.SQL(ENVELOPE.get(name, "text"))
            connection.execute(sql.SQL("alter table {} add column {} {}").format(table, sql.Identifier(name), kind))


def _index(connection: psycopg.Connection, form: str, table: sql.Identifier) -> None:
    """An index of a page or two: rows stand in the order of their ingestions."""
    name, old = f"{form}_ingestions", f"{form}_by_ingestion"
    # Even `if not exists` locks the table: behind a landing it would wait, and every survey behind it.
    there = {row[0] for row in connection.execute(INDEXES, [form])}
    if name not in there:
        statement = sql.SQL("create index {} on {} using brin (ingestion_id)")
        connection.execute(statement.format(sql.Identifier(name), table))
    if old in there:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier("raw", old)))


def _columns(connection: psycopg.Connection, form: str) -> set[str]:
    statement = "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s"
    return {row[0] for row in connection.execute(statement, [form])}
