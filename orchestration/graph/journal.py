"""The record of steps, written when a try begins and when it ends."""

import time
from collections.abc import Callable

from orchestration.graph.lock import PipelineLock
from orchestration.graph.step import Result, Step
from orchestration.runs import DoneStep, Run, describe_error, record
from warehouse.database import Database
from warehouse.logs import get_logger

logger = get_logger(__name__)


class StepJournal:
    """Keeps `ops.pipeline_steps`, and lets no step begin unless the pipeline is still ours.

    Args:
        database: the warehouse.
        run: the run; its steps are added to it.
        lock: what the run holds.
        tell: is told what begins.
    """

    def __init__(self, database: Database, run: Run, lock: PipelineLock, tell: Callable[[str], None]) -> None:
        self._database, self._run, self._lock, self._tell = database, run, lock, tell
        self._began: dict[str, float] = {}

    def skip(self, step: Step, why: str) -> None:
        """Note that a step need not be done."""
        record(self._database, "skip_step", run_id=self._run.run_id, step=step.name, did=why)

    def begin(self, step: Step, attempt: int) -> None:
        """Note that a try begins.

        Raises:
            BusyError: the database went away, and another run has begun since.
        """
        self._lock.ensure()
        self._began[step.name] = time.perf_counter()
        self._tell(step.name if attempt == 1 else f"{step.name}, try {attempt}")
        facts = {"run_id": self._run.run_id, "step": step.name, "attempt": attempt}
        record(self._database, "begin_step", **facts, log_reference=self._run.log_reference)
        logger.info("step begins", step=step.name, attempt=attempt)

    def finish(self, step: Step, attempt: int, outcome: Result | BaseException) -> None:
        """Note that it ended."""
        seconds = round(time.perf_counter() - self._began[step.name], 3)
        result = outcome if isinstance(outcome, Result) else Result()
        error = None if isinstance(outcome, Result) else outcome
        told = describe_error(error)
        done = DoneStep(
            step.name,
            attempt,
            "failed" if error else "succeeded",
            seconds,
            result.rows_in,
            result.rows_out,
            told["error_message"] or result.did,
        )
        self._run.steps.append(done)
        (logger.error if isinstance(error, Exception) else logger.info)(
            f"step {done.status}", step=step.name, attempt=attempt, seconds=seconds, did=done.did
        )
        record(
            self._database,
            "finish_step",
            run_id=self._run.run_id,
            step=step.name,
            attempt=attempt,
            status=done.status,
            rows_in=result.rows_in,
            rows_out=result.rows_out,
            did=result.did,
            **told,
        )
