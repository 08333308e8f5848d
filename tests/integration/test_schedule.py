"""The schedule on a clock that the tests move: each due time gets one start, whoever looks and however late."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestration.context import Warehouse
from orchestration.schedule import (
    JOBS,
    Start,
    enter_jobs,
    list_jobs,
    set_paused,
    start_all_due,
    start_due,
    start_now,
    take_over,
)
from orchestration.scheduled_jobs import ACTIONS, do_job
from warehouse.database import Database, queries
from warehouse.errors import BuildError, ConfigurationError, NotFoundError, StorageUnavailableError
from warehouse.jobs import sweep
from warehouse.settings import Settings

LOOK = timedelta(minutes=97)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FETCH = "select id, task_name from jobs.procrastinate_fetch_job_v2(array['scheduled'], null)"


@pytest.fixture
def database(module_warehouse: Warehouse) -> Database:
    """The module's database, with a schedule that nobody has looked at yet."""
    with module_warehouse.database.transaction() as connection:
        connection.execute("truncate ops.schedules, ops.scheduled_starts, jobs.procrastinate_jobs cascade")
    return module_warehouse.database


def settings(zone: str = "Africa/Kampala", **schedules: str) -> Settings:
    return Settings(_env_file=None, timezone=zone, **schedules)


def starts(database: Database) -> list[tuple[str, datetime, bool, str]]:
    with database.transaction() as connection:
        return connection.execute(
            "select job, due_at, is_caught_up, requested_by from ops.scheduled_starts order by due_at, job"
        ).fetchall()


def do_waiting_jobs(database: Database) -> list[str]:
    """What a worker does that is fast: take what waits, one at a time, until nothing does."""
    done = []
    with database.transaction() as connection:
        while (row := connection.execute(FETCH).fetchone()) and row[0] is not None:
            assert connection.execute(FETCH).fetchone() == (None, None), "two jobs of the schedule at a time"
            connection.execute("select jobs.procrastinate_finish_job_v1(%s, 'succeeded', true)", [row[0]])
            done.append(row[1])
    return done


def moments(first: date, days: int, zone: str, away: set[date]) -> Iterator[datetime]:
    """When a scheduler looks, from a midnight on for some days; it is away on some of them."""
    tz = ZoneInfo(zone)
    now = datetime(first.year, first.month, first.day, tzinfo=tz).astimezone(UTC)
    while (today := now.astimezone(tz).date()) < first + timedelta(days=days):
        if today not in away:
            yield now
        now += LOOK


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Africa/Kampala", date(2026, 11, 1)),
        ("Europe/Berlin", date(2026, 3, 15)),  # clocks are put forward on the 29th, at two
        ("Europe/Berlin", date(2026, 10, 10)),  # and back on the 25th, at three
        ("America/New_York", date(2026, 2, 20)),  # forward on the 8th of March, at two
        ("America/New_York", date(2026, 10, 20)),  # back on the 1st of November, at two
    ],
)
def test_month_has_the_right_starts(database: Database, zone: str, first: date) -> None:
    """Thirty-one days with two schedulers and a fast worker; both schedulers are away on three of the days."""
    away = {first + timedelta(days=number) for number in (4, 5, 6)}
    done: list[str] = []
    looks = moments(first, 31, zone, away)
    take_over(database, settings(zone), next(looks))
    for now in looks:
        begun = [start for _ in range(2) for start in start_all_due(database, now)]
        assert len({start.job for start in begun}) == len(begun)
        done += do_waiting_jobs(database) if begun else []
    days = [first + timedelta(days=number) for number in range(31)]
    sundays = sum(day.weekday() == 6 and day not in away for day in days)
    caught_up_sundays = any(day.weekday() == 6 for day in away)
    assert Counter(done) == {
        "pipeline": 31 - 3 + 1,
        "quality_check": 31 - 3 + 1,
        "performance_check": 31 - 3 + 1,
        "archive": sundays + caught_up_sundays,
    }
    daily = [due_at.astimezone(ZoneInfo(zone)).date() for job, due_at, *_ in starts(database) if job == "pipeline"]
    assert daily == [day for day in days if day not in away or day == max(away)]


def test_schedulers_that_look_at_once_start_a_job_once(database: Database) -> None:
    enter_jobs(database, settings(), NOON)
    later = NOON + timedelta(days=2)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: start_due(database, "pipeline", later), range(6)))
    assert [type(start) for start in found].count(Start) == 1
    assert len(starts(database)) == 1


def test_what_was_missed_for_days_is_caught_up_once(database: Database) -> None:
    take_over(database, settings(), NOON)
    missed = take_over(database, settings(), NOON + timedelta(days=5))
    assert [(start.job, start.is_caught_up) for start in missed] == [
        ("pipeline", True),
        ("quality_check", True),
        ("performance_check", True),
    ]
    assert take_over(database, settings(), NOON + timedelta(days=5)) == []
    assert {f"{due_at:%d %H}" for _, due_at, _, _ in starts(database)} == {"27 22", "27 23", "28 00"}


def test_start_that_still_waits_serves_the_next_due_time(database: Database) -> None:
    enter_jobs(database, settings(), NOON)
    for day in range(1, 4):
        start_all_due(database, NOON + timedelta(days=day))
    assert len([job for job, *_ in starts(database) if job == "pipeline"]) == 3
    assert sorted(do_waiting_jobs(database)) == ["performance_check", "pipeline", "quality_check"]


def test_changed_schedule_holds_from_the_next_start_on(database: Database) -> None:
    take_over(database, settings(), NOON)
    later = NOON + timedelta(days=1, hours=1)
    missed = take_over(database, settings("Europe/Berlin", pipeline_schedule="0 13 * * *"), later)
    assert "pipeline" in {start.job for start in missed}, "what the old schedule missed is caught up"
    (job,) = (job for job in list_jobs(database) if job.job == "pipeline")
    assert (job.schedule, job.timezone) == ("0 13 * * *", "Europe/Berlin")
    assert job.next_due_at == datetime(2026, 11, 25, 12, tzinfo=UTC), "what the new one would have missed is not"


def test_paused_job_stays_paused_and_is_not_caught_up(database: Database) -> None:
    take_over(database, settings(), NOON)
    set_paused(database, "pipeline", NOON, is_paused=True)
    later = NOON + timedelta(days=3)
    assert "pipeline" not in {
        start.job for start in take_over(database, settings(pipeline_schedule="5 2 * * *"), later)
    }
    set_paused(database, "pipeline", later, is_paused=False)
    assert start_due(database, "pipeline", later) is None
    following = start_due(database, "pipeline", later + timedelta(days=1))
    assert following
    assert following.due_at == datetime(2026, 11, 26, 23, 5, tzinfo=UTC)


def test_clock_that_goes_back_starts_nothing_twice(database: Database) -> None:
    take_over(database, settings(), NOON)
    assert start_due(database, "pipeline", NOON + timedelta(days=1))
    assert start_due(database, "pipeline", NOON + timedelta(hours=13)) is None
    assert start_due(database, "pipeline", NOON + timedelta(days=1)) is None


def test_start_by_hand_is_beside_the_schedule(database: Database) -> None:
    take_over(database, settings(), NOON)
    start_now(database, "archive", NOON, requested_by="grace")
    assert starts(database) == [("archive", NOON, False, "grace")]
    assert do_waiting_jobs(database) == ["archive"]
    assert start_due(database, "archive", datetime(2026, 11, 29, 2, tzinfo=UTC))


def test_job_that_nobody_knows_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError, match="jobs are pipeline"):
        start_now(database, "nightly", NOON, requested_by="grace")
    with pytest.raises(NotFoundError, match="jobs are pipeline"):
        set_paused(database, "nightly", NOON, is_paused=True)


def test_schedule_that_cannot_be_read_is_named() -> None:
    for unreadable in (settings(archive_schedule="sundays"), settings("Africa/Nowhere")):
        with pytest.raises(ConfigurationError, match="_SCHEDULE="):
            take_over(None, unreadable, NOON)  # type: ignore[arg-type] # it fails before


def test_job_of_a_dead_worker_is_done_again(database: Database) -> None:
    take_over(database, settings(), NOON)
    number = start_now(database, "pipeline", NOON, requested_by="grace").job_number
    with database.transaction() as connection:
        connection.execute(
            "select jobs.procrastinate_fetch_job_v2(array['scheduled'], worker_id)"
            " from jobs.procrastinate_register_worker_v1()"
        )
        connection.execute("update jobs.procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
        connection.execute(queries("schedule")["begin_start"], {"job_number": number})
    sweep(database)
    (job,) = (job for job in list_jobs(database) if job.job == "pipeline")
    assert (job.status, job.error_code) == ("waiting", "job.worker_died")
    assert do_waiting_jobs(database) == ["pipeline"]


@pytest.mark.parametrize(
    ("outcome", "code", "status", "error_code"),
    [
        (None, 0, "succeeded", None),
        (StorageUnavailableError("The store is away."), 75, "waiting", "storage.unavailable"),
        (BuildError("A test failed."), 1, "failed", "build.failed"),
        (SystemExit(75), 75, "waiting", "job.interrupted"),
        (ZeroDivisionError(), 1, "failed", "internal.error"),
    ],
)
def test_start_says_what_came_of_it(
    database: Database,
    module_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    outcome: BaseException | None,
    code: int,
    status: str,
    error_code: str | None,
) -> None:
    def act(_warehouse: Warehouse, _number: int) -> str:
        if outcome:
            raise outcome
        return "all done"

    monkeypatch.setitem(ACTIONS, "archive", act)
    take_over(database, settings(), NOON)
    number = start_now(database, "archive", NOON, requested_by="grace").job_number
    assert do_job(module_warehouse, "archive", number) == code
    (job,) = (job for job in list_jobs(database) if job.job == "archive")
    assert (job.status, job.error_code, job.did) == (status, error_code, "" if outcome else "all done")


def test_try_goes_on_with_the_run_that_an_earlier_one_began_and_with_no_other(database: Database) -> None:
    take_over(database, settings(), NOON)
    values = {"job_number": start_now(database, "pipeline", NOON, requested_by="grace").job_number}
    with database.transaction() as connection:

        def runs_to_resume(name: str, started_at: datetime, status: str, by: str = "schedule") -> list[tuple[str]]:
            insert = "insert into ops.pipeline_runs (run_id, status, started_at, requested_by) values (%s, %s, %s, %s)"
            connection.execute(insert, [name, status, started_at, by])
            return connection.execute(queries("schedule")["run_to_resume"], values).fetchall()

        assert runs_to_resume("yesterday", NOON - timedelta(days=1), "failed") == []
        assert runs_to_resume("killed", NOON + timedelta(minutes=1), "running") == [("killed",)]
        assert runs_to_resume("failed", NOON + timedelta(minutes=2), "failed") == [("failed",)]
        assert runs_to_resume("done", NOON + timedelta(minutes=3), "succeeded") == []
        assert runs_to_resume("somebody's", NOON + timedelta(minutes=4), "failed", "command") == []


def test_clock_that_was_ahead_keeps_nothing_back(database: Database) -> None:
    take_over(database, settings(), NOON)
    start_due(database, "quality_check", NOON + timedelta(days=400))
    assert start_due(database, "quality_check", NOON) is None
    assert start_due(database, "quality_check", NOON + timedelta(days=2))


def test_every_job_is_on_the_schedule(database: Database) -> None:
    take_over(database, settings(), NOON)
    assert tuple(job.job for job in list_jobs(database)) == JOBS == tuple(ACTIONS)
