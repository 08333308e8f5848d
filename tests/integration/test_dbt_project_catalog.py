"""What the dbt project says of its tables is what PostgreSQL has: every column, its type, its comment."""

import pytest

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from tests.dbt_graph import DbtGraph
from tests.dbt_selections import WITHOUT_TESTS

COLUMNS = """
select
    pg_namespace.nspname || '.' || pg_class.relname as relation,
    pg_attribute.attname as name,
    format_type(pg_attribute.atttypid, pg_attribute.atttypmod) as type,
    col_description(pg_class.oid, pg_attribute.attnum) as comment
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
inner join pg_attribute on pg_class.oid = pg_attribute.attrelid
where
    pg_class.relkind in ('r', 'v')
    and pg_attribute.attnum > 0
    and not pg_attribute.attisdropped
"""
Columns = dict[str, dict[str, tuple[str, str | None]]]

pytestmark = pytest.mark.xdist_group("dbt_project")


@pytest.fixture(scope="module")
def catalog(module_warehouse: Warehouse) -> Columns:
    """The type and the comment of each column of each table, after a build of an empty warehouse."""
    with Dbt(module_warehouse) as dbt:
        dbt.build(*WITHOUT_TESTS)
    found: Columns = {}
    with module_warehouse.database.transaction() as connection:
        for relation, name, kind, comment in connection.execute(COLUMNS).fetchall():
            found.setdefault(relation, {})[name] = (kind, comment)
    return found


def test_models_have_the_columns_that_they_list(dbt_graph: DbtGraph, catalog: Columns) -> None:
    for model in dbt_graph.models.values():
        real = {name: kind for name, (kind, _) in catalog[f"{model['schema']}.{model['name']}"].items()}
        listed = {column["name"]: column["data_type"] for column in model["columns"].values()}
        assert real == listed, model["name"]


def test_public_models_have_them_in_order(dbt_graph: DbtGraph, catalog: Columns) -> None:
    for model in dbt_graph.public_models:
        assert list(catalog[f"{model['schema']}.{model['name']}"]) == list(model["columns"]), model["name"]


def test_sources_have_the_columns_that_they_list(dbt_graph: DbtGraph, catalog: Columns) -> None:
    for source in dbt_graph.sources.values():
        real = catalog[f"{source['schema']}.{source['identifier']}"]
        assert source["columns"].keys() - real.keys() == set(), source["name"]


def test_every_column_bears_its_description_as_comment(dbt_graph: DbtGraph, catalog: Columns) -> None:
    for model in dbt_graph.models.values():
        comments = {name: said for name, (_, said) in catalog[f"{model['schema']}.{model['name']}"].items()}
        assert comments == {name: column["description"] for name, column in model["columns"].items()}, model["name"]
