"""Checks that the schedule asks for, beside those of each run."""

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.monitoring.health import Health, read_health
from orchestration.monitoring.measuring import DATA_QUALITY, MODEL_PERFORMANCE, record

# Tests of what the loader wrote; what dbt made of it was tested when it was made.
SOURCE_TESTS = ("--select", "source:*", "ledger_balances", "--indirect-selection", "cautious")
PERFORMANCE_CHECK = "performance_check"


def check_quality(warehouse: Warehouse) -> Health:
    """Test what the loader wrote since the last run, and measure the quality of the data.

    Raises:
        BuildError: a test failed; what was measured is kept all the same.
        BusyError: a build is under way, which tests by itself.
    """
    try:
        with Dbt(warehouse) as dbt:
            dbt.build(*SOURCE_TESTS)
    finally:
        record(warehouse.database, None, DATA_QUALITY)
    return read_health(warehouse.database)


def check_performance_now(warehouse: Warehouse) -> Health:
    """Hold the champions against incomes that came after their training, and measure how they do."""
    from ml.watching.performance import check_performance  # a worker that never does this stays small

    check_performance(warehouse.database, PERFORMANCE_CHECK)
    record(warehouse.database, None, MODEL_PERFORMANCE)
    return read_health(warehouse.database)
