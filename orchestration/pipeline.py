"""A run of the pipeline: every step of the graph, or those that are asked for, with its record."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.graph.actions import look
from orchestration.graph.ending import Ender
from orchestration.graph.journal import StepJournal
from orchestration.graph.lock import PipelineLock
from orchestration.graph.runner import Runner
from orchestration.graph.step import Result, Step, Work, with_downstream
from orchestration.graph.steps import STEPS
from orchestration.heartbeat import beating
from orchestration.runs import Run, close_abandoned, fetch, new_run_id, recorded_run
from warehouse.database import Database
from warehouse.errors import ConflictError, KyaloError, MisuseError, NotFoundError
from warehouse.logs import get_logger, run_log

NOTHING_TO_RESUME = "run.nothing_to_resume"
logger = get_logger(__name__)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        retrain: fit new models also where there are some.
        from_step: do this step and all that need it, and nothing before.
        only_step: do this step alone.
        resume: go on with the newest run of every step, which failed; what it finished is not done again.
        wait: wait for a run that is under way, in place of failing.
        by: who asks: command, schedule or demo.
    """

    retrain: bool = False
    from_step: str | None = None
    only_step: str | None = None
    resume: bool = False
    wait: bool = False
    by: str = "command"

    @property
    def scope(self) -> str:
        """Which steps, where not every one."""
        if self.only_step:
            return f"only {self.only_step}"
        return f"from {self.from_step}" if self.from_step else ""


def run_pipeline(warehouse: Warehouse, request: Request = Request(), *, tell: Tell = lambda _: None) -> Run:
    """Run the steps that are asked for, and record the run.

    Args:
        warehouse: what to run on.
        request: what is asked for; every step, when omitted.
        tell: is told, in a few words, what begins.

    Raises:
        BusyError: another run is under way.
        BuildError: a model or a quality gate failed; what lies downstream keeps its last state.
        NotFoundError: there is no failed run to go on with.
        MisuseError: the graph has no step of that name.
        ConflictError: what a step needs was tried last without success.
        StepTimedOutError: a step took too long.
    """
    database = warehouse.database
    run = Run(new_run_id(database), requested_by=request.by, scope=request.scope)
    lock = PipelineLock(database, run.name_connections("run"))
    try:
        lock.take(tell if request.wait else None)
        close_abandoned(database)
        skipped = _steps_to_skip(database, request, run)
        with run_log(warehouse.settings, run.run_id), _looked_at_when_failed(warehouse, run):
            _walk_recorded(warehouse, request, run, skipped, lock, tell)
    finally:
        lock.release()
    return run


def _steps_to_skip(database: Database, request: Request, run: Run) -> dict[str, str]:
    """The steps that need not be done, each with the reason."""
    if request.resume:
        return _finished_before(database, run)
    asked = {step.name for step in STEPS}
    if unknown := {name for name in (request.from_step, request.only_step) if name} - asked:
        names = ", ".join(step.name for step in STEPS)
        raise MisuseError(f"There is no step {unknown.pop()}: steps are {names}.", code="run.unknown_step")
    wanted = asked
    if request.only_step:
        wanted = {request.only_step}
    elif request.from_step:
        wanted = with_downstream(STEPS, request.from_step)
    _require_needs(database, wanted)
    return dict.fromkeys(asked - wanted, "nobody asked for it")


def _require_needs(database: Database, wanted: Collection[str]) -> None:
    """Refuse steps whose needs are left half done: they would publish what is not whole."""
    newest = {row["step"]: row["status"] for row in fetch(database, "newest_tries")}
    left = [
        need
        for step in STEPS
        if step.name in wanted
        for need in step.needs
        if need not in wanted and newest.get(need, "succeeded") != "succeeded"
    ]
    if left:
        raise ConflictError(
            f"The last try of {left[0]} did not succeed.",
            code="run.unfinished_need",
            remedy=f"Begin there: `kyalo run --from {left[0]}`.",
        )


def _finished_before(database: Database, run: Run) -> dict[str, str]:
    newest = next(iter(fetch(database, "newest_run")), None)
    if newest is None or newest["status"] != "failed":
        raise NotFoundError(
            "There is no failed run to go on with.", code=NOTHING_TO_RESUME, remedy="Begin one: kyalo run."
        )
    run.resumes_run_id = newest["run_id"]
    finished = fetch(database, "finished_steps", run_id=run.resumes_run_id)
    return {row["step"]: f"run {run.resumes_run_id} did it" for row in finished}


@contextmanager
def _looked_at_when_failed(warehouse: Warehouse, run: Run) -> Iterator[None]:
    """Measure, and tell what is wrong, also where the run fails before it comes to that; its own error stays."""
    try:
        yield
    except Exception as failure:
        try:
            logger.info("looked at the failed run", found=look(warehouse, run.run_id))
        except Exception:
            logger.exception("the failed run could not be looked at")
        if isinstance(failure, KyaloError) and not run.scope:
            failure.remedy = f"{failure.remedy} `kyalo run --resume` goes on where it stopped.".strip()
        raise


def _walk_recorded(
    warehouse: Warehouse, request: Request, run: Run, skipped: Mapping[str, str], lock: PipelineLock, tell: Tell
) -> None:
    with (
        beating(warehouse.database, "pipeline", doing=run.run_id) as heartbeat,
        recorded_run(warehouse.database, run),
    ):

        def tell_all(step: str) -> None:
            heartbeat.say(f"run {run.run_id}: {step}")
            tell(step)

        _walk(warehouse, request, run, skipped, StepJournal(warehouse.database, run, lock, tell_all))


def _walk(warehouse: Warehouse, request: Request, run: Run, skipped: Mapping[str, str], journal: StepJournal) -> None:
    for step in STEPS:
        if step.name in skipped:
            journal.skip(step, skipped[step.name])
    with Dbt(warehouse, application_name=run.name_connections("dbt")) as dbt:

        def act(step: Step) -> Result:
            name = run.name_connections(step.name)
            with closing(Database(warehouse.settings, role=step.role, application_name=name)) as database:
                own = replace(warehouse, database=database)
                return step.action(Work(own, dbt, run, request.retrain, builds="build" not in skipped))

        Runner(
            STEPS,
            skipped,
            act=act,
            end=Ender(warehouse.database, run).end,
            journal=journal,
            timeout_seconds=warehouse.settings.step_timeout_seconds,
        ).run()
