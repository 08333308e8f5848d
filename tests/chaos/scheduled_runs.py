"""A run of the schedule whose processes are killed: the scheduler as it starts the job, the worker at every step."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from orchestration.context import Warehouse
from orchestration.schedule import enter_jobs, list_jobs
from tests.chaos.kills import RUN_SECONDS, Hold, Kill, before_row, out
from tests.chaos.stand import Ground
from tests.processes import kill, running, start, until

JOB = "pipeline"
DUE = f"update ops.schedules set settled_until = now() - interval '1 day' where job = '{JOB}'"
SILENCE = "update jobs.procrastinate_workers set last_heartbeat = now() - interval '1 hour'"


def survive_scheduled(warehouse: Warehouse, kills: Sequence[Kill]) -> None:
    """Let the schedule start a run, kill scheduler and workers in the middle, and wait for its end.

    Args:
        warehouse: where a file waits to be landed.
        kills: where the worker is killed, and with it the run.
    """
    ground = Ground(warehouse)
    enter_jobs(warehouse.database, warehouse.settings, datetime.now(UTC))
    ground.execute(DUE)
    _kill_at(ground, "schedule", before_row("ops.scheduled_starts"), "scheduler killed as it starts the job")
    with running(warehouse, "schedule"):
        for one in kills:
            _kill_at(ground, "worker", one.hold, f"worker killed at {one.step}")
            ground.execute(SILENCE)  # so that the next worker need not wait for half a minute
        with running(warehouse, "worker"):
            until(lambda: _status(warehouse) == "succeeded", RUN_SECONDS)
    assert ground.ask(f"select count(*) = 1 from ops.scheduled_starts where job = '{JOB}'"), "it was started twice"


def _kill_at(ground: Ground, command: str, hold: Hold, told: str) -> None:
    began = time.monotonic()
    with hold(ground) as is_reached:
        process = start(ground.warehouse, command)
        try:
            until(is_reached, RUN_SECONDS)
        finally:
            kill(process)
    out.print(f"{time.monotonic() - began:6.1f} s  {told}")


def _status(warehouse: Warehouse) -> str | None:
    (job,) = (job for job in list_jobs(warehouse.database) if job.job == JOB)
    return job.status
