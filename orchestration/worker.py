"""The worker: does jobs as they come, until it is told to stop; outlives the database going away."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from orchestration.context import Warehouse
from orchestration.jobs import CHORE_QUEUE, LANDINGS, job_app
from warehouse.errors import Transient
from warehouse.jobs import CHORES_AT_A_TIME, SILENT_SECONDS, sweep

logger = logging.getLogger(__name__)
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
STOP_SECONDS = 8.0  # a container is killed after ten
LOST = (Transient, ConnectorException, psycopg.OperationalError)
CONNECTIONS_BESIDE_JOBS = 6  # for each of the two queues: to listen, to look for jobs, to say that it lives


def work(warehouse: Warehouse) -> None:
    """Do jobs until SIGTERM or SIGINT.

    A job under way is then finished; one that takes longer than a few seconds is rolled back and given back to the
    queue. While the database is away the pause between looks for it doubles, up to a minute.
    """
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # the jobs say in our words what became of them
    asyncio.run(_work(warehouse))


async def _work(warehouse: Warehouse) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(warehouse.settings.worker_concurrency + CHORES_AT_A_TIME + 1))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            await _serve(warehouse, stop)
            pause = FIRST_PAUSE_SECONDS
        except LOST as error:
            _log_lost(error)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        if not stop.is_set():
            logger.warning("the worker begins again in %.1f s", pause)
            await _wait(stop, pause)


async def _serve(warehouse: Warehouse, stop: asyncio.Event) -> None:
    """Do jobs on one set of connections, until told to stop or they break.

    Raises:
        DatabaseUnavailableError: there is no connection to be had; psycopg's and procrastinate's errors say the same.
    """
    await asyncio.to_thread(sweep, warehouse.database)
    connector = await asyncio.to_thread(_connector, warehouse)
    app = job_app(warehouse, connector)
    async with app.open_async():
        interval = warehouse.settings.worker_interval_seconds
        workers = {
            asyncio.create_task(_do_jobs(app, LANDINGS, warehouse.settings.worker_concurrency, interval)),
            asyncio.create_task(_do_jobs(app, CHORE_QUEUE, CHORES_AT_A_TIME, interval)),
        }
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({*workers, told}, return_when=asyncio.FIRST_COMPLETED)
        ended = asyncio.create_task(_end(workers))
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            await _stop(ended)
            return
        told.cancel()
        await ended


async def _do_jobs(app: App, queue: str, concurrency: int, interval: float) -> None:
    """Do the jobs of a queue until cancelled; those under way are then finished."""
    await app.run_worker_async(
        queues=[queue],
        concurrency=concurrency,
        fetch_job_polling_interval=interval,
        delete_jobs="successful",
        install_signal_handlers=False,
        update_heartbeat_interval=SILENT_SECONDS / 10,
        stalled_worker_timeout=SILENT_SECONDS,
    )


async def _end(workers: "Iterable[asyncio.Task[None]]") -> None:
    """Wait for the jobs under way, of both queues: they share their connections."""
    for worker in workers:
        worker.cancel()  # it takes this as a request to finish
    for error in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(error, LOST):
            _log_lost(error)
        elif isinstance(error, Exception):
            raise error


async def _stop(ended: "asyncio.Task[None]") -> None:
    """Wait a little for jobs under way; then end the process, so that PostgreSQL rolls them back."""
    finished, _ = await asyncio.wait({ended}, timeout=STOP_SECONDS)
    if not finished:
        logger.warning("a job takes longer than %.0f s: it is rolled back and left to the next worker", STOP_SECONDS)
        logging.shutdown()
        os._exit(0)  # a thread cannot be ended in any other way


def _log_lost(error: Exception) -> None:
    logger.warning("PostgreSQL does not answer: %s", str(error).strip() or type(error).__name__)


def _connector(warehouse: Warehouse) -> PsycopgConnector:
    return PsycopgConnector(
        kwargs={**warehouse.database.address(), "application_name": "kyalo worker", "options": "-c search_path=jobs"},
        min_size=1,
        max_size=warehouse.settings.worker_concurrency + CHORES_AT_A_TIME + CONNECTIONS_BESIDE_JOBS,
        timeout=5,
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return stop
