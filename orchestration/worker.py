"""The worker: does jobs as they come, until it is told to stop; outlives the database going away."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from orchestration.context import Warehouse, acting_as
from orchestration.heartbeat import BEAT_SECONDS, Heartbeat
from orchestration.jobs import job_app
from orchestration.monitoring.system import sample_system
from orchestration.stopping import STOP_SIGNALS
from warehouse.errors import KyaloError, Transient
from warehouse.grants import LOADER
from warehouse.jobs import CHORES, CHORES_AT_A_TIME, LANDINGS, SCHEDULED, SILENT_SECONDS, sweep
from warehouse.logs import get_logger

logger = get_logger(__name__)
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
STOP_SECONDS = 8.0  # a container is killed after ten
LOST = (Transient, ConnectorException, psycopg.OperationalError)
QUEUES = 3
CONNECTIONS_BESIDE_JOBS = 3 * QUEUES  # to listen, to look for jobs, to say that it lives
THREADS_BESIDE_JOBS = 3


def work(warehouse: Warehouse) -> None:
    """Do jobs until SIGTERM or SIGINT.

    A landing under way is then finished; one that takes longer than a few seconds is rolled back and given back to the
    queue, and so is a job of the schedule. While the database is away the pause between looks for it doubles, up to a
    minute.
    """
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # the jobs say in our words what became of them
    with acting_as(warehouse, LOADER) as loader:
        asyncio.run(_work(warehouse, loader))


async def _work(warehouse: Warehouse, loader: Warehouse) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threads = warehouse.settings.worker_concurrency + CHORES_AT_A_TIME + THREADS_BESIDE_JOBS
    loop.set_default_executor(ThreadPoolExecutor(threads))
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    heartbeat = Heartbeat(loader.database, "worker")
    beside = [
        asyncio.create_task(_repeat(BEAT_SECONDS, heartbeat.beat)),
        asyncio.create_task(_repeat(warehouse.settings.health_check_interval, partial(sample_system, warehouse))),
    ]
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            await _serve(warehouse, loader, stop, heartbeat)
            pause = FIRST_PAUSE_SECONDS
        except LOST as error:
            _log_lost(error)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        if not stop.is_set():
            logger.warning("the worker begins again", in_seconds=pause)
            await _wait(stop, pause)
    for task in beside:
        task.cancel()
    await asyncio.to_thread(heartbeat.end)


async def _repeat(seconds: float, act: Callable[[], object]) -> None:
    """Do something again and again; nobody hears of it where this process hangs."""
    while True:
        try:
            await asyncio.to_thread(act)
        except KyaloError as error:
            logger.warning("not done", code=error.error_code, problem=str(error))
        except Exception:
            logger.exception("not done")
        await asyncio.sleep(seconds)


async def _serve(warehouse: Warehouse, loader: Warehouse, stop: asyncio.Event, heartbeat: Heartbeat) -> None:
    """Do jobs on one set of connections, until told to stop or they break.

    Raises:
        DatabaseUnavailableError: there is no connection to be had; psycopg's and procrastinate's errors say the same.
    """
    await asyncio.to_thread(sweep, loader.database)
    connector = await asyncio.to_thread(_connector, warehouse)
    ending = asyncio.Event()
    app = job_app(warehouse, loader, connector, ending)
    async with app.open_async():
        interval = warehouse.settings.worker_interval_seconds
        workers = {
            asyncio.create_task(_do_jobs(app, LANDINGS, warehouse.settings.worker_concurrency, interval)),
            asyncio.create_task(_do_jobs(app, CHORES, CHORES_AT_A_TIME, interval)),
            asyncio.create_task(_do_jobs(app, SCHEDULED, 1, interval)),
        }
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({*workers, told}, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        ended = asyncio.create_task(_end(workers))
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            await _stop(ended, heartbeat)
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
    """Wait for the jobs under way, of all queues: they share their connections."""
    for worker in workers:
        worker.cancel()  # it takes this as a request to finish
    for error in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(error, LOST):
            _log_lost(error)
        elif isinstance(error, Exception):
            raise error


async def _stop(ended: "asyncio.Task[None]", heartbeat: Heartbeat) -> None:
    """Wait a little for jobs under way; then end the process, so that PostgreSQL rolls them back."""
    finished, _ = await asyncio.wait({ended}, timeout=STOP_SECONDS)
    if not finished:
        logger.warning("a job takes too long: it is rolled back and left to the next worker", seconds=STOP_SECONDS)
        heartbeat.end()
        logging.shutdown()
        os._exit(0)  # a thread cannot be ended in any other way


def _log_lost(error: Exception) -> None:
    logger.warning("PostgreSQL does not answer", problem=str(error).strip() or type(error).__name__)


def _connector(warehouse: Warehouse) -> PsycopgConnector:
    return PsycopgConnector(
        kwargs={
            **warehouse.database.address(),
            "application_name": "kyalo worker",
            "options": f"-c search_path=jobs -c role={LOADER}",
        },
        min_size=1,
        max_size=warehouse.settings.worker_concurrency + CHORES_AT_A_TIME + 1 + CONNECTIONS_BESIDE_JOBS,
        timeout=5,
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
