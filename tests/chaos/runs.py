"""A run killed at every step: what is gone on with, or begun again, makes what an undisturbed run makes.

`python -m tests.chaos.runs` kills at every step, three times: each next run goes on, each begins again, and a worker
does what the schedule started.
"""

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from ingest_api.receiving import receive_file
from orchestration.context import Warehouse, open_warehouse
from orchestration.pipeline import run_pipeline
from orchestration.sample import SAMPLE
from tests.chaos.kills import KILLS, RUN_SECONDS, Kill, out
from tests.chaos.points import Reached
from tests.chaos.scheduled_runs import survive_scheduled
from tests.chaos.stand import Ground
from tests.contents import contents
from tests.processes import Process, kill, start, until
from warehouse.embedded import EmbeddedServer
from warehouse.settings import Settings

TIMES = ("received_at", "scored_at", "newest_received_at", "prediction_id", "run_id")
WORDS = {"dbt": "orchestration.dbt_child", "judge": "popen_loky"}  # by which a child of the run is known


def receive(warehouse: Warehouse, surveys: bytes) -> None:
    """Let a file wait to be landed."""
    file = io.BytesIO(surveys)
    receive_file(
        warehouse.database, warehouse.store, file, form="household_survey", filename="surveys.csv", source="cli"
    )


def outcome(warehouse: Warehouse) -> dict[str, str]:
    """What a run is for: the tables that people read and the predictions, but for when and by which run."""
    tables = contents(warehouse.database, "marts", "ml", without=TIMES)
    return {name: rows for name, rows in tables.items() if name.startswith("marts.") or name == "ml.predictions"}


def survive(warehouse: Warehouse, kills: Sequence[Kill], *, resume: bool) -> None:
    """Kill at one step after the other, then let the run come to its end.

    A run that outlives the kill of a child goes on to the next one; else the next run resumes it, or begins again.
    """
    ground = Ground(warehouse)
    process: Process | None = None
    try:
        for one in kills:
            began = time.monotonic()
            with one.hold(ground) as is_reached:
                process = process or _start(warehouse, resume=resume and one is not kills[0])
                _strike(process, one, is_reached)
            if one.victim == "run":
                process.wait()
                process = None
            out.print(f"{time.monotonic() - began:6.1f} s  {one}")
        process = process or _start(warehouse, resume=resume)
        log_file = warehouse.settings.home / "logs" / "run.log"
        assert process.wait(RUN_SECONDS) == 0, f"the last run failed; see {log_file}"
    finally:
        if process:
            kill(process)


def _start(warehouse: Warehouse, *, resume: bool) -> Process:
    return start(warehouse, "run", *(["--resume"] if resume else []))


def _strike(process: Process, one: Kill, is_reached: Reached) -> None:
    """Kill the victim, once the run stands where it shall."""

    def has_struck() -> bool:
        assert process.poll() is None, f"the run ended before {one}"
        if not is_reached():
            return False
        if one.victim == "run":
            process.kill()
            return True
        return _kill_child(process, WORDS[one.victim])

    until(has_struck, seconds=RUN_SECONDS)
    if one.victim == "dbt":
        until(lambda: not is_reached())  # the server takes a second to see that dbt is gone


def _kill_child(process: Process, word: str) -> bool:
    for child in psutil.Process(process.pid).children(recursive=True):
        if any(word in part for part in child.cmdline()):
            child.kill()
            return True
    return False


@contextmanager
def _warehouse() -> Iterator[Warehouse]:
    """A warehouse of its own, with the sample waiting to be landed; gone in the end."""
    home = Path(tempfile.mkdtemp(prefix="kyalo-chaos-"))
    home.chmod(0o711)  # the server's account passes through, under root
    settings = Settings(_env_file=None, kyalo_home=home, db_host=None)
    try:
        with open_warehouse(settings) as warehouse:
            receive(warehouse, SAMPLE.read_bytes())
            yield warehouse
        EmbeddedServer(settings.home).stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _differing_tables(told: str, play: Callable[[Warehouse], None], expected: dict[str, str]) -> int:
    """Play all kills in a warehouse of their own; how many tables differ from those of an undisturbed run."""
    out.print(told)
    with _warehouse() as warehouse:
        play(warehouse)
        found = outcome(warehouse)
    differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    out.print(f"differing tables: {', '.join(differing) or 'none'}")
    return len(differing)


def main() -> None:
    """Play it all, and end with 1 where the outcome is another than that of an undisturbed run."""
    with _warehouse() as warehouse:
        run_pipeline(warehouse)
        expected = outcome(warehouse)
    # Who goes on at export finds that check, which goes on beside it, is done.
    before_check = [one for one in KILLS if one.step != "check"]
    of_runs = [one for one in before_check if one.victim == "run"]
    plays = {
        "each next run goes on where the killed one was": (partial(survive, resume=True), before_check),
        "each next run begins again": (partial(survive, resume=False), KILLS),
        "a worker does what the schedule started": (survive_scheduled, of_runs),
    }
    failures = sum(
        _differing_tables(told, partial(play, kills=kills), expected) for told, (play, kills) in plays.items()
    )
    kills = sum(len(kills) for _, kills in plays.values()) + 1
    out.print(f"done: {kills} kills, {failures} tables differ")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
