"""What tests make in the schemas of dbt, without dbt, given to the role that would have made it."""

import psycopg
from psycopg import sql

from warehouse.grants import DBT_SCHEMAS, TRANSFORMER, apply_grants

NOT_OWNED = """
select format(
    'alter %%s %%I.%%I owner to {role}', case relkind when 'v' then 'view' else 'table' end, nspname, relname
) as statement
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where nspname = any(%(schemas)s) and relkind in ('r', 'v') and relowner <> '{role}'::regrole
union all
select format('alter function %%s owner to {role}', pg_proc.oid::regprocedure)
from pg_proc
inner join pg_namespace on pg_proc.pronamespace = pg_namespace.oid
where nspname = any(%(schemas)s) and proowner <> '{role}'::regrole
"""


def give_to_dbt(connection: psycopg.Connection) -> None:
    """Let dbt's role own what is in its schemas, and the other roles read of it what they may."""
    statement = sql.SQL(NOT_OWNED.replace("{role}", TRANSFORMER))  # type: ignore[arg-type]
    for (owned,) in connection.execute(statement, {"schemas": [*DBT_SCHEMAS]}).fetchall():
        connection.execute(owned)
    apply_grants(connection)
