"""Building with dbt, and keeping what dbt said of every model and test."""

from orchestration.console import count
from orchestration.context import Warehouse, acting_as
from orchestration.dbt import Dbt, Node
from orchestration.gates import closed_gate
from orchestration.graph.lock import holding_pipeline
from orchestration.publish import describe_publication, publish
from orchestration.runs import fetch
from orchestration.sample import clear_sample_beside_others
from warehouse.database import Database, queries
from warehouse.errors import BuildError, DatabaseUnavailableError
from warehouse.grants import TRANSFORMER

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")  # they try the SQL, not the surveys


def build(warehouse: Warehouse, *arguments: str) -> str:
    """Build and test dbt models, and say what was built; all of them, without arguments, are published as well.

    Raises:
        BuildError: a model, a test or a quality gate failed; what lies downstream keeps its last state.
    """
    with (
        holding_pipeline(warehouse.database, "kyalo build"),
        Dbt(warehouse) as dbt,
        acting_as(warehouse, TRANSFORMER) as transformer,
    ):
        clear_sample_beside_others(warehouse.database)
        nodes = build_models(transformer.database, dbt, "manual", "build", *(arguments or WITHOUT_UNIT_TESTS))
        built = describe_build(nodes)
        if arguments:
            return f"{built}; nothing was published: `kyalo build` or `kyalo run` does that"
        return f"{built}; {describe_publication(publish(transformer.database))}"


def build_models(database: Database, dbt: Dbt, run_id: str, step: str, *arguments: str) -> list[Node]:
    """Run `dbt build`, and keep what it said of every model and test, also when it failed.

    Raises:
        GateClosedError: what is new is too bad.
        BuildError: a model could not be made or a test failed.
        DatabaseUnavailableError: PostgreSQL went away meanwhile.
        ProcessLostError: dbt was killed.
    """
    server = fetch(database, "server_start")
    try:
        return dbt.build(*arguments)
    except BuildError as error:
        if fetch(database, "server_start") != server:  # what dbt cannot tell from an error in a model
            raise DatabaseUnavailableError(
                "PostgreSQL was started again while dbt was at work.", remedy="Run again."
            ) from error
        raise closed_gate(database, error) from error
    finally:
        _keep(database, dbt.results, run_id, step)


def describe_build(nodes: list[Node]) -> str:
    """What dbt built and tested, in a few words."""
    models = sum(node.kind.endswith("model") for node in nodes)
    tests = sum(node.kind == "test" for node in nodes)
    warned = [node.name for node in nodes if node.status == "warn"]
    said = f"{count(models, 'model')} built, {count(tests, 'test')} passed"
    return f"{said}, {len(warned)} warned: {', '.join(warned)}" if warned else said


def _keep(database: Database, nodes: list[Node], run_id: str, step: str) -> None:
    rows = [
        {
            "run_id": run_id,
            "step": step,
            "node_id": node.unique_id,
            "node_name": node.name,
            "resource_type": node.kind,
            "status": node.status,
            "seconds": node.seconds,
            "rows_affected": node.rows_affected,
            "failures": node.failures,
            "message": node.message,
        }
        for node in nodes
    ]
    with database.transaction() as connection:
        connection.cursor().executemany(queries("runs")["insert_dbt_result"], rows)
