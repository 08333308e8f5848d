"""The worker as a process: it lands what it is told of, tries again, stops when asked, outlives the database."""

import io
import signal
import time
from pathlib import Path

import pytest

from ingest_api.ledger import Entry, get_entry
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from tests.processes import Process, kill, running, start, until
from warehouse.jobs import count_jobs

pytestmark = pytest.mark.xdist_group("worker")

CSV = b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\nA-2,Kitgum,3\n"


def receive(warehouse: Warehouse, content: bytes = CSV) -> str:
    receipt = receive_file(
        warehouse.database,
        warehouse.store,
        io.BytesIO(content),
        form="household_survey",
        filename="survey.csv",
        source="cli",
    )
    return receipt.ingestion_id


def entry(warehouse: Warehouse, ingestion_id: str) -> Entry:
    return get_entry(warehouse.database, ingestion_id)


def until_landed(warehouse: Warehouse, ingestion_id: str, seconds: float = 30) -> None:
    until(lambda: entry(warehouse, ingestion_id).status == "loaded", seconds)


def original(warehouse: Warehouse) -> Path:
    """The only file's place in the local store."""
    (path,) = (path for path in warehouse.settings.store_folder.rglob("*.csv"))
    return path


def make_unreadable(path: Path) -> bytes:
    """Put a link to itself in a file's place, so that reading it fails as where a disk is away; what was in it."""
    content = path.read_bytes()
    path.unlink()
    path.symlink_to(path)
    return content


def end(process: Process) -> float:
    """Ask a process to stop; the seconds it took."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    return time.monotonic() - started


def test_lands_what_waited_and_what_comes_then_stops_when_asked(warehouse: Warehouse) -> None:
    waited = receive(warehouse)
    process = start(warehouse, "worker", WORKER_INTERVAL_SECONDS="3600")  # it is told, and does not look by itself
    until_landed(warehouse, waited)
    until_landed(warehouse, receive(warehouse, CSV.replace(b"A-", b"B-")))
    assert end(process) < 3
    assert [job for job in count_jobs(warehouse.database) if job.failed] == []


def test_transient_error_is_tried_again_until_it_has_passed(warehouse: Warehouse) -> None:
    ingestion_id = receive(warehouse)
    path = original(warehouse)
    content = make_unreadable(path)
    with running(warehouse, "worker"):
        until(lambda: any(job.retrying for job in count_jobs(warehouse.database)))
        assert entry(warehouse, ingestion_id).status == "received"
        path.unlink()
        path.write_bytes(content)
        until_landed(warehouse, ingestion_id)


def test_error_that_does_not_pass_ends_in_the_ledger(warehouse: Warehouse) -> None:
    ingestion_id = receive(warehouse)
    make_unreadable(original(warehouse))
    with running(warehouse, "worker", WORKER_RETRIES="1"):
        until(lambda: entry(warehouse, ingestion_id).status == "failed")
        assert entry(warehouse, ingestion_id).error_code == "storage.unavailable"
        until(lambda: [job.failed for job in count_jobs(warehouse.database) if job.task == "land_file"] == [1])


def test_file_of_a_killed_worker_is_landed_by_the_next(warehouse: Warehouse) -> None:
    ingestion_id = receive(warehouse)
    with warehouse.database.transaction() as blocking:
        blocking.execute("lock table raw.submission_keys in exclusive mode")
        process = start(warehouse, "worker")
        until(lambda: any(job.running for job in count_jobs(warehouse.database) if job.task == "land_file"))
        kill(process)
    with running(warehouse, "worker"):
        until_landed(warehouse, ingestion_id)


def test_chores_are_done_while_landings_take_every_slot(warehouse: Warehouse) -> None:
    landings = [receive(warehouse, CSV.replace(b"A-", name)) for name in (b"B-", b"C-")]
    with warehouse.database.transaction() as blocking:
        blocking.execute("lock table raw.submission_keys in exclusive mode")
        process = start(warehouse, "worker", WORKER_CONCURRENCY="2")
        until(lambda: [job.running for job in count_jobs(warehouse.database) if job.task == "land_file"] == [2])
        landings.append(receive(warehouse))
        with warehouse.database.transaction() as connection:
            connection.execute("delete from jobs.procrastinate_jobs where status = 'todo' and task_name = 'land_file'")
        until(lambda: [job.waiting for job in count_jobs(warehouse.database) if job.task == "land_file"] == [1], 20)
        assert {entry(warehouse, name).status for name in landings} == {"received"}
    for name in landings:
        until_landed(warehouse, name)
    assert end(process) < 3


def test_job_that_takes_long_is_rolled_back_when_asked_to_stop(warehouse: Warehouse) -> None:
    ingestion_id = receive(warehouse)
    with warehouse.database.transaction() as blocking:
        blocking.execute("lock table raw.submission_keys in exclusive mode")
        process = start(warehouse, "worker")
        until(lambda: any(job.running for job in count_jobs(warehouse.database) if job.task == "land_file"))
        assert 7 < end(process) < 10
        assert entry(warehouse, ingestion_id).status == "received"
    with running(warehouse, "worker"):
        until_landed(warehouse, ingestion_id)


def test_worker_outlives_lost_connections(warehouse: Warehouse) -> None:
    with running(warehouse, "worker") as process:
        until_landed(warehouse, receive(warehouse))
        with warehouse.database.transaction() as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        until_landed(warehouse, receive(warehouse, CSV.replace(b"A-", b"B-")))
        assert process.poll() is None
