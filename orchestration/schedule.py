"""The schedule: runs the pipeline when its hour comes."""

import logging

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from orchestration.context import Warehouse
from orchestration.pipeline import run_pipeline
from orchestration.worker import stop_on_signal
from warehouse.errors import ConfigurationError, KyaloError
from warehouse.settings import Settings

logger = logging.getLogger(__name__)
MISFIRE_SECONDS = 3600


def pipeline_trigger(settings: Settings) -> CronTrigger:
    """When the pipeline runs.

    Raises:
        ConfigurationError: PIPELINE_SCHEDULE is no cron line, or TIMEZONE no time zone.
    """
    try:
        return CronTrigger.from_crontab(settings.pipeline_schedule, timezone=settings.timezone)
    except (ValueError, KeyError) as error:
        message = f"PIPELINE_SCHEDULE={settings.pipeline_schedule!r} TIMEZONE={settings.timezone!r}: {error}."
        remedy = "Use five cron fields, such as `0 2 * * *`, and a name such as Africa/Kampala."
        raise ConfigurationError(message, code="schedule.invalid", remedy=remedy) from error


def keep_schedule(warehouse: Warehouse) -> None:
    """Run the pipeline at its hours until SIGTERM or SIGINT; a run under way is finished first."""
    stop = stop_on_signal()
    scheduler = BackgroundScheduler()
    scheduler.add_job(
        _run,
        pipeline_trigger(warehouse.settings),
        args=[warehouse],
        id="pipeline",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=MISFIRE_SECONDS,
    )
    scheduler.start()
    (job,) = scheduler.get_jobs()
    logger.info("pipeline: next run at %s", job.next_run_time)
    stop.wait()
    scheduler.shutdown(wait=True)


def _run(warehouse: Warehouse) -> None:
    try:
        run = run_pipeline(warehouse)
        logger.info("run %s: %d tables changed", run.run_id, len(run.changed_tables))
    except KyaloError as error:
        logger.error("%s: %s", error.error_code, error)  # noqa: TRY400 - the message says all that a reader needs
