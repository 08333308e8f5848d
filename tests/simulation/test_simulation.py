"""Days without a fault raise no alert; each fault in what is built raises one: the short form of `make simulation`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.publish import publish
from tests.dbt_selections import WITHOUT_TESTS
from tests.simulation.clock import Days
from tests.simulation.surveys import plan_surveys

pytestmark = pytest.mark.timeout(600)  # it builds all models
KNOWN, EACH_DAY = 700, 200
BUILT = (
    "marts.fct_batch_quality",
    "marts.rpt_data_quality",
    "marts.rpt_district_summary",
    "marts.rpt_ingestions",
    "validated.int_batch_quality",
    "validated.int_quality_field_counts",
)
MODEL = """
insert into ml.models (model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
    training_fingerprint, metrics, metadata, run_id, artifact_kind)
values ('screening', 1, 'screening', 'trees', 'key', repeat('0', 64), 1, array['x'], 'f', '{}', '{}', 'r', 'terms');
insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id, happened_at)
values ('screening', 'screening', 1, 'promoted', 'kyalo', 'It is.', 'r', now() - interval '9 days');
insert into ml.evaluations (model_name, model_version, split, segment_kind, segment, metric)
select 'screening', 1, 'village', 'district', district, 'accuracy' from marts.rpt_district_summary;
insert into ops.pipeline_runs (run_id, status, started_at, finished_at)
select day, 'succeeded', now() - day * interval '1 day', now() - day * interval '1 day'
from generate_series(0, 6) as listed (day);
insert into ops.pipeline_steps (run_id, step, status, started_at, finished_at)
select run_id, 'publish', 'succeeded', started_at, finished_at from ops.pipeline_runs;
update marts.rpt_district_summary set households_scored = households
"""
NEWEST_DAY = "received_date = (select max(received_date) from validated.int_quality_field_counts)"
SPOILT_BINS = f"update validated.int_quality_field_counts set bin_counts = {{}} where {NEWEST_DAY} and field {{}}"
NO_BINS = "array[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]::bigint[]"
NEWEST_UPLOAD = "(select max(ingestion_id) from raw.ingestions)"
FAULTS = {
    "unit change": (
        "answers_changed",
        SPOILT_BINS.format(f"array[0, 0, counted] || {NO_BINS}", "= 'minutes_to_water'"),
    ),
    "swapped column": (
        "answers_changed",
        SPOILT_BINS.format("array[0, bin_counts[4], 0, bin_counts[2]] || bin_counts[5:]", "= 'has_kitchen'"),
    ),
    "null burst": (
        "answers_changed",
        SPOILT_BINS.format(f"array[counted / 2, 0, counted / 2] || {NO_BINS}", "= 'radios_owned'"),
    ),
    "label drop": (
        "income_missing",
        SPOILT_BINS.format(f"array[counted, 0, 0] || {NO_BINS}", "in ('household_income', 'rent_income')"),
    ),
    "new district": (
        "new_district",
        "insert into marts.rpt_district_summary (district, households, households_scored) values ('Kitgum', 12, 12)",
    ),
    "duplicate identifiers": (
        "duplicate_identifiers",
        f"update validated.int_batch_quality set uniqueness_passed = 0 where ingestion_id = {NEWEST_UPLOAD}",
    ),
    "low quality": ("quality_low", "update marts.rpt_data_quality set quality_score = 94"),
    "held batch": (
        "batch_held",
        "update marts.fct_batch_quality set gate_status = 'held'; update marts.rpt_ingestions set held_submissions = 9",
    ),
    "lost rows": ("rows_lost", "update marts.rpt_ingestions set staged_submissions = staged_submissions - 1"),
    "missing predictions": (
        "prediction_coverage",
        "update marts.rpt_district_summary set households_scored = households - 1",
    ),
}


@pytest.fixture(scope="module")
def days(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Three days and what was before, built; a model that scores it all, and a run each day."""
    folder = tmp_path_factory.mktemp("surveys")
    plan = plan_surveys(Path(folder), known=KNOWN, each_day=EACH_DAY, days=3, seed=7)
    days = Days(module_warehouse, folder, days=3)
    for surveys in (plan.known, *plan.days):
        days.load(surveys)
    with Dbt(module_warehouse) as dbt:
        dbt.build(*WITHOUT_TESTS)
    publish(module_warehouse.database)
    with module_warehouse.database.transaction() as connection:
        connection.execute(MODEL)
        for table in BUILT:
            connection.execute(f"create table ops.saved_{table.partition('.')[2]} as table {table}".encode())
    return days


@pytest.fixture
def spoilt(days: Days) -> Iterator[Days]:
    """The days, which are put right again after the test."""
    yield days
    with days.warehouse.database.transaction() as connection:
        connection.execute("truncate ops.alerts cascade")
        for table in BUILT:
            connection.execute(f"truncate {table}".encode())
            connection.execute(f"insert into {table} table ops.saved_{table.partition('.')[2]}".encode())


def test_clean_days_raise_no_alert(days: Days) -> None:
    today = days.now
    for back in (2, 1, 0):
        days.now = today - timedelta(days=back)
        assert days.look() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_raises_one_alert(spoilt: Days, fault: str) -> None:
    rule, statements = FAULTS[fault]
    with spoilt.warehouse.database.transaction() as connection:
        connection.execute(statements.encode())
    (alert,) = spoilt.look()
    assert alert.alert == rule
