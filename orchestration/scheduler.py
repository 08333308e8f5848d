"""The scheduler: gives jobs to the workers when they are due, and does none of them itself."""

from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from orchestration.context import Warehouse, open_warehouse
from orchestration.heartbeat import BEAT_SECONDS, Heartbeat
from orchestration.schedule import Start, cron_lines, start_all_due, start_due, take_over
from orchestration.stopping import stop_on_signal
from warehouse.database import Database
from warehouse.errors import KyaloError
from warehouse.logs import get_logger

logger = get_logger(__name__)
IN_MEMORY = "memory"


def keep_schedule(warehouse: Warehouse) -> None:
    """Give each job to the workers at its hours until SIGTERM or SIGINT.

    What was missed while no scheduler was there is caught up once, at the start. APScheduler wakes at the hours of
    its store in PostgreSQL; every ten seconds the schedule is looked at as well, so that nothing is lost where the
    database was away at the hour, and a scheduler that hangs falls silent.
    """
    stop = stop_on_signal()
    database = warehouse.database
    _tell(take_over(database, warehouse.settings, datetime.now(UTC)))
    heartbeat = Heartbeat(database, "scheduler")
    heartbeat.beat()
    scheduler = _scheduler(database)
    for job, line in cron_lines(warehouse.settings).items():
        scheduler.add_job(wake, line, args=[job], id=job, replace_existing=True)
        logger.info("planned", job=job, next_due_at=str(line.next_after(datetime.now(UTC))))
    scheduler.add_job(_look, "interval", seconds=BEAT_SECONDS, args=[database, heartbeat], jobstore=IN_MEMORY)
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)
    heartbeat.end()


def wake(job: str) -> None:
    """Start a job that is due; APScheduler calls this by its name, in whichever process has its store."""
    with open_warehouse() as warehouse:
        start = start_due(warehouse.database, job, datetime.now(UTC))
    _tell([start] if start else [])


def _scheduler(database: Database) -> BackgroundScheduler:
    store = SQLAlchemyJobStore(engine=database.engine(), tablename="scheduler_alarms", tableschema="ops")
    return BackgroundScheduler(
        jobstores={"default": store, IN_MEMORY: MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )


def _look(database: Database, heartbeat: Heartbeat) -> None:
    """Start what is due and say that the scheduler lives."""
    try:
        _tell(start_all_due(database, datetime.now(UTC)))
    except KyaloError as error:
        logger.warning("the schedule cannot be looked at", code=error.error_code, problem=str(error))
    heartbeat.beat()


def _tell(starts: list[Start]) -> None:
    for start in starts:
        logger.info(
            "caught up" if start.is_caught_up else "started",
            job=start.job,
            due_at=str(start.due_at),
            job_number=start.job_number,
        )
