"""A run killed at every step: what is gone on with, or begun again, makes what an undisturbed run makes.

`python -m tests.chaos.runs` kills at every step, twice: once each next run goes on, once it begins again.
"""

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console

from ingest_api.receiving import receive_file
from orchestration.context import Warehouse, open_warehouse
from orchestration.pipeline import run_pipeline
from orchestration.sample import SAMPLE
from tests.chaos.points import Reached, held_before_row
from tests.chaos.stand import Ground
from tests.contents import contents
from tests.processes import Process, kill, start, until
from warehouse.embedded import EmbeddedServer
from warehouse.settings import Settings

Victim = Literal["run", "dbt", "judge"]
Hold = Callable[[Ground], AbstractContextManager[Reached]]

RUN_SECONDS = 900
TIMES = ("received_at", "scored_at", "newest_received_at", "prediction_id", "run_id")
STEP_IS_RUNNING = "select exists (select from ops.pipeline_steps where step = '{step}' and status = 'running')"
DBT_IS_AT_WORK = (
    "select exists (select from ops.pipeline_steps where step = '{step}' and status = 'running') and exists ("
    "select from pg_stat_activity where application_name like 'kyalo dbt %' and state = 'active')"
)
WORDS = {"dbt": "orchestration.dbt_child", "judge": "popen_loky"}  # by which a child of the run is known
out = Console(highlight=False, markup=False)


@dataclass(frozen=True)
class Kill:
    """Who is killed, and where the run stands then."""

    step: str
    victim: Victim
    hold: Hold

    def __str__(self) -> str:
        """The same in words."""
        return f"{self.victim} killed at {self.step}"


def before_row(table: str, event: str = "insert", condition: str = "true") -> Hold:
    """The run is about to write a row, in a transaction."""
    return lambda ground: held_before_row(ground, table, event, condition)


def once(question: str) -> Hold:
    """The answer to a question is yes."""

    @contextmanager
    def hold(ground: Ground) -> Iterator[Reached]:
        yield lambda: ground.ask(question)

    return hold


BUILDING, BUILDING_MARTS = once(DBT_IS_AT_WORK.format(step="build")), once(DBT_IS_AT_WORK.format(step="marts"))
KILLS = (
    Kill("load", "run", before_row("raw.ingestions", "update", "new.status = 'loaded'")),
    Kill("build", "dbt", BUILDING),
    Kill("build", "run", BUILDING),
    Kill("train", "judge", once(STEP_IS_RUNNING.format(step="train"))),
    Kill("train", "run", before_row("ml.model_events", condition="new.event = 'promoted'")),
    Kill("score", "run", before_row("ml.predictions")),
    Kill("watch", "run", once(STEP_IS_RUNNING.format(step="watch"))),
    Kill("marts", "dbt", BUILDING_MARTS),
    Kill("marts", "run", BUILDING_MARTS),
    Kill("publish", "run", before_row("ops.published_tables")),
    Kill("export", "run", before_row("ops.exports")),
    Kill("check", "run", before_row("ops.data_quality_metrics")),
)


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


def main() -> None:
    """Play it all, and end with 1 where the outcome is another than that of an undisturbed run."""
    with _warehouse() as warehouse:
        run_pipeline(warehouse)
        expected = outcome(warehouse)
    failures = 0
    for resume in (True, False):
        out.print("each next run goes on where the killed one was" if resume else "each next run begins again")
        # Who resumes at export finds that check, which goes on beside it, is done.
        kills = [one for one in KILLS if not (resume and one.step == "check")]
        with _warehouse() as warehouse:
            survive(warehouse, kills, resume=resume)
            found = outcome(warehouse)
        differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        failures += len(differing)
        out.print(f"differing tables: {', '.join(differing) or 'none'}")
    out.print(f"done: {2 * len(KILLS) - 1} kills, {failures} tables differ")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
