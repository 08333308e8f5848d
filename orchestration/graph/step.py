"""A step as data: what it needs, how long it may take, and what may go on at the same time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.runs import Run

RETRIES = 5
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True)
class Work:
    """What the action of a step works on.

    Attributes:
        warehouse: its connections bear the step's name, so that they can be ended with it.
        dbt: a warm dbt, which no two steps use at a time.
        run: the run that the step is part of.
        retrain: whether models are fitted also where there are some.
        builds: whether the run has built what it trains on, or trains on what an earlier one built.
    """

    warehouse: Warehouse
    dbt: Dbt
    run: Run
    retrain: bool
    builds: bool


@dataclass(frozen=True)
class Result:
    """What a step did, in a few words; rows that it had to work on, and rows that it wrote, where it counts them."""

    did: str = ""
    rows_in: int | None = None
    rows_out: int | None = None


@dataclass(frozen=True)
class Step:
    """One step of the graph.

    Attributes:
        needs: the steps that must have been done before.
        action: does it.
        timeout_seconds: it is ended when a try takes longer, or longer than STEP_TIMEOUT_SECONDS.
        retries: how often it is tried again after a transient error.
        may_run_beside: the steps that may go on at the same time.
        has_children: whether it works in processes of its own; no two of these run at the same time.
        role: the role that its own connections take on; the owner's own when None.
    """

    name: str
    needs: tuple[str, ...]
    action: Callable[[Work], Result] = field(repr=False)
    timeout_seconds: float = float("inf")
    retries: int = RETRIES
    may_run_beside: tuple[str, ...] = ()
    has_children: bool = False
    role: str | None = None


def pause_before_retry(attempt: int) -> float:
    """Seconds between a try that failed, counted from one, and the next: 2, 4, 8 ... up to a minute."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))


def with_downstream(steps: Sequence[Step], name: str) -> set[str]:
    """A step and every one that needs it, directly or not."""
    found = {name}
    for step in steps:  # in order: what a step needs comes before it
        if found & set(step.needs):
            found.add(step.name)
    return found


def may_begin(step: Step, done: Collection[str], running: Collection[Step]) -> bool:
    """Whether all that a step needs is done, and all that is going on may go on beside it."""
    beside = (other.name in step.may_run_beside or step.name in other.may_run_beside for other in running)
    return set(step.needs) <= set(done) and all(beside)
