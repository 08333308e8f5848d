"""Where a run is killed: at every step, the run itself or a process of its own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console

from tests.chaos.points import Reached, held_before_row
from tests.chaos.stand import Ground

Victim = Literal["run", "dbt", "judge"]
Hold = Callable[[Ground], AbstractContextManager[Reached]]

RUN_SECONDS = 900
STEP_IS_RUNNING = "select exists (select from ops.pipeline_steps where step = '{step}' and status = 'running')"
DBT_IS_AT_WORK = (
    "select exists (select from ops.pipeline_steps where step = '{step}' and status = 'running') and exists ("
    "select from pg_stat_activity where application_name like 'kyalo dbt %' and state = 'active')"
)
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
