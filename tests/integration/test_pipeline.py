"""Runs on a small graph of SQL: their record, what is done again after a failure, who waits for whom, what is ended."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil
import pytest

from orchestration import pipeline
from orchestration.context import Warehouse
from orchestration.graph.lock import PipelineLock, holding_pipeline
from orchestration.graph.step import Result, Step, Work
from orchestration.pipeline import Request, run_pipeline
from orchestration.runs import Run
from tests.processes import until
from warehouse.errors import (
    BuildError,
    BusyError,
    ConflictError,
    KyaloError,
    MisuseError,
    NotFoundError,
    StepTimedOutError,
)

pytestmark = pytest.mark.xdist_group("pipeline")

Walk = Callable[..., Run]


def rows(warehouse: Warehouse, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with warehouse.database.transaction() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def steps_of(warehouse: Warehouse, run: Run | None = None) -> list[tuple[Any, ...]]:
    """The steps of a run, or of the newest, by name: attempt and status."""
    return rows(
        warehouse,
        "select step, attempt, status from ops.pipeline_steps where run_id = coalesce(%s, "
        "(select run_id from ops.pipeline_runs order by started_at desc limit 1)) order by step, attempt",
        run.run_id if run else None,
    )


def fine(work: Work) -> Result:
    return Result("all is well", rows_in=3, rows_out=2)


def sleep_in_database(work: Work) -> Result:
    with work.warehouse.database.transaction() as connection:
        connection.execute("select pg_sleep(60)")
    return Result()


@pytest.fixture
def walk(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """Run a graph of three steps, one after the other, that do as they are told."""

    def run(request: Request | None = None, seconds: float = 60, **actions: Callable[[Work], Result]) -> Run:
        graph = (
            Step("first", (), actions.get("first", fine)),
            Step("second", ("first",), actions.get("second", fine), has_children=True),
            Step("third", ("second",), actions.get("third", fine)),
        )
        monkeypatch.setattr(pipeline, "STEPS", graph)
        settings = warehouse.settings.model_copy(update={"step_timeout_seconds": seconds})
        return run_pipeline(replace(warehouse, settings=settings), request or Request())

    return run


def fail(work: Work) -> Result:
    raise BuildError("a test failed")


def test_a_run_is_recorded_with_its_steps(warehouse: Warehouse, walk: Walk) -> None:
    run = walk(Request(by="schedule"))
    recorded = rows(warehouse, "select status, requested_by, process_id, log_reference from ops.pipeline_runs")
    assert recorded == [("succeeded", "schedule", os.getpid(), f"logs/runs/{run.run_id}.log")]
    steps = rows(warehouse, "select step, rows_in, rows_out, did, seconds >= 0 from ops.pipeline_steps order by step")
    assert steps == [(name, 3, 2, "all is well", True) for name in ("first", "second", "third")]
    lines = [json.loads(line) for line in (warehouse.settings.home / run.log_reference).read_text().splitlines()]
    assert {line["run_id"] for line in lines} == {run.run_id}
    assert {"first", "second", "third"} <= {line.get("step") for line in lines}
    assert rows(warehouse, "select * from ops.heartbeats where process = 'pipeline'") == []


def test_a_failed_run_is_gone_on_with(warehouse: Warehouse, walk: Walk) -> None:
    with pytest.raises(BuildError) as failure:
        walk(second=fail)
    assert str(failure.value).endswith("`kyalo run --resume` goes on where it stopped.")
    assert steps_of(warehouse) == [("first", 1, "succeeded"), ("second", 1, "failed")]
    ((failed, code),) = rows(warehouse, "select run_id, error_code from ops.pipeline_runs")
    assert code == "build.failed"
    assert walk(Request(only_step="first")).scope == "only first", "it does not bury the run that failed"
    run = walk(Request(resume=True), first=fail)
    assert run.resumes_run_id == failed
    assert steps_of(warehouse, run) == [("first", 1, "skipped"), ("second", 1, "succeeded"), ("third", 1, "succeeded")]
    with pytest.raises(NotFoundError):
        walk(Request(resume=True))


def test_a_step_whose_needs_are_half_done_is_refused(walk: Walk) -> None:
    with pytest.raises(BuildError):
        walk(second=fail)
    with pytest.raises(ConflictError, match="The last try of second did not succeed") as refused:
        walk(Request(only_step="third"))
    assert "kyalo run --from second" in str(refused.value)
    walk(Request(from_step="second"))
    walk(Request(only_step="third"))


def test_a_failed_run_is_looked_at_all_the_same(warehouse: Warehouse, walk: Walk) -> None:
    with pytest.raises(BuildError):
        walk(first=fail)
    assert rows(warehouse, "select alert from ops.alerts where alert = 'run_failed'") == [("run_failed",)]


def test_only_what_is_asked_for_is_done(warehouse: Warehouse, walk: Walk) -> None:
    walk(Request(from_step="second"), first=fail)
    assert steps_of(warehouse) == [("first", 1, "skipped"), ("second", 1, "succeeded"), ("third", 1, "succeeded")]
    walk(Request(only_step="first"), second=fail)
    assert steps_of(warehouse) == [("first", 1, "succeeded"), ("second", 1, "skipped"), ("third", 1, "skipped")]
    with pytest.raises(MisuseError, match="There is no step fourth: steps are first, second, third"):
        walk(Request(only_step="fourth"))


def test_who_comes_second_is_told_who_is_at_work(warehouse: Warehouse, walk: Walk) -> None:
    told: list[BusyError] = []

    def try_another(work: Work) -> Result:
        with pytest.raises(BusyError) as busy:
            PipelineLock(warehouse.database, "kyalo run").take()
        told.append(busy.value)
        return Result()

    run = walk(second=try_another)
    assert told[0].message.startswith(f"Run {run.run_id} is under way: step second since ")
    assert told[0].facts["process_id"] == os.getpid()
    with (
        holding_pipeline(warehouse.database, "kyalo train"),
        pytest.raises(BusyError, match="`kyalo train` is at work"),
    ):
        walk()


def test_who_waits_goes_on_when_the_other_has_finished(warehouse: Warehouse, walk: Walk) -> None:
    release = threading.Event()

    def hold() -> None:
        with holding_pipeline(warehouse.database, "kyalo build"):
            release.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    until(lambda: bool(rows(warehouse, "select 1 from pg_locks where locktype = 'advisory'")))
    threading.Timer(0.2, release.set).start()
    walk(Request(wait=True))
    other.join()
    assert release.is_set()


def test_a_step_that_takes_too_long_is_ended_with_its_query(warehouse: Warehouse, walk: Walk) -> None:
    began = time.monotonic()
    with pytest.raises(StepTimedOutError, match="first took longer than 1 s"):
        walk(seconds=1, first=sleep_in_database)
    assert time.monotonic() - began < 20
    assert rows(warehouse, "select count(*) from pg_stat_activity where query like 'select pg_sleep%%'") == [(0,)]
    assert rows(warehouse, "select error_code from ops.pipeline_steps") == [("run.step_timed_out",)]


def test_a_step_that_takes_too_long_is_ended_with_its_processes(warehouse: Warehouse, walk: Walk) -> None:
    started: list[int] = []

    def wait_for_child(work: Work) -> Result:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        started.append(child.pid)
        raise KyaloError(f"the child ended: {child.wait()}")

    with pytest.raises(StepTimedOutError):
        walk(seconds=1, second=wait_for_child)
    assert not psutil.pid_exists(started[0])


def test_what_a_killed_process_left_is_closed(warehouse: Warehouse, walk: Walk) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute("insert into ops.pipeline_runs (run_id, status) values ('killed', 'running')")
        connection.execute(
            "insert into ops.pipeline_steps (run_id, step, status) values ('killed', 'first', 'running')"
        )
    left = warehouse.database.connect()
    left.execute("select set_config('application_name', 'kyalo score killed', false)")
    left.commit()
    run = walk(Request(resume=True))
    assert run.resumes_run_id == "killed"
    assert rows(warehouse, "select status, error_code from ops.pipeline_runs where run_id = 'killed'") == [
        ("failed", "run.abandoned")
    ]
    with pytest.raises(Exception, match="terminat"):
        left.execute("select 1")
    left.close()


def test_a_lost_connection_is_got_over(warehouse: Warehouse, walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.graph.runner.pause_before_retry", lambda _: 0.1)
    lost: list[str] = []

    def lose_once(work: Work) -> Result:
        if not lost:
            lost.append(work.run.run_id)
            with work.warehouse.database.transaction() as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name like '%%' || %s order by pid <> pg_backend_pid() desc",
                    [work.run.run_id],
                )
        return Result()

    run = walk(first=lose_once)
    assert steps_of(warehouse, run)[:2] == [("first", 1, "failed"), ("first", 2, "succeeded")]
