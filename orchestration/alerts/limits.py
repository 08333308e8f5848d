"""What rules hold the figures against: settings, and numbers below which nothing can be said."""

from orchestration.context import Warehouse
from orchestration.heartbeat import SILENT_SECONDS
from warehouse.contract import list_forms, load_contract
from warehouse.errors import KyaloError, NotFoundError

PROBE = "monitoring/probe"
SETTINGS = (
    "late_run_hours",
    "backlog_minutes",
    "alert_failure_rate",
    "alert_quality",
    "alert_accuracy",
    "alert_cpu",
    "alert_memory",
    "alert_disk",
    "alert_response_seconds",
    "retrain_after_days",
)
LEAST = {
    "judged_runs": 20,
    "judged_checks": 3,
    "judged_days": 7,
    "least_submissions": 100,
    "least_district": 10,
    "least_collisions": 10,
    "collision_share": 0.1,
    "blank_rise": 0.25,
    # Twice what villages alone made of a day's answers: 0.38 at most among 5,400 fields and days of real surveys.
    "stability_index": 0.75,
    "least_batch": 500,  # as ml.watching.batch has it, which takes seconds to import
    "silent_seconds": SILENT_SECONDS,
}


def read_limits(warehouse: Warehouse) -> dict[str, object]:
    """The parameters of the rules' statements, all but the time; asks the object store whether it is there."""
    fields = load_contract("household_survey").fields
    return {
        **{name: getattr(warehouse.settings, name) for name in SETTINGS},
        **LEAST,
        "judged_forms": [form for form in list_forms() if load_contract(form).is_judged],
        "income_fields": [field.name for field in fields if field.component_of_target],
        "store_problem": _store_problem(warehouse),
    }


def _store_problem(warehouse: Warehouse) -> str | None:
    """Why the object store does not answer, None where it does."""
    try:
        warehouse.store.get(PROBE).close()
    except NotFoundError:
        return None
    except KyaloError as error:
        return error.message
    return None
