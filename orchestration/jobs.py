"""What a worker does: it lands files as they come, does what is scheduled, and keeps house each minute."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from orchestration.alerts import check_alerts
from orchestration.context import Warehouse
from orchestration.copies import copy_missing_originals
from orchestration.erasure import erase_sent_again
from orchestration.job_process import give_up_start, run_job
from orchestration.keys.rotation import continue_rotation
from orchestration.schedule import JOBS
from warehouse.contract import list_forms
from warehouse.errors import BusyError, KyaloError, Transient
from warehouse.grants import LOADER
from warehouse.jobs import CHORES, LAND_FILE, LANDINGS, SCHEDULED, give_up, sweep
from warehouse.logs import get_logger

logger = get_logger(__name__)
EACH_MINUTE = "* * * * *"
EACH_TEN_SECONDS = "* * * * * */10"
LONGEST_WAIT = 600  # seconds before the next try of a landing
LONGEST_CHORE_WAIT = 60


@dataclass(frozen=True)
class Backoff(BaseRetryStrategy):
    """Try again after 2, 4, 8 ... seconds, when the error is transient.

    Attributes:
        retries: how often.
        longest_wait: the seconds that the wait does not grow beyond.
    """

    retries: int
    longest_wait: int

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, None where that is of no use or was done often enough."""
        if not isinstance(exception, Transient) or job.attempts >= self.retries:
            return None
        return RetryDecision(retry_in={"seconds": int(min(2 ** (job.attempts + 1), self.longest_wait))})


def job_app(warehouse: Warehouse, loader: Warehouse, connector: PsycopgConnector, ending: asyncio.Event) -> App:
    """The tasks of a warehouse, bound to a connection to its queue.

    Args:
        warehouse: what they work on.
        loader: the same as the role that lands.
        connector: the connection.
        ending: set when the worker is about to end: what runs in processes of its own is ended with it.
    """
    app = App(connector=connector)
    backoff = Backoff(warehouse.settings.worker_retries, LONGEST_WAIT)

    @app.task(name=LAND_FILE, queue=LANDINGS, retry=backoff, pass_context=True)
    def land_file(context: JobContext, ingestion_id: str) -> None:
        try:
            _land(loader, ingestion_id)
        except Exception as error:
            if backoff.get_retry_decision(exception=error, job=context.job) is None:
                give_up(loader.database, ingestion_id, error)
            _log(LAND_FILE, error, ingestion_id=ingestion_id)
            raise

    for job in JOBS:
        _add_scheduled(app, warehouse, job, ending)
    for name, (cron, role, chore) in KEEPING_HOUSE.items():
        _add_chore(app, loader if role == LOADER else warehouse, name, cron, chore)
    return app


def _land(warehouse: Warehouse, ingestion_id: str) -> None:
    started = time.perf_counter()
    if land_next(warehouse.database, warehouse.store, ingestion_id):
        logger.info("landed", ingestion_id=ingestion_id, seconds=round(time.perf_counter() - started, 1))


def _add_scheduled(app: App, warehouse: Warehouse, name: str, ending: asyncio.Event) -> None:
    backoff = Backoff(warehouse.settings.worker_retries, LONGEST_WAIT)

    @app.task(name=name, queue=SCHEDULED, retry=backoff, pass_context=True)
    async def run(context: JobContext) -> None:
        number = context.job.id
        assert number is not None  # noqa: S101 - it comes from the queue
        try:
            await run_job(warehouse, name, number, ending)
        except Exception as error:
            _log(name, error)
            if backoff.get_retry_decision(exception=error, job=context.job) is None:
                await asyncio.to_thread(give_up_start, warehouse, number)
            raise


def _add_chore(app: App, warehouse: Warehouse, name: str, cron: str, chore: Callable[[Warehouse], object]) -> None:
    backoff = Backoff(warehouse.settings.worker_retries, LONGEST_CHORE_WAIT)

    @app.periodic(cron=cron)
    @app.task(name=name, retry=backoff, queue=CHORES, queueing_lock=name)
    def run(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        try:
            with warehouse.database.lock(f"kyalo.{name}"):
                chore(warehouse)
        except BusyError:
            logger.debug("another worker is at it", job=name)
        except Exception as error:
            _log(name, error)
            raise


def _log(job: str, error: Exception, **about: str) -> None:
    code = error.error_code if isinstance(error, KyaloError) else "internal.error"
    logger.warning(
        "job failed", job=job, code=code, problem=str(error), exc_info=not isinstance(error, KyaloError), **about
    )


def _bundle_bodies(warehouse: Warehouse) -> None:
    for form in list_forms():
        while bundle_bodies(warehouse.database, warehouse.store, form):
            pass


def _copy_missing_originals(warehouse: Warehouse) -> None:
    while copy_missing_originals(warehouse.database, warehouse.store):
        pass


KEEPING_HOUSE: dict[str, tuple[str, str | None, Callable[[Warehouse], object]]] = {
    "sweep": (EACH_TEN_SECONDS, LOADER, lambda warehouse: sweep(warehouse.database)),
    "collect_inbox": (EACH_MINUTE, LOADER, lambda warehouse: collect_inbox(warehouse.database, warehouse.store)),
    "bundle_bodies": (EACH_MINUTE, LOADER, _bundle_bodies),
    "move_attachments": (EACH_MINUTE, LOADER, lambda warehouse: move_attachments(warehouse.database, warehouse.store)),
    "copy_missing_originals": (EACH_MINUTE, LOADER, _copy_missing_originals),
    "erase_sent_again": (EACH_MINUTE, None, erase_sent_again),
    "check_alerts": (EACH_MINUTE, None, check_alerts),
    "continue_key_rotation": (EACH_MINUTE, None, continue_rotation),
}
