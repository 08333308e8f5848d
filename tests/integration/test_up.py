"""`kyalo up` and what it keeps: killed processes start again, jobs of the schedule go on, all stops in time."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from orchestration.context import Warehouse
from orchestration.heartbeat import list_signs_of_life
from orchestration.schedule import ScheduledJob, list_jobs
from orchestration.supervisor import Supervisor
from tests.processes import Process, run, running, until
from warehouse.database import Database
from warehouse.embedded.server import free_port

pytestmark = pytest.mark.xdist_group("worker")

PROCESSES = ["api", "dashboard", "scheduler", "worker"]


@pytest.fixture(scope="module")
def up(module_warehouse: Warehouse) -> Iterator[Process]:
    """`kyalo up` on free ports."""
    ports = {"API_PORT": str(free_port()), "DASHBOARD_PORT": str(free_port())}
    with running(module_warehouse, "up", **ports) as process:
        yield process


def alive(database: Database) -> dict[str, int]:
    """The number of each process that gives signs of life."""
    return {sign.process: sign.process_id for sign in list_signs_of_life(database) if sign.is_alive}


def until_all_live(database: Database, *, instead_of: int = 0) -> dict[str, int]:
    until(lambda: sorted(alive(database)) == PROCESSES and instead_of not in alive(database).values(), 60)
    return alive(database)


def job(database: Database, name: str) -> ScheduledJob:
    (found,) = (job for job in list_jobs(database) if job.job == name)
    return found


def test_all_live_and_what_is_killed_starts_again(module_warehouse: Warehouse, up: Process) -> None:
    before = until_all_live(module_warehouse.database)
    os.kill(before["scheduler"], signal.SIGKILL)
    after = until_all_live(module_warehouse.database, instead_of=before["scheduler"])
    assert {name for name in PROCESSES if after[name] != before[name]} == {"scheduler"}


def test_killed_worker_takes_its_job_with_it_and_the_next_one_does_it(module_warehouse: Warehouse, up: Process) -> None:
    database = module_warehouse.database
    killed = until_all_live(database)["worker"]
    with database.transaction() as blocking:
        blocking.execute("lock table ops.model_performance_metrics in access exclusive mode")
        said = run(module_warehouse, "schedule", "run", "performance_check")
        assert (said.returncode, said.stderr) == (0, "")
        until(lambda: job(database, "performance_check").status == "running", 60)
        os.kill(killed, signal.SIGKILL)
        until(lambda: job(database, "performance_check").error_code == "job.interrupted", 60)
    with database.transaction() as connection:
        connection.execute(
            "update jobs.procrastinate_workers set last_heartbeat = now() - interval '1 hour'"
            " where id in (select worker_id from jobs.procrastinate_jobs where task_name = 'performance_check')"
        )
    until(lambda: job(database, "performance_check").status == "succeeded", 60)
    assert "succeeded for " in run(module_warehouse, "schedule", "list").stdout


def test_there_is_one_up_in_a_home(module_warehouse: Warehouse, up: Process) -> None:
    before = until_all_live(module_warehouse.database)
    second = run(module_warehouse, "up")
    assert second.returncode == 75
    assert f"as process {up.pid}" in second.stderr
    assert "up.running" in second.stderr
    assert until_all_live(module_warehouse.database) == before


def test_all_stop_in_time_when_asked(module_warehouse: Warehouse, up: Process) -> None:
    numbers = until_all_live(module_warehouse.database).values()
    started = time.monotonic()
    assert run(module_warehouse, "stop").stdout == "done: stopped\n"
    assert up.wait(timeout=20) == 0
    assert time.monotonic() - started < 10
    assert alive(module_warehouse.database) == {}
    assert [number for number in numbers if psutil.pid_exists(number)] == []


@pytest.mark.parametrize(
    "command", [["up"], ["api", "--port", "0"], ["dashboard", "--port", "0"], ["worker"], ["schedule"]]
)
def test_nothing_begins_in_production_without_keys(warehouse: Warehouse, command: list[str]) -> None:
    refused = run(warehouse, *command, KYALO_ENVIRONMENT="production")
    assert refused.returncode == 1
    assert "error configuration.missing_key: " in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert "serving" not in refused.stdout + refused.stderr


@pytest.mark.parametrize(("setting", "code"), [("API_PORT", "api"), ("DASHBOARD_PORT", "dashboard")])
def test_port_that_is_taken_is_told_at_once(warehouse: Warehouse, setting: str, code: str) -> None:
    ports = {"API_PORT": str(free_port()), "DASHBOARD_PORT": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[setting] = str(taken.getsockname()[1])
        for command in ("up", code):
            refused = run(warehouse, command, **ports)
            assert refused.returncode == 1
            assert f"error {code}.cannot_listen: " in refused.stderr
            assert f"{setting}={int(ports[setting]) + 1}" in refused.stderr


def test_api_that_cannot_begin_says_why(warehouse: Warehouse) -> None:
    refused = run(warehouse, "api", "--port", "0", STORAGE_PROVIDER="azure")
    assert refused.returncode == 1
    assert "error storage.misconfigured: " in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


def test_process_that_dies_again_and_again_is_told_of_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse
) -> None:
    monkeypatch.setattr("orchestration.supervisor.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("orchestration.supervisor.HOPELESS_DEATHS", 2)
    lines: list[str] = []
    stop = threading.Event()
    environment = {"KYALO_HOME": str(warehouse.settings.home), **warehouse.database.environment()}
    commands = {"scheduler": ("schedule",), "api": ("api", "--port", "not a number")}
    supervisor = Supervisor(commands, lambda name, line: lines.append(f"{name}: {line}"), environment)
    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(supervisor.keep(stop)))
    thread.start()
    try:
        until(lambda: any("death 2 in a row" in line for line in lines), 120)
        until(lambda: "scheduler" in alive(warehouse.database), 60)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not [line for line in lines if line.startswith("up: scheduler")]
    assert [line for line in lines if line.startswith("api: ")], "what it said is passed on"
    assert alive(warehouse.database) == {}
    assert ended == [True]
