"""Signs of life: given while a process lives, taken back at a good end, left behind by a kill until its successor."""

import os
import signal
import subprocess
import sys

from orchestration.context import Warehouse
from orchestration.heartbeat import Heartbeat, SignOfLife, beating, list_signs_of_life
from tests.processes import until
from warehouse.database import Database

CHILD = """
import time
from orchestration.heartbeat import beating
from warehouse.database import Database
from warehouse.settings import Settings
with beating(Database(Settings(_env_file=None)), "worker", doing="its work"):
    time.sleep(600)
"""


def signs(database: Database) -> list[SignOfLife]:
    return list_signs_of_life(database)


def test_process_says_that_it_lives_and_what_it_does(module_warehouse: Warehouse) -> None:
    database = module_warehouse.database
    with beating(database, "pipeline", doing="load") as heartbeat:
        until(lambda: [sign.doing for sign in signs(database)] == ["load"])
        (sign,) = signs(database)
        assert (sign.process, sign.process_id, sign.is_alive) == ("pipeline", os.getpid(), True)
        heartbeat.say("build")
        until(lambda: [sign.doing for sign in signs(database)] == ["build"])
    assert signs(database) == []


def test_silence_of_a_minute_is_no_life(module_warehouse: Warehouse) -> None:
    database = module_warehouse.database
    heartbeat = Heartbeat(database, "scheduler")
    heartbeat.beat()
    with database.transaction() as connection:
        connection.execute("update ops.heartbeats set beat_at = now() - interval '61 seconds'")
    assert [sign.is_alive for sign in signs(database)] == [False]
    heartbeat.beat()
    assert [sign.is_alive for sign in signs(database)] == [True]
    heartbeat.end()


def test_lost_connection_is_made_anew(module_warehouse: Warehouse) -> None:
    database = module_warehouse.database
    heartbeat = Heartbeat(database, "api")
    heartbeat.beat()
    with database.transaction() as connection:
        connection.execute("delete from ops.heartbeats")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    heartbeat.beat()
    heartbeat.beat()
    assert [sign.process for sign in signs(database)] == ["api"]
    heartbeat.end()


def test_killed_process_is_missed_until_another_takes_its_place(module_warehouse: Warehouse) -> None:
    database = module_warehouse.database
    environment = {**os.environ, **database.environment()}
    with subprocess.Popen([sys.executable, "-c", CHILD], env=environment) as child:
        until(lambda: [sign.process_id for sign in signs(database)] == [child.pid])
        child.send_signal(signal.SIGKILL)
    assert [sign.process_id for sign in signs(database)] == [child.pid]
    with beating(database, "worker"):
        until(lambda: [sign.process_id for sign in signs(database)] == [os.getpid()])
