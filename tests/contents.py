"""What tables hold, as a number of rows and a hash of them all: to see whether anything differs."""

from psycopg import sql

from warehouse.database import Database


def contents(
    database: Database, *schemas: str, leaving_out: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> dict[str, str]:
    """The rows of every table of some schemas, whatever their order, as `count:hash`, by `schema.table`.

    Args:
        database: the warehouse.
        schemas: their tables are looked at.
        leaving_out: tables that are not.
        without: columns that may differ.
    """
    with database.transaction() as connection:
        tables = connection.execute(
            """
            select table_schema, table_name
            from information_schema.tables
            where table_schema = any(%s) and table_type = 'BASE TABLE' and table_name <> all(%s)
            """,
            [list(schemas), list(leaving_out)],
        ).fetchall()
        found = {}
        for schema, table in tables:
            statement = sql.SQL(
                "select count(*) || ':' || coalesce(sum(hashtextextended({kept}::text, 0)::numeric), 0) from {} as t"
            )
            kept = sql.SQL("(to_jsonb(t) - {}::text[])").format(list(without)) if without else sql.SQL("t")
            row = connection.execute(statement.format(sql.Identifier(schema, table), kept=kept)).fetchone()
            found[f"{schema}.{table}"] = str(row[0]) if row else ""
    return found
