"""What a worker does: it lands files as they come, and keeps house each minute."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from orchestration.context import Warehouse
from orchestration.copies import copy_missing_originals
from warehouse.contract import list_forms
from warehouse.errors import BusyError, KyaloError, Transient
from warehouse.jobs import LAND_FILE, give_up, sweep

logger = logging.getLogger(__name__)
EACH_MINUTE = "* * * * *"
EACH_TEN_SECONDS = "* * * * * */10"
LONGEST_WAIT = 600  # seconds before the next try of a landing
LONGEST_CHORE_WAIT = 60
LANDINGS, CHORE_QUEUE = "default", "chores"  # queues of their own: landings may take hours, chores are due


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


def job_app(warehouse: Warehouse, connector: PsycopgConnector) -> App:
    """The tasks of a warehouse, bound to a connection to its queue."""
    app = App(connector=connector)
    backoff = Backoff(warehouse.settings.worker_retries, LONGEST_WAIT)

    @app.task(name=LAND_FILE, queue=LANDINGS, retry=backoff, pass_context=True)
    def land_file(context: JobContext, ingestion_id: str) -> None:
        try:
            _land(warehouse, ingestion_id)
        except Exception as error:
            if backoff.get_retry_decision(exception=error, job=context.job) is None:
                give_up(warehouse.database, ingestion_id, error)
            _log(ingestion_id, error)
            raise

    for name, (cron, chore) in CHORES.items():
        _add_chore(app, warehouse, name, cron, chore)
    return app


def _land(warehouse: Warehouse, ingestion_id: str) -> None:
    started = time.perf_counter()
    if land_next(warehouse.database, warehouse.store, ingestion_id):
        logger.info("landed %s (%.1f s)", ingestion_id, time.perf_counter() - started)


def _add_chore(app: App, warehouse: Warehouse, name: str, cron: str, chore: Callable[[Warehouse], object]) -> None:
    backoff = Backoff(warehouse.settings.worker_retries, LONGEST_CHORE_WAIT)

    @app.periodic(cron=cron)
    @app.task(name=name, retry=backoff, queue=CHORE_QUEUE, queueing_lock=name)
    def run(timestamp: int) -> None:  # noqa: ARG001 - procrastinate says when it was due
        try:
            with warehouse.database.lock(f"kyalo.{name}"):
                chore(warehouse)
        except BusyError:
            logger.debug("%s: another worker is at it", name)
        except Exception as error:
            _log(name, error)
            raise


def _log(what: str, error: Exception) -> None:
    logger.warning("%s: %s", what, error, exc_info=not isinstance(error, KyaloError))


def _bundle_bodies(warehouse: Warehouse) -> None:
    for form in list_forms():
        while bundle_bodies(warehouse.database, warehouse.store, form):
            pass


def _copy_missing_originals(warehouse: Warehouse) -> None:
    while copy_missing_originals(warehouse.database, warehouse.store):
        pass


CHORES: dict[str, tuple[str, Callable[[Warehouse], object]]] = {
    "sweep": (EACH_TEN_SECONDS, lambda warehouse: sweep(warehouse.database)),
    "collect_inbox": (EACH_MINUTE, lambda warehouse: collect_inbox(warehouse.database, warehouse.store)),
    "bundle_bodies": (EACH_MINUTE, _bundle_bodies),
    "move_attachments": (EACH_MINUTE, lambda warehouse: move_attachments(warehouse.database, warehouse.store)),
    "copy_missing_originals": (EACH_MINUTE, _copy_missing_originals),
}
