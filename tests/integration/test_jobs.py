"""Jobs: promised in a transaction, tried again, visible when they fail, revived when their worker dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from warehouse.database import Database, queries
from warehouse.errors import StorageUnavailableError
from warehouse.jobs import LAND_FILE, MOST_DEATHS, count_jobs, defer, give_up, sweep


def enter(connection: psycopg.Connection, name: str) -> str:
    connection.execute(
        "insert into raw.ingestions"
        " (ingestion_id, form, form_version, source, status, content_type, size_bytes, sha256)"
        " values (%s, 'household_survey', '1', 'api', 'received', 'text/csv', 1, '00')",
        [name],
    )
    return name


@contextmanager
def pending(database: Database, name: str, *, job: bool) -> Iterator[psycopg.Connection]:
    with database.transaction() as connection:
        enter(connection, name)
        if job:
            defer(connection, LAND_FILE, ingestion_id=name)
        yield connection


def entry(database: Database, name: str) -> tuple[Any, ...]:
    with database.transaction() as connection:
        row = connection.execute(
            "select status, error_code from raw.ingestions where ingestion_id = %s", [name]
        ).fetchone()
    assert row
    return row


def jobs(database: Database) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return connection.execute(
            "select args ->> 'ingestion_id', status::text from jobs.procrastinate_jobs order by id"
        ).fetchall()


def start_and_die(database: Database) -> None:
    """What a worker leaves behind that is killed while it works."""
    with database.transaction() as connection:
        connection.execute(
            "select jobs.procrastinate_fetch_job_v2(null, worker_id) from jobs.procrastinate_register_worker_v1()"
        )
        connection.execute("update jobs.procrastinate_workers set last_heartbeat = now() - interval '1 hour'")


def test_job_is_promised_with_its_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), pending(database, "ing_1", job=True):
        raise ZeroDivisionError
    assert jobs(database) == []
    with pending(database, "ing_1", job=True):
        pass
    assert jobs(database) == [("ing_1", "todo")]


def test_sweep_gives_a_forgotten_file_a_job_once(database: Database) -> None:
    with pending(database, "ing_1", job=False):
        pass
    assert [sweep(database), sweep(database)] == [1, 0]
    assert jobs(database) == [("ing_1", "todo")]


def test_sweep_leaves_a_file_that_is_being_landed(database: Database) -> None:
    with pending(database, "ing_1", job=False):
        pass
    with database.transaction() as landing:
        landing.execute(queries("ingestion")["claim_pending"], {"ingestion_id": "ing_1"})
        assert sweep(database) == 0
    assert sweep(database) == 1


def test_file_of_a_dead_worker_is_landed_by_another_job(database: Database) -> None:
    with pending(database, "ing_1", job=True):
        pass
    start_and_die(database)
    assert sweep(database) == 1
    assert jobs(database) == [("ing_1", "aborted"), ("ing_1", "todo")]


def test_file_that_kills_its_workers_fails_for_all_to_see(database: Database) -> None:
    with pending(database, "ing_1", job=True):
        pass
    for _ in range(MOST_DEATHS):
        start_and_die(database)
        sweep(database)
    assert entry(database, "ing_1") == ("failed", "job.worker_died")
    assert {status for _, status in jobs(database)} == {"aborted"}


def test_tries_that_ended_with_an_answer_do_not_count(database: Database) -> None:
    with pending(database, "ing_1", job=True):
        pass
    for _ in range(MOST_DEATHS):
        with database.transaction() as connection:
            connection.execute(
                "select jobs.procrastinate_fetch_job_v2(null, worker_id) from jobs.procrastinate_register_worker_v1()"
            )
            connection.execute(
                "select jobs.procrastinate_retry_job_v1(id, now(), null, null, null) from jobs.procrastinate_jobs"
            )
    start_and_die(database)
    assert sweep(database) == 1
    assert entry(database, "ing_1") == ("received", None)


def test_giving_up_tells_the_error_and_touches_no_landed_file(database: Database) -> None:
    with pending(database, "ing_1", job=False) as connection:
        connection.execute(
            "update raw.ingestions set status = 'loaded' where ingestion_id = %s", [enter(connection, "ing_2")]
        )
    for name in ("ing_1", "ing_2"):
        give_up(database, name, StorageUnavailableError("The store is away."))
    assert entry(database, "ing_1") == ("failed", "storage.unavailable")
    assert entry(database, "ing_2") == ("loaded", None)


def test_old_failures_are_forgotten(database: Database) -> None:
    with pending(database, "ing_1", job=True) as connection:
        connection.execute("update jobs.procrastinate_jobs set status = 'failed'")
    sweep(database)
    assert ("ing_1", "failed") in jobs(database)
    with database.transaction() as connection:
        connection.execute("update jobs.procrastinate_events set at = now() - interval '31 days'")
    sweep(database)
    assert ("ing_1", "failed") not in jobs(database)


def test_counts_tell_what_waits_runs_and_failed(database: Database) -> None:
    with pending(database, "ing_1", job=True) as connection:
        for status, attempts in (("todo", 1), ("doing", 0), ("failed", 2), ("aborted", 1)):
            number = defer(connection, LAND_FILE, ingestion_id="ing_1")
            connection.execute(
                "update jobs.procrastinate_jobs set status = %s, attempts = %s where id = %s",
                [status, attempts, number],
            )
    (counts,) = count_jobs(database)
    assert (counts.waiting, counts.running, counts.retrying, counts.failed, counts.interrupted) == (1, 1, 1, 1, 1)
