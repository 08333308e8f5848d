"""The commands `kyalo schedule ...`: the scheduler itself, what is due, and what is started or paused by hand."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from orchestration.console import AsJson, err, out, print_json
from orchestration.context import Warehouse, open_warehouse, read_settings
from warehouse.logs import configure_logging

if TYPE_CHECKING:
    from orchestration.schedule import ScheduledJob

LINE = "{:18}  {:14}  {:22}  {:22}  {}"
app = typer.Typer(help="Give jobs to the workers when they are due; list, start and pause them.")

Job = Annotated[str, typer.Argument(help="pipeline, quality_check, performance_check or archive.", metavar="JOB")]


@app.callback(invoke_without_command=True)
def keep(context: typer.Context) -> None:
    """Keep the schedule until SIGTERM: give each job to the workers at its hours; the commands look at it."""
    from orchestration.scheduler import keep_schedule

    if context.invoked_subcommand:
        return
    configure_logging(read_settings(), "scheduler")
    with open_warehouse() as warehouse:
        keep_schedule(warehouse)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the jobs: when each is due next, when it was started last and what came of it, and who is alive."""
    from orchestration.heartbeat import list_signs_of_life
    from orchestration.schedule import list_jobs

    with _open_schedule() as warehouse:
        jobs = list_jobs(warehouse.database)
        alive = {sign.process for sign in list_signs_of_life(warehouse.database) if sign.is_alive}
    living = {process: process in alive for process in ("scheduler", "worker")}
    if as_json:
        print_json({"jobs": [asdict(job) for job in jobs], "is_alive": living})
        return
    typer.echo(LINE.format("job", "schedule", "next due", "last start", "result"))
    for job in jobs:
        next_due = "paused" if job.is_paused else _local(job, job.next_due_at)
        start = _local(job, job.last_start_at)
        typer.echo(LINE.format(job.job, job.schedule, next_due, start, _describe_start(job)).rstrip())
    _warn_of_dead(living)
    out.print(f"done: times are those of {jobs[0].timezone}", highlight=False)


@app.command()
def run(job: Job, as_json: AsJson = False) -> None:
    """Give a job to the workers now, beside its schedule."""
    from orchestration.heartbeat import list_signs_of_life
    from orchestration.schedule import start_now

    with _open_schedule() as warehouse:
        start = start_now(warehouse.database, job, datetime.now(UTC), requested_by=getpass.getuser())
        has_worker = any(sign.process == "worker" and sign.is_alive for sign in list_signs_of_life(warehouse.database))
    if as_json:
        print_json(asdict(start))
        return
    _warn_of_dead({"worker": has_worker})
    out.print(f"done: {job} is job {start.job_number} of the workers", highlight=False)


@app.command()
def pause(job: Job) -> None:
    """Let a job be due no more, until it is resumed; what runs goes on."""
    _set_paused(job, is_paused=True)
    out.print(f"done: {job} is paused", highlight=False)


@app.command()
def resume(job: Job) -> None:
    """Let a paused job be due again from now on; what it missed is not caught up."""
    _set_paused(job, is_paused=False)
    out.print(f"done: {job} goes on", highlight=False)


@contextmanager
def _open_schedule() -> Iterator[Warehouse]:
    """The warehouse, with all jobs on its schedule, also where no scheduler has ever run."""
    from orchestration.schedule import enter_jobs

    with open_warehouse() as warehouse:
        enter_jobs(warehouse.database, warehouse.settings, datetime.now(UTC))
        yield warehouse


def _set_paused(job: str, *, is_paused: bool) -> None:
    from orchestration.schedule import set_paused

    with _open_schedule() as warehouse:
        set_paused(warehouse.database, job, datetime.now(UTC), is_paused=is_paused)


def _warn_of_dead(living: dict[str, bool]) -> None:
    commands = {"scheduler": "kyalo schedule", "worker": "kyalo worker"}
    for process in [process for process, is_alive in living.items() if not is_alive]:
        err.print(f"no {process} is alive: start one with `{commands[process]}`, or all with `kyalo up`")


def _local(job: "ScheduledJob", moment: datetime | None) -> str:
    return f"{moment.astimezone(ZoneInfo(job.timezone)):%a %Y-%m-%d %H:%M}" if moment else "never"


def _describe_start(job: "ScheduledJob") -> str:
    """What came of the last start."""
    if job.status is None:
        return ""
    late = " (caught up)" if job.is_caught_up else ""
    by = "" if job.requested_by == "schedule" else f" for {job.requested_by}"
    said = job.did if job.status == "succeeded" else f"{job.error_code or ''} {job.error_message or ''}".strip()
    return f"{job.status}{late}{by}{f': {said}' if said else ''}"
