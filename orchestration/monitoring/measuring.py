"""What a run leaves behind, measured: how good the data is, and how well the champions do."""

from orchestration.context import Warehouse
from orchestration.monitoring.health import STATEMENTS, Health, read_health
from warehouse.database import Database

# Of fewer new submissions, or scored households, chance says more than quality does.
LEAST_SUBMISSIONS = 100
LEAST_HOUSEHOLDS = 500
# What each statement reads that dbt makes; it waits for the first build.
DATA_QUALITY = {
    "measure_ledger": None,
    "measure_outcomes": "marts.rpt_ingestions",
    "measure_quality": "marts.rpt_data_quality",
    "measure_gates": "validated.int_run_quality",
    "measure_tests": None,
}
MODEL_PERFORMANCE = {"measure_models": None, "measure_households": "marts.fct_household_risk"}


def measure(warehouse: Warehouse, run_id: str | None) -> Health:
    """Measure data and models as they are now, and say how well it all is.

    Args:
        warehouse: what to measure; it reads reports that the build made, so that a million households cost a second.
        run_id: the run that measures; None for a check of its own, which says nothing of a build's tests.
    """
    record(warehouse.database, run_id, {**DATA_QUALITY, **MODEL_PERFORMANCE})
    return read_health(warehouse.database)


def record(database: Database, run_id: str | None, statements: dict[str, str | None]) -> None:
    """Execute statements that measure, each once what it reads is there."""
    relations = [relation for relation in statements.values() if relation]
    with database.transaction() as connection:
        rows = connection.execute(STATEMENTS["existing_relations"], {"relations": relations})
        existing = {relation for (relation,) in rows}
        values = {
            "run_id": run_id,
            "least_submissions": LEAST_SUBMISSIONS,
            "least_households": LEAST_HOUSEHOLDS,
        }
        for statement, relation in statements.items():
            if relation is None or relation in existing:
                connection.execute(STATEMENTS[statement], values)
