"""What is measured of data, models and machines, and the one score that is made of it."""

from collections.abc import Iterator

import pytest

from orchestration.context import Warehouse
from orchestration.monitoring import (
    Component,
    check_performance_now,
    list_components,
    measure,
    read_health,
    sample_system,
)
from warehouse.database import Database

RUN = "run-1"
MARTS = """
create schema if not exists validated;
create schema if not exists marts;
create table marts.rpt_ingestions as
select
    'ing_1' as ingestion_id, 'household_survey' as form, 100 as staged_submissions, 90 as released_submissions,
    5 as superseded_submissions, 0 as held_submissions, 5 as quarantined_submissions, 90 as predicted_households;
create table marts.rpt_data_quality as
select
    received_date, submissions, quality_score, 8 as completeness_passed, 10 as completeness_checked,
    1 as validity_passed, 1 as validity_checked, 1 as uniqueness_passed, 1 as uniqueness_checked,
    1 as consistency_passed, 1 as consistency_checked, 0 as timeliness_passed, 0 as timeliness_checked
from (values ('2026-01-01'::date, 300, 50.0), ('2026-01-02'::date, 60, 90.0), ('2026-01-03'::date, 60, 96.0))
    as days (received_date, submissions, quality_score);
create table validated.int_run_quality as
select
    100 as submissions, 0.0 as held_percent, 25 as held_limit_percent, 1.0 as rejected_percent,
    5 as rejected_limit_percent, null::numeric as completeness_percent, 95 as completeness_limit_percent;
create table marts.fct_household_risk as
select 0.5 as vulnerability_probability, 'undecided' as verdict from generate_series(1, 90)
union all
select null, null from generate_series(1, 10);
"""
CHAMPION = """
insert into ml.models (
    model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names, training_fingerprint,
    metrics, metadata, run_id, artifact_kind
) values ('m', 1, 'screening', 'rules', 'm', repeat('0', 64), 1, array['a'], 'f', '{}', '{}', 'r', 'terms');
insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id)
values ('screening', 'm', 1, 'promoted', 'test', 'It is the first.', 'r');
insert into ml.evaluations (model_name, model_version, split, segment_kind, segment, metric, value)
values ('m', 1, 'village', 'all', 'all', 'accuracy', 0.80);
"""
FORGET = """
truncate ops.pipeline_runs, ops.schedules, ops.data_quality_metrics, ops.model_performance_metrics, ops.dbt_results,
    ops.system_metrics cascade;
drop schema if exists marts cascade;
drop schema if exists validated cascade;
"""


@pytest.fixture
def database(module_warehouse: Warehouse) -> Iterator[Database]:
    """The module's database, with nothing measured and nothing built."""
    execute(module_warehouse.database, FORGET)
    yield module_warehouse.database
    execute(module_warehouse.database, FORGET)


def execute(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.execute(statement)


def component(database: Database, name: str) -> Component:
    return next(part for part in list_components(database) if part.component == name)


def quality(database: Database) -> dict[tuple[str, str, str], float]:
    with database.transaction() as connection:
        rows = connection.execute("select form, metric, detail, value from ops.data_quality_metrics").fetchall()
    return {(form, metric, detail): value for form, metric, detail, value in rows}


def test_nothing_known_is_called_so(database: Database) -> None:
    health = read_health(database)
    assert (health.health_score, health.status, health.worst_component) == (None, "unknown", None)
    assert health.unknown_components == ["pipeline", "data_quality", "model_performance", "system_resources"]
    parts = list_components(database)
    assert sum(part.weight for part in parts) == pytest.approx(1)
    assert {(part.score, part.status) for part in parts} == {(None, "unknown")}
    assert all(part.reason for part in parts)


def test_warehouse_without_a_build_is_measured(module_warehouse: Warehouse, database: Database) -> None:
    assert measure(module_warehouse, RUN).status == "unknown"
    assert quality(database) == {}


def test_reports_become_figures(module_warehouse: Warehouse, database: Database) -> None:
    execute(database, MARTS)
    execute(
        database,
        "insert into ops.dbt_results (run_id, step, node_id, node_name, resource_type, status, seconds)"
        f" select '{RUN}', 'build', 'test.' || number, 'a', 'test', status, 1 from (values (1, 'pass'), (2, 'warn'),"
        " (3, 'pass'), (4, 'fail'), (5, 'skipped')) as results (number, status)",
    )
    measure(module_warehouse, RUN)
    figures = quality(database)
    survey = "household_survey"
    assert figures[survey, "quality_score", ""] == pytest.approx(0.93)  # of the newest two days, which are 120
    assert figures[survey, "overall_quality_score", ""] == pytest.approx((300 * 50 + 60 * 90 + 60 * 96) / 42_000)
    assert figures[survey, "completeness", ""] == pytest.approx(0.8)
    assert (survey, "timeliness", "") not in figures
    assert figures[survey, "released_share", ""] == pytest.approx(0.95)
    assert figures[survey, "rows_by_layer", "quarantined"] == 5
    assert figures[survey, "gate_closed", "gate_rejected"] == 0
    assert figures["all", "tests_passed_share", ""] == pytest.approx(0.75)
    part = component(database, "data_quality")
    assert (part.score, part.status) == (pytest.approx(0.75), "warning")
    assert part.reason == "75.0 % of 4 tests of the build passed."


def test_closed_gate_leaves_no_quality(module_warehouse: Warehouse, database: Database) -> None:
    execute(database, MARTS)
    execute(database, "update validated.int_run_quality set rejected_percent = 40")
    health = measure(module_warehouse, RUN)
    assert (health.worst_component, health.health_score) == ("data_quality", 0)
    assert health.reason == "gate_rejected is closed: of 100 new submissions none is published."


def test_runs_of_the_last_days_count(database: Database) -> None:
    execute(
        database,
        "insert into ops.pipeline_runs (run_id, status, started_at, finished_at, error_message) values"
        " ('a', 'succeeded', now() - interval '3 days', now(), null), ('b', 'failed', now(), now(), 'No disk.'),"
        " ('c', 'succeeded', now() - interval '1 day', now(), null), ('d', 'running', now(), null, null),"
        " ('e', 'failed', now() - interval '8 days', now(), 'Long ago.')",
    )
    part = component(database, "pipeline")
    assert (part.score, part.status) == (pytest.approx(2 / 3), "critical")
    assert part.reason == "1 of 3 runs of the last seven days that nobody stopped failed, the last one with: No disk."
    health = read_health(database)
    assert (health.worst_component, health.health_score) == ("pipeline", pytest.approx(2 / 3))


def test_overdue_run_counts_as_none(database: Database) -> None:
    execute(
        database,
        "insert into ops.pipeline_runs (run_id, status, started_at, finished_at)"
        " values ('a', 'succeeded', now() - interval '4 days', now() - interval '4 days');"
        "insert into ops.schedules (job, schedule, timezone, settled_until, next_due_at)"
        " values ('pipeline', '0 2 * * *', 'UTC', now(), now() - interval '2 days')",
    )
    assert component(database, "pipeline").score == 0
    execute(database, "update ops.schedules set is_paused = true")
    assert component(database, "pipeline").score == 1


def test_full_machine_is_the_worst(module_warehouse: Warehouse, database: Database) -> None:
    module_warehouse.settings.home.mkdir(parents=True, exist_ok=True)
    sample = sample_system(module_warehouse)
    assert 0 <= sample.cpu_share <= 1
    assert 0 < sample.memory_share < 1
    assert component(database, "system_resources").score is not None
    execute(
        database,
        "update ops.system_metrics set cpu_share = 0.2, memory_share = 0.5, disk_share = 0.97, host = 'cellar';",
    )
    part = component(database, "system_resources")
    assert (part.score, part.status) == (pytest.approx(0.2), "critical")
    assert part.reason == "97.0 % of the disk of cellar is in use."
    execute(database, "update ops.system_metrics set disk_share = 0.1, cpu_share = 1")
    assert component(database, "system_resources").score == 1
    execute(
        database,
        "insert into ops.system_metrics (host, measured_at, cpu_share, memory_share, disk_share, memory_bytes,"
        " disk_free_bytes) select host, measured_at - interval '15 minutes', 1, 0.5, 0.1, 1, 1 from ops.system_metrics",
    )
    assert component(database, "system_resources").reason == "100.0 % of the processors of cellar is in use."
    execute(database, "update ops.system_metrics set measured_at = now() - interval '1 hour'")
    part = component(database, "system_resources")
    assert (part.score, part.reason) == (None, "No machine was measured in the last half hour.")


def test_champion_is_held_against_its_training(warehouse: Warehouse) -> None:
    database = warehouse.database
    execute(database, MARTS)
    assert check_performance_now(warehouse).status == "unknown"
    assert measure(warehouse, RUN).unknown_components == ["pipeline", "model_performance", "system_resources"]
    assert component(database, "model_performance").reason == "No model scores yet."
    execute(database, CHAMPION)
    measure(warehouse, RUN)
    assert (
        component(database, "model_performance").reason
        == "90.0 % of 100 households have a prediction of the screening model."
    )
    execute(database, "update marts.fct_household_risk set vulnerability_probability = 0.5")
    measure(warehouse, RUN)
    assert component(database, "model_performance").reason.startswith("Too few households")
    add_check(database, "expected", 400, 0.1)
    measure(warehouse, RUN)
    assert component(database, "model_performance").score is None
    add_check(database, "expected", 800, 0.60)
    add_check(database, "real", 900, 0.72)
    measure(warehouse, RUN)
    part = component(database, "model_performance")
    assert (part.score, part.status) == (pytest.approx(0.60 / 0.80), "warning")
    assert part.reason == "The screening model keeps 75.0 % of its accuracy at training, as 800 households show."


def add_check(database: Database, kind: str, households: int, upper_bound: float) -> None:
    execute(
        database,
        "insert into ml.performance_checks"
        " (run_id, track, model_name, model_version, kind, households, accuracy, upper_bound)"
        f" values ('{RUN}', 'screening', 'm', 1, '{kind}', {households}, 0.05, {upper_bound})",
    )
