"""Thirty days without a fault, and twelve faults: `make simulation` tells which alerts they raise."""

import argparse
import logging
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import sql
from rich.console import Console

from orchestration.alerts.book import Alert
from orchestration.context import Warehouse, open_warehouse
from tests.simulation.clock import Days
from tests.simulation.faults import FAULTS, Fault
from tests.simulation.surveys import Plan, plan_surveys
from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.settings import Settings

KNOWN, EACH_DAY = 2_000, 300
out = Console(highlight=False, markup=False)


def main() -> None:
    """Let the days pass, then each fault on a copy of the first of them; end with 1 when one was told wrongly."""
    parser = argparse.ArgumentParser(prog="make simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    logging.getLogger("orchestration").setLevel(logging.ERROR)  # the table tells of the alerts
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _warehouse() as warehouse:
        plan = plan_surveys(Path(folder), known=KNOWN, each_day=EACH_DAY, days=options.days + 1, seed=options.seed)
        wrong = _play(warehouse, Path(folder), plan, options.days)
    minutes = (time.monotonic() - began) / 60
    out.print(f"done: {options.days} days, {len(FAULTS)} faults, {wrong} told wrongly, {minutes:.0f} minutes")
    sys.exit(bool(wrong))


def _play(warehouse: Warehouse, folder: Path, plan: Plan, number_of_days: int) -> int:
    days = Days(warehouse, folder, number_of_days)
    _tell("before the first day", days.pass_day(plan.known), expected=[])
    faults = [_play_fault(days, folder, fault, plan) for fault in FAULTS]
    clean = [
        _tell(f"day {number}", days.pass_day(plan.days[number]), expected=[]) for number in range(1, number_of_days + 1)
    ]
    return faults.count(False) + clean.count(False)


def _play_fault(days: Days, folder: Path, fault: Fault, plan: Plan) -> bool:
    with _copy(days.warehouse) as copy:
        own = Days(copy, folder, 0)
        own.now = days.now
        return _tell(fault.words, fault.happen(own, plan.days[0]), expected=[fault.alert])


def _tell(what: str, alerts: list[Alert], *, expected: list[str]) -> bool:
    """Say what a day raised; whether it is what was expected."""
    is_right = [alert.alert for alert in alerts] == expected
    said = "; ".join(f"{alert.severity}: {alert.alert}: {alert.message}" for alert in alerts) or "no alert"
    out.print(f"{what:22} {'' if is_right else 'WRONG '}{said}", soft_wrap=True)
    return is_right


@contextmanager
def _warehouse() -> Iterator[Warehouse]:
    """A warehouse of its own, with its own PostgreSQL, removed in the end."""
    home = Path(tempfile.mkdtemp(prefix="kyalo-simulation-"))
    home.chmod(0o711)  # the server's account passes through, under root
    try:
        with open_warehouse(Settings(_env_file=None, kyalo_home=home)) as warehouse:
            yield warehouse
    finally:
        EmbeddedServer(home).stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _copy(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A copy of a warehouse on the same server, with the same objects; dropped in the end."""
    address = warehouse.database.address()
    warehouse.database.close()
    settings = warehouse.settings.model_copy(
        update={
            "db_host": address["host"],
            "db_port": address["port"],
            "db_name": "kyalo_fault",
            "db_user": address["user"],
            "db_password": Settings(_env_file=None, db_password=address["password"]).db_password,
        }
    )
    names = sql.Identifier("kyalo_fault"), sql.Identifier(address["dbname"])
    _administer(settings, sql.SQL("create database {} template {}").format(*names))
    database = Database(settings)
    yield replace(warehouse, settings=settings, database=database)
    database.close()
    _administer(settings, sql.SQL("drop database {} with (force)").format(names[0]))


def _administer(settings: Settings, statement: sql.Composed) -> None:
    with Database(settings.model_copy(update={"db_name": "postgres"})).connect() as connection:
        connection.autocommit = True
        connection.execute(statement)


if __name__ == "__main__":
    main()
