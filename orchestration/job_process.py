"""A job of the schedule as its worker sees it: a process that it starts, waits for, and ends when it ends itself."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

from orchestration.context import Warehouse
from warehouse.database import fetch_row, queries
from warehouse.errors import Terminal, Transient
from warehouse.logs import get_logger

DIED = "job.worker_died"
STOP_SECONDS = 5.0  # a worker has eight
logger = get_logger(__name__)


async def run_job(warehouse: Warehouse, job: str, number: int, ending: asyncio.Event) -> None:
    """Do a job of the schedule in a process of its own.

    Args:
        warehouse: where it is recorded what became of the job.
        job: the job.
        number: its number in the queue.
        ending: set when the worker is about to end; the job is then ended, too.

    Raises:
        Transient: it was ended, or failed in a way that may pass.
        Terminal: it failed for good.
    """
    logger.info("job begins", job=job, job_number=number)
    command = [sys.executable, "-m", "orchestration.scheduled_jobs", job, str(number)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE)
    try:
        await _until_end(process, ending)
    finally:
        await _end(process)
    if process.returncode == 0:
        return
    status, problem = await asyncio.to_thread(_settle, warehouse, number, f"Its process ended by {process.returncode}.")
    if status == "failed":
        raise Terminal(f"{job} failed: {problem}", code="job.failed")
    raise Transient(f"{job} is to be tried again: {problem}", code="job.interrupted")


async def _until_end(process: Process, ending: asyncio.Event) -> None:
    ended, told = asyncio.ensure_future(process.wait()), asyncio.ensure_future(ending.wait())
    await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    ended.cancel()


async def _end(process: Process) -> None:
    """Ask a process to end, and kill it when it does not."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _settle(warehouse: Warehouse, number: int, how: str) -> tuple[str, str]:
    """What the process recorded of its end; where it could not, that it is to be tried again."""
    values = {"job_number": number, "error_code": DIED, "error_message": how}
    with warehouse.database.transaction() as connection:
        row = fetch_row(connection, queries("schedule")["settle_start"], values)
    return (row["status"], row["error_message"] or how) if row else ("waiting", how)


def give_up_start(warehouse: Warehouse, number: int) -> None:
    """Record that a job is not tried again."""
    with warehouse.database.transaction() as connection:
        connection.execute(queries("schedule")["give_up_start"], {"job_number": number})
