"""Publication: the marts of the last build take the place of those that people read, all at once or not at all."""

import psycopg
from psycopg import sql

from orchestration.analyst_views import SCHEMA, drop_views_of, publish_views
from orchestration.console import count
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import BuildError
from warehouse.grants import apply_grants

NEXT, PUBLISHED = "marts_next", "marts"


def publish(database: Database) -> dict[str, int]:
    """Make the published marts the same as the newly built ones, in one transaction; only what differs is written.

    What analysts and partners see of them is made in the same transaction.

    A table whose columns changed is made anew; one that is built no more is dropped; what others made in the schema is
    left alone. Returns how many rows were written to, or deleted from, each table that changed.

    Raises:
        BuildError: a mart has no unique index, so that its rows cannot be told apart.
    """
    statements = queries("publishing")
    with database.transaction() as connection:
        connection.execute(statements["take_role"])
        connection.execute(statements["lock_publishing"])
        tables = [row["table_name"] for row in fetch_rows(connection, statements["built_tables"])]
        changed_rows = {f"{PUBLISHED}.{table}": _publish_table(connection, table) for table in tables}
        for row in fetch_rows(connection, statements["tables_no_longer_built"], {"tables": tables}):
            _drop_table(connection, row["table_name"])
        connection.execute(statements["note_tables"], {"tables": tables})
        connection.execute(statements["note_ingestions"])
        publish_views(connection)
        apply_grants(connection, [PUBLISHED, SCHEMA])
    return {table: rows for table, rows in changed_rows.items() if rows}


def describe_publication(changed_rows: dict[str, int]) -> str:
    """What a publication changed, in a few words."""
    rows = sum(changed_rows.values())
    if not changed_rows:
        return "nothing changed"
    return f"{count(len(changed_rows), 'published table')} changed, {count(rows, 'row')}"


def _publish_table(connection: psycopg.Connection, table: str) -> int:
    statements = queries("publishing")
    names = {"built": f"{NEXT}.{table}", "published": f"{PUBLISHED}.{table}"}
    if not fetch_rows(connection, statements["has_same_columns"], names):
        return _copy_table(connection, table)
    key = [row["name"] for row in fetch_rows(connection, statements["key_columns"], names)]
    if not key:
        raise BuildError(f"The mart {table} has no unique index.", remedy="Give its model one over its key.")
    changed = connection.execute(_merge(connection, table, key)).rowcount
    _describe(connection, names)
    return changed


def _copy_table(connection: psycopg.Connection, table: str) -> int:
    """Make the published table anew, with the indexes of the built one; they are made last, which is faster."""
    places = {"built": sql.Identifier(NEXT, table), "published": sql.Identifier(PUBLISHED, table)}
    _drop_table(connection, table)
    connection.execute(
        sql.SQL("create table {published} (like {built} including all excluding indexes)").format(**places)
    )
    copied = connection.execute(sql.SQL("insert into {published} table {built}").format(**places)).rowcount
    for row in fetch_rows(connection, queries("publishing")["index_definitions"], {"built": f"{NEXT}.{table}"}):
        connection.execute(row["statement"])
    connection.execute(sql.SQL("analyze {published}").format(**places))
    return copied


def _drop_table(connection: psycopg.Connection, table: str) -> None:
    try:
        drop_views_of(connection, f"{PUBLISHED}.{table}")
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(PUBLISHED, table)))
    except psycopg.errors.DependentObjectsStillExist as error:
        reader = error.diag.message_detail
        raise BuildError(
            f"The columns of {PUBLISHED}.{table} change, and something that you made reads it: {reader}",
            remedy="Drop it, run again, then make it anew.",
            code="build.mart_in_use",
        ) from error


def _merge(connection: psycopg.Connection, table: str, key: list[str]) -> sql.Composed:
    columns = connection.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(NEXT, table))).description
    names = [column.name for column in columns or ()]
    return sql.SQL(
        """
        merge into {published} as standing
        using {built} as built on {same_key}
        when matched and ({standing_values}) is distinct from ({built_values}) then
            update set {assignments}
        when not matched by target then
            insert ({names}) values ({built_values})
        when not matched by source then
            delete
        """
    ).format(
        published=sql.Identifier(PUBLISHED, table),
        built=sql.Identifier(NEXT, table),
        same_key=sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier("standing", name), sql.Identifier("built", name)) for name in key
        ),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("built", name)) for name in names
        ),
        names=_listed(names),
        standing_values=_listed(names, "standing"),
        built_values=_listed(names, "built"),
    )


def _listed(names: list[str], *of: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*of, name) for name in names)


def _describe(connection: psycopg.Connection, names: dict[str, str]) -> None:
    """Take over the descriptions that changed."""
    for row in fetch_rows(connection, queries("publishing")["new_descriptions"], names):
        connection.execute(row["statement"])
