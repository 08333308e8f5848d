"""The graph of a run: the order of its steps, what goes on beside what, what is tried again and what is ended."""

import threading
import time
from collections.abc import Callable

import pytest

from orchestration.graph import runner
from orchestration.graph.runner import Runner
from orchestration.graph.step import Result, Step, pause_before_retry, with_downstream
from orchestration.graph.steps import STEPS
from warehouse.errors import BuildError, BusyError, StepTimedOutError

Action = Callable[[], Result]


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.ended: dict[tuple[str, int], Result | BaseException] = {}

    def begin(self, step: Step, attempt: int) -> None:
        """A try begins."""
        self.begun.append((step.name, attempt))

    def finish(self, step: Step, attempt: int, outcome: Result | BaseException) -> None:
        """It ended."""
        self.ended[step.name, attempt] = outcome


def step(name: str, *needs: str, beside: tuple[str, ...] = (), retries: int = 2, timeout: float = 60) -> Step:
    return Step(name, needs, lambda _: Result(), timeout_seconds=timeout, retries=retries, may_run_beside=beside)


def walk(
    *steps: Step, done: tuple[str, ...] = (), end: Callable[[Step], None] = lambda _: None, **does: Action
) -> Notes:
    """Walk through a graph whose steps do nothing but what `does` says; an error is kept as that of `run`."""
    notes = Notes()
    nothing = Result
    walker = Runner(
        steps,
        done,
        act=lambda one: does.get(one.name, nothing)(),
        end=end,
        journal=notes,
        timeout_seconds=60,
    )
    try:
        walker.run()
    except Exception as error:  # noqa: BLE001 - the test looks at it
        notes.ended["run", 1] = error
    return notes


def failing(error: Exception, *, times: int = 1) -> Action:
    """Raise an error so many times, then succeed."""
    left = [error] * times

    def act() -> Result:
        if left:
            raise left.pop()
        return Result("done")

    return act


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(runner, "pause_before_retry", lambda attempt: 0.001 * attempt)


def test_steps_of_a_run_stand_in_an_order_that_can_be_walked() -> None:
    names = [one.name for one in STEPS]
    assert names == ["load", "build", "train", "mirror", "score", "watch", "marts", "publish", "export", "check"]
    for place, one in enumerate(STEPS):
        assert set(one.needs) <= set(names[:place])
        assert set(one.may_run_beside) <= set(names)


def test_no_two_steps_with_processes_of_their_own_run_beside_each_other() -> None:
    with_children = {one.name for one in STEPS if one.has_children}
    assert [one.name for one in STEPS if one.has_children and with_children & set(one.may_run_beside)] == []


def test_what_comes_after_a_step() -> None:
    assert with_downstream(STEPS, "score") == {"score", "watch", "marts", "publish", "export", "check"}
    assert with_downstream(STEPS, "watch") == {"watch", "check"}


def test_pauses_grow_up_to_a_minute() -> None:
    assert [pause_before_retry(attempt) for attempt in (1, 2, 3, 6, 40)] == [2, 4, 8, 60, 60]


def test_a_step_begins_after_what_it_needs() -> None:
    notes = walk(step("a"), step("b", "a"), step("c", "b"))
    assert notes.begun == [("a", 1), ("b", 1), ("c", 1)]


def test_steps_run_beside_each_other_only_where_they_may() -> None:
    meet = threading.Barrier(2, timeout=5)
    alone = threading.Lock()

    def at_meeting() -> Result:
        meet.wait()
        return Result()

    def by_itself() -> Result:
        assert alone.acquire(blocking=False)
        time.sleep(0.02)
        alone.release()
        return Result()

    steps = (step("a", beside=("b",)), step("b"), step("c", "a", "b"), step("d", "a", "b"))
    notes = walk(*steps, a=at_meeting, b=at_meeting, c=by_itself, d=by_itself)
    assert ("run", 1) not in notes.ended


def test_what_needs_a_failed_step_does_not_begin_and_all_else_does() -> None:
    steps = (step("a"), step("b", "a", beside=("c",)), step("c", "a"), step("after_b", "b"), step("after_c", "c"))
    notes = walk(*steps, b=failing(BuildError("no")))
    assert {name for name, _ in notes.begun} == {"a", "b", "c", "after_c"}
    assert isinstance(notes.ended["run", 1], BuildError)


def test_only_what_may_pass_is_tried_again() -> None:
    notes = walk(step("a"), step("b", "a"), a=failing(BusyError("wait"), times=2))
    assert notes.begun == [("a", 1), ("a", 2), ("a", 3), ("b", 1)]
    assert walk(step("a"), a=failing(BuildError("no"))).begun == [("a", 1)]
    assert walk(step("a"), a=failing(ValueError("no"))).begun == [("a", 1)]


def test_retries_come_to_an_end() -> None:
    notes = walk(step("a", retries=2), step("b", "a"), a=failing(BusyError("wait"), times=9))
    assert notes.begun == [("a", 1), ("a", 2), ("a", 3)]
    assert isinstance(notes.ended["run", 1], BusyError)


def test_a_step_that_takes_too_long_is_ended() -> None:
    ended = threading.Event()

    def act() -> Result:
        ended.wait(10)
        raise BusyError("its connection was ended")

    notes = walk(step("a", timeout=0.05), step("b", "a"), end=lambda _: ended.set(), a=act)
    error = notes.ended["run", 1]
    assert isinstance(error, StepTimedOutError)
    assert "step a took longer" in error.message
    assert notes.begun == [("a", 1)]
    assert notes.ended["a", 1] is error


def test_steps_that_are_done_are_not_done_again() -> None:
    assert walk(step("a"), step("b", "a"), step("c", "b"), done=("a", "b")).begun == [("c", 1)]


def test_what_goes_on_is_ended_when_the_run_is_interrupted() -> None:
    ended: list[str] = []

    class Interrupting(Notes):
        def begin(self, step: Step, attempt: int) -> None:
            super().begin(step, attempt)
            if step.name == "b":
                raise KeyboardInterrupt

    release = threading.Event()

    def act() -> Result:
        release.wait(10)
        return Result()

    def end(one: Step) -> None:
        ended.append(one.name)
        release.set()

    notes = Interrupting()
    steps = (step("a", beside=("b",)), step("b"))
    with pytest.raises(KeyboardInterrupt):
        Runner(steps, (), act=lambda _: act(), end=end, journal=notes, timeout_seconds=60).run()
    assert ended == ["a"]
    assert isinstance(notes.ended["a", 1], KeyboardInterrupt)
