"""What analysts and partners read: views of the published tables in the schema `analyst`, without what tells too much.

Households bear pseudonyms, small groups have no numbers, and partners see the rows of their districts.
"""

import hashlib

import psycopg
from psycopg import sql

from warehouse.database import Statements, fetch_rows, queries

SCHEMA = "analyst"
OWN_COLUMNS = {
    "household_id": "Pseudonym of the household, the same in every view of the schema.",
    "is_suppressed": "Whether numbers of the row are not told, for they would tell of fewer than five households.",
    "age_weeks": "Full weeks since the submission was received.",
    "received_date": "Day on which it was received, in UTC.",
    "scored_date": "Day on which the prediction was made, in UTC.",
}


def drop_views_of(connection: psycopg.Connection, table: str) -> None:
    """Drop the views that read a table which is to be made anew; `publish_views` makes them again.

    Args:
        connection: in the transaction of the publication.
        table: the published table, with its schema.
    """
    for row in fetch_rows(connection, queries("analyst")["views_of_table"], {"table": table}):
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier(SCHEMA, row["view_name"])))


def publish_views(connection: psycopg.Connection) -> None:
    """Protect the published tables, note which groups are too small to be told, and make the views that are not there.

    Views whose text is the same as before stay, and with them what others made of them.
    """
    statements = queries("analyst")
    for row in fetch_rows(connection, statements["tables_without_policies"]):
        _protect(connection, statements, row["table_name"])
    if _has_table(connection, "dim_households"):
        connection.execute(statements["note_small_groups"])
    standing = {
        row["view_name"]: row["definition_hash"] for row in fetch_rows(connection, statements["standing_views"])
    }
    for view, definition in queries("analyst_views").items():
        text = definition.as_string(connection)
        definition_hash = hashlib.sha256(text.encode()).hexdigest()
        if standing.get(view) != definition_hash and _has_table(connection, view):
            _make_view(connection, view, definition, text)
            connection.execute(statements["forget_view"], {"view": view})
            connection.execute(statements["note_view"], {"view": view, "hash": definition_hash})


def _protect(connection: psycopg.Connection, statements: Statements, table: str) -> None:
    place = sql.Identifier("marts", table)
    for name in ("protect_table", "protect_table_from_owner", "policy_of_views", "policy_of_readers"):
        connection.execute(statements[name].format(table=place))


def _make_view(connection: psycopg.Connection, view: str, definition: sql.SQL, text: str) -> None:
    place = sql.Identifier(SCHEMA, view)
    description = text.partition("\n")[0].removeprefix("-- ")
    connection.execute(sql.SQL("drop view if exists {}").format(place))
    connection.execute(sql.SQL("create view {} with (security_barrier = true) as\n{}").format(place, definition))
    connection.execute(sql.SQL("comment on view {} is {}").format(place, sql.Literal(description)))
    for row in fetch_rows(connection, queries("analyst")["descriptions_of_columns"], {"view": view}):
        connection.execute(row["statement"])
    shown = connection.execute(sql.SQL("select * from {} limit 0").format(place)).description or ()
    for column in {column.name for column in shown} & {*OWN_COLUMNS}:
        comment = sql.SQL("comment on column {} is {}")
        connection.execute(comment.format(sql.Identifier(SCHEMA, view, column), sql.Literal(OWN_COLUMNS[column])))


def _has_table(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [f"marts.{table}"]).fetchone()
    return bool(row and row[0])
