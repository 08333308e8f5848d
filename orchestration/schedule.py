"""The schedule: what is due when, and the one start that each due time gets, however many schedulers look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import class_row

from orchestration.cron import CronLine
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import ConfigurationError, NotFoundError
from warehouse.jobs import SCHEDULED, defer
from warehouse.settings import Settings

JOBS = ("pipeline", "quality_check", "performance_check", "archive")
BY_SCHEDULE = "schedule"
MISSED_AFTER = timedelta(minutes=1)
statements = queries("schedule")


@dataclass(frozen=True)
class Start:
    """One time that a job was given to the workers.

    Attributes:
        due_at: when it was due.
        is_caught_up: whether it was missed, and started later.
        job_number: its number in the queue of the workers.
    """

    job: str
    due_at: datetime
    is_caught_up: bool
    job_number: int


@dataclass(frozen=True)
class ScheduledJob:
    """A job of the schedule, and its last start, where it has had one."""

    job: str
    schedule: str
    timezone: str
    is_paused: bool
    next_due_at: datetime | None
    last_due_at: datetime | None
    last_start_at: datetime | None
    requested_by: str | None
    is_caught_up: bool | None
    status: str | None
    finished_at: datetime | None
    did: str | None
    error_code: str | None
    error_message: str | None


def cron_lines(settings: Settings) -> dict[str, CronLine]:
    """When each job is due, as the settings say.

    Raises:
        ConfigurationError: a schedule is no cron line, or TIMEZONE no time zone.
    """
    return {job: _cron_line(f"{job}_schedule", settings) for job in JOBS}


def enter_jobs(database: Database, settings: Settings, now: datetime) -> None:
    """Enter the jobs that the schedule does not have yet: nothing was due before."""
    lines = cron_lines(settings)
    with database.transaction() as connection:
        for job, line in lines.items():
            connection.execute(statements["enter_job"], _planned(job, line, now))


def take_over(database: Database, settings: Settings, now: datetime) -> list[Start]:
    """Let the settings hold from now on, after what was missed by the schedule before is caught up once."""
    enter_jobs(database, settings, now)
    missed = [start for job in JOBS if (start := start_due(database, job, now))]
    with database.transaction() as connection:
        for job, line in cron_lines(settings).items():
            row = _lock(connection, job)
            if (row["schedule"], row["timezone"]) != (line.schedule, line.timezone):
                connection.execute(statements["settle_job"], row | _planned(job, line, now))
    return missed


def start_all_due(database: Database, now: datetime) -> list[Start]:
    """Start every job that is due."""
    with database.transaction() as connection:
        due = fetch_rows(connection, statements["due_jobs"], {"now": now})
    return [start for row in due if (start := start_due(database, row["job"], now))]


def start_due(database: Database, job: str, now: datetime) -> Start | None:
    """Give a job to the workers if it was due since somebody looked last; once, however often that was.

    Args:
        database: the warehouse.
        job: the job.
        now: the time; what is due later is left.

    Returns:
        The start; None when nothing was due, the job is paused, or another scheduler was faster.
    """
    with database.transaction() as connection:
        row = _lock(connection, job)
        line = _known_line(row["schedule"], row["timezone"])
        connection.execute(statements["settle_job"], row | _planned(job, line, now))
        if row["is_paused"] or (due_at := line.newest_between(row["settled_until"], now)) is None:
            return None
        return _start(connection, job, due_at, now, requested_by=BY_SCHEDULE)


def start_now(database: Database, job: str, now: datetime, *, requested_by: str) -> Start:
    """Give a job to the workers although it is not due.

    Raises:
        NotFoundError: there is no such job.
    """
    with database.transaction() as connection:
        _lock(connection, job)
        return _start(connection, job, now, now, requested_by=requested_by)


def set_paused(database: Database, job: str, now: datetime, *, is_paused: bool) -> None:
    """Pause a job, or let it go on; what comes due in between is let go.

    Raises:
        NotFoundError: there is no such job.
    """
    with database.transaction() as connection:
        row = _lock(connection, job)
        planned = _planned(job, _known_line(row["schedule"], row["timezone"]), now)
        connection.execute(statements["settle_job"], row | planned | {"is_paused": is_paused})


def list_jobs(database: Database) -> list[ScheduledJob]:
    """The jobs of the schedule, each with its last start."""
    with database.transaction() as connection:
        cursor = connection.cursor(row_factory=class_row(ScheduledJob))
        return cursor.execute(statements["list_jobs"], {"jobs": list(JOBS)}).fetchall()


def _start(connection: psycopg.Connection, job: str, due_at: datetime, now: datetime, *, requested_by: str) -> Start:
    """Enter a start, with the job that waits already or with a new one; the caller has locked the schedule's row."""
    waiting = fetch_row(connection, statements["waiting_number"], {"job": job})
    number = waiting["job_number"] if waiting else None
    start = Start(job, due_at, now - due_at > MISSED_AFTER, number or defer(connection, job, queue=SCHEDULED))
    connection.execute(statements["insert_start"], vars(start) | {"now": now, "requested_by": requested_by})
    return start


def _lock(connection: psycopg.Connection, job: str) -> dict[str, Any]:
    row = fetch_row(connection, statements["lock_job"], {"job": job})
    if row is None:
        known = ", ".join(JOBS)
        raise NotFoundError(f"The schedule has no job {job}: jobs are {known}.", code="schedule.unknown_job")
    return row


def _planned(job: str, line: CronLine, now: datetime) -> dict[str, object]:
    next_due_at = line.next_after(now)
    return {"job": job, "now": now, "next_due_at": next_due_at, "schedule": line.schedule, "timezone": line.timezone}


def _cron_line(setting: str, settings: Settings) -> CronLine:
    schedule = getattr(settings, setting)
    try:
        return CronLine(schedule, settings.timezone)
    except (ValueError, KeyError) as error:
        message = f"{setting.upper()}={schedule!r} TIMEZONE={settings.timezone!r}: {error}."
        remedy = "Use five cron fields, such as `0 2 * * *`, and a name such as Africa/Kampala."
        raise ConfigurationError(message, code="schedule.invalid", remedy=remedy) from error


@cache
def _known_line(schedule: str, timezone: str) -> CronLine:
    return CronLine(schedule, timezone)
