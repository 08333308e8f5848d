"""Every role may do with every table what the one list says, and nothing else."""

import itertools

import psycopg
import pytest
from psycopg import sql

from orchestration.context import Warehouse
from tests.marts_of_households import PLACES, publish_households
from warehouse.errors import MisuseError
from warehouse.grants import (
    ANALYST,
    CUSTODIAN,
    DBT_SCHEMAS,
    EVERY_TABLE,
    LOADER,
    ROLES,
    SCORER,
    TRANSFORMER,
    apply_grants,
    list_grants,
    listed_tables,
    role_named,
)

VERBS = ("select", "insert", "update", "delete", "truncate")
RELATIONS = """
select
    pg_namespace.nspname as schema,
    pg_class.relname as relation,
    pg_class.relkind::text as kind,
    (
        select attname from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = ''
        order by attnum limit 1
    ) as attribute
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where
    pg_class.relkind in ('r', 'v', 'm', 'p')
    and pg_namespace.nspname !~ '^pg_'
    and pg_namespace.nspname not in ('information_schema', 'public', 'mlflow')
order by 1, 2
"""
Relation = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def published(module_warehouse: Warehouse) -> Warehouse:
    """A warehouse with published marts of few households."""
    publish_households(module_warehouse, PLACES)
    return module_warehouse


@pytest.fixture(scope="module")
def relations(published: Warehouse) -> list[Relation]:
    """Every table and view of the warehouse, with a column that can be written to."""
    with published.database.transaction() as connection:
        return [tuple(row) for row in connection.execute(RELATIONS)]


def allowed(role: str, schema: str, relation: str, verb: str) -> tuple[bool, list[str]]:
    """Whether the list allows it, and of which columns only."""
    if role == TRANSFORMER and schema in DBT_SCHEMAS:
        return True, []
    found = [
        grant
        for grant in list_grants()
        if (grant.role, grant.schema, grant.verb) == (role, schema, verb) and grant.table in (relation, EVERY_TABLE)
    ]
    return bool(found), [grant.column for grant in found if grant.column]


def attempt(connection: psycopg.Connection, relation: Relation, verb: str, columns: list[str]) -> bool:
    """Whether PostgreSQL lets the role of the moment do it; nothing stays changed."""
    schema, name, _, attribute = relation
    shown = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    statements = {
        "select": "select {shown} from {place} limit 0",
        "insert": "insert into {place} ({attribute}) select null where false",
        "update": "update {place} set {attribute} = null where false",
        "delete": "delete from {place} where false",
        "truncate": "truncate {place}",
    }
    statement = sql.SQL(statements[verb]).format(
        place=sql.Identifier(schema, name), attribute=sql.Identifier(attribute), shown=shown
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        return "permission denied" not in str(error)  # triggers refuse in other words
    except psycopg.Error:
        return True  # the right was there
    return True


def differences(connection: psycopg.Connection, relations: list[Relation]) -> list[str]:
    """Where a role may do other things than the list says, by trying all of them."""
    found = []
    for role in ROLES:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            for relation, verb in itertools.product(relations, VERBS):
                if relation[2] != "r" and verb != "select":
                    continue
                may, columns = allowed(role, relation[0], relation[1], verb)
                if attempt(connection, relation, verb, columns) != may:
                    found.append(f"{role} {'may not' if may else 'may'} {verb} {relation[0]}.{relation[1]}")
    return found


def test_every_table_is_listed(relations: list[Relation]) -> None:
    unlisted = [
        f"{schema}.{name}"
        for schema, name, *_ in relations
        if not {(schema, name), (schema, EVERY_TABLE)} & listed_tables()
    ]
    assert unlisted == [], "say in warehouse/grants.csv who may read them, or nobody"


def test_roles_may_do_what_the_list_says_and_nothing_else(published: Warehouse, relations: list[Relation]) -> None:
    with published.database.transaction() as connection:
        assert differences(connection, relations) == []


def test_one_right_more_or_less_is_found_and_mended(published: Warehouse, relations: list[Relation]) -> None:
    few = [relation for relation in relations if relation[0] == "raw"]
    with published.database.transaction() as connection, connection.transaction(force_rollback=True):
        connection.execute("revoke insert on raw.bodies from kyalo_loader")
        connection.execute("grant select (form) on raw.ingestions to kyalo_scorer")
        connection.execute("grant usage on schema raw to kyalo_scorer")
        assert differences(connection, few) == ["kyalo_loader may not insert raw.bodies"]
        assert apply_grants(connection) == 3
        assert differences(connection, few) == []
        assert apply_grants(connection) == 0


def test_columns_that_are_not_listed_are_refused(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        rows = connection.execute(
            """
            select roles.role, pg_class.relnamespace::regnamespace::text, pg_class.relname::text, attname::text
            from unnest(%s::text[]) as roles (role), pg_class, pg_attribute
            where
                pg_class.oid in ('raw.ingestions'::regclass, 'raw.rejected_rows'::regclass)
                and attrelid = pg_class.oid and attnum > 0 and not attisdropped
                and has_column_privilege(roles.role, attrelid, attnum, 'select')
            """,
            [[*ROLES]],
        ).fetchall()
    granted = {(role, schema, table, column) for role, schema, table, column in rows}
    for role, schema, table, column in granted:
        may, columns = allowed(role, schema, table, "select")
        assert may, (role, table)
        assert not columns or column in columns, (role, table, column)


def test_nobody_but_the_custodian_reads_personal_answers() -> None:
    assert {grant.role for grant in list_grants() if grant.table == "personal" and grant.verb == "select"} == {
        CUSTODIAN
    }
    assert not {grant.verb for grant in list_grants() if grant.table == "personal"} & {"update", "truncate"}


def test_only_the_owner_of_the_views_reads_the_key_of_pseudonyms() -> None:
    assert {(grant.role, grant.verb) for grant in list_grants() if grant.table == "pseudonym_key"} == {
        (TRANSFORMER, "select")
    }


def test_migrating_again_grants_nothing_anew(published: Warehouse) -> None:
    with published.database.transaction() as connection:
        assert apply_grants(connection) == 0


def test_a_process_has_the_rights_of_its_role(published: Warehouse) -> None:
    for role, refused in ((LOADER, "delete from raw.ingestions"), (SCORER, "select 1 from raw.ingestions")):
        database = published.database.taking_on(role)
        with database.transaction() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(refused.encode())
        with database.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(refused.encode())
        database.close()


def test_roles_have_short_names() -> None:
    assert role_named("analyst") == ANALYST
    with pytest.raises(MisuseError) as refused:
        role_named("superuser")
    assert refused.value.error_code == "database.unknown_role"
