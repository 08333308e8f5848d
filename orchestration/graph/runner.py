"""Does the steps of a graph in their order, beside each other where they may, again where that may help.

It knows nothing of what a step does, and nothing of where the record of it is kept.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestration.graph.step import Result, Step, may_begin, pause_before_retry
from warehouse.errors import StepTimedOutError, Transient

LAST_WORDS_SECONDS = 10.0  # a step whose connections and processes were ended says so in this time, or never


class Journal(Protocol):
    """What is told of every try of a step, always from the thread that runs the graph."""

    def begin(self, step: Step, attempt: int) -> None:
        """A try begins."""

    def finish(self, step: Step, attempt: int, outcome: Result | BaseException) -> None:
        """It ended, well or not."""


@dataclass(frozen=True)
class _Try:
    step: Step
    attempt: int
    deadline: float
    thread: threading.Thread


class Runner:
    """One walk through a graph.

    Args:
        steps: in an order in which each comes after what it needs.
        done: those that need not be done.
        act: does a step, in a thread of its own.
        end: ends what a step has under way, so that its thread comes to an end, too.
        journal: is told of every try.
        timeout_seconds: the longest that a try of any step may take.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        done: Collection[str],
        *,
        act: Callable[[Step], Result],
        end: Callable[[Step], None],
        journal: Journal,
        timeout_seconds: float,
    ) -> None:
        self._act, self._end, self._journal = act, end, journal
        self._timeout_seconds = timeout_seconds
        self._done = set(done)
        self._waiting = [step for step in steps if step.name not in self._done]
        self._running: dict[str, _Try] = {}
        self._retries: list[tuple[float, Step, int]] = []
        self._events: queue.Queue[tuple[_Try, Result | BaseException]] = queue.Queue()
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Do every step whose needs could be done.

        Raises:
            BaseException: what the first step that failed for good raised; what does not need it was done all the same.
        """
        try:
            self._begin_what_may()
            while self._running or self._retries:
                self._wait()
                self._begin_what_may()
        except BaseException as interruption:
            for going_on in self._running.values():
                self._end(going_on.step)
                self._journal.finish(going_on.step, going_on.attempt, interruption)
            raise
        if self._errors:
            raise self._errors[0]

    def _begin_what_may(self) -> None:
        for due, step, attempt in list(self._retries):
            if due <= time.monotonic():
                self._retries.remove((due, step, attempt))
                self._begin(step, attempt)
        for step in list(self._waiting):
            busy = [*(one.step for one in self._running.values()), *(step for _, step, _ in self._retries)]
            if may_begin(step, self._done, busy):
                self._waiting.remove(step)
                self._begin(step, 1)

    def _begin(self, step: Step, attempt: int) -> None:
        self._journal.begin(step, attempt)
        deadline = time.monotonic() + min(step.timeout_seconds, self._timeout_seconds)
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: context.run(self._try, step.name), name=step.name, daemon=True)
        self._running[step.name] = _Try(step, attempt, deadline, thread)
        thread.start()

    def _try(self, name: str) -> None:
        going_on = self._running[name]
        try:
            self._events.put((going_on, self._act(going_on.step)))
        except BaseException as error:  # noqa: BLE001 - the thread that runs the graph raises it
            self._events.put((going_on, error))

    def _wait(self) -> None:
        """Wait until a try ends, its time is up, or the next one is due."""
        next_time = min([*(one.deadline for one in self._running.values()), *(due for due, _, _ in self._retries)])
        try:
            going_on, outcome = self._events.get(
                timeout=max(0.0, min(next_time - time.monotonic(), threading.TIMEOUT_MAX))
            )
        except queue.Empty:
            for going_on in [one for one in self._running.values() if one.deadline <= time.monotonic()]:
                self._time_out(going_on)
            return
        if self._running.get(going_on.step.name) is going_on:
            self._conclude(going_on, outcome)

    def _time_out(self, going_on: _Try) -> None:
        self._end(going_on.step)
        going_on.thread.join(LAST_WORDS_SECONDS)
        seconds = min(going_on.step.timeout_seconds, self._timeout_seconds)
        error = StepTimedOutError(
            f"The step {going_on.step.name} took longer than {seconds:,g} s and was ended.",
            remedy="Look what it waits for; STEP_TIMEOUT_SECONDS says how long any step may take.",
        )
        self._conclude(going_on, error)

    def _conclude(self, going_on: _Try, outcome: Result | BaseException) -> None:
        step, attempt = going_on.step, going_on.attempt
        del self._running[step.name]
        self._journal.finish(step, attempt, outcome)
        if isinstance(outcome, Result):
            self._done.add(step.name)
        elif isinstance(outcome, Transient) and attempt <= step.retries:
            self._retries.append((time.monotonic() + pause_before_retry(attempt), step, attempt + 1))
        else:
            self._errors.append(outcome)
