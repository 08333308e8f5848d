"""What the jobs of the schedule do; the process that a worker does one in.

A process of its own can be ended at any time, and takes the memory of dbt and of the models with it.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

from orchestration.context import Warehouse, open_warehouse, read_settings
from orchestration.schedule import BY_SCHEDULE
from orchestration.stopping import end_with_parent, exit_on_signal
from warehouse.database import fetch_row, queries
from warehouse.errors import KyaloError, NotFoundError, Transient
from warehouse.logs import configure_logging, get_logger

DONE, FAILED, TRY_AGAIN = 0, 1, 75  # EX_TEMPFAIL of sysexits(3)
Action = Callable[[Warehouse, int], str]
logger = get_logger("orchestration.scheduled_jobs")


def do_job(warehouse: Warehouse, job: str, number: int) -> int:
    """Do a job of the schedule, and record how it ended; the exit code that tells it.

    Args:
        warehouse: what to work on.
        job: the job.
        number: its number in the queue, by which its starts are known.
    """
    record_start(warehouse, "begin_start", number)
    try:
        did = ACTIONS[job](warehouse, number)
    except KyaloError as error:
        return _fail(warehouse, job, number, error.error_code, str(error), may_pass=isinstance(error, Transient))
    except SystemExit:
        return _fail(warehouse, job, number, "job.interrupted", "It was ended before it was done.", may_pass=True)
    except Exception as error:
        logger.exception("the job failed", job=job)
        return _fail(warehouse, job, number, "internal.error", str(error) or type(error).__name__, may_pass=False)
    record_start(warehouse, "finish_start", number, status="succeeded", did=did)
    logger.info("done", job=job, did=did)
    return DONE


def record_start(warehouse: Warehouse, statement: str, number: int, **values: object) -> None:
    """Enter what became of the starts that a job serves."""
    nothing = {"did": "", "error_code": None, "error_message": None}
    with warehouse.database.transaction() as connection:
        connection.execute(queries("schedule")[statement], nothing | values | {"job_number": number})


def _fail(warehouse: Warehouse, job: str, number: int, code: str, message: str, *, may_pass: bool) -> int:
    status = "waiting" if may_pass else "failed"
    if may_pass:
        logger.info("to be tried again", job=job, code=code, problem=message)
    else:
        logger.error("not done", job=job, code=code, problem=message)
    record_start(warehouse, "finish_start", number, status=status, error_code=code, error_message=message)
    return TRY_AGAIN if may_pass else FAILED


def _run_pipeline(warehouse: Warehouse, number: int) -> str:
    """Run the pipeline; goes on with what an earlier try of this job began, unless another run did so meanwhile."""
    from orchestration.pipeline import NOTHING_TO_RESUME, Request, run_pipeline

    request = Request(wait=True, by=BY_SCHEDULE)
    with warehouse.database.transaction() as connection:
        begun = fetch_row(connection, queries("schedule")["run_to_resume"], {"job_number": number})
    try:
        run = run_pipeline(warehouse, replace(request, resume=begun is not None))
    except NotFoundError as error:
        if error.error_code != NOTHING_TO_RESUME:
            raise
        run = run_pipeline(warehouse, request)
    return f"run {run.run_id}: {len(run.changed_tables)} published tables changed"


def _check_quality(warehouse: Warehouse, _number: int) -> str:
    from orchestration.audit import check_log
    from orchestration.monitoring import check_quality

    said = str(check_quality(warehouse))
    return f"{said}; {check_log(warehouse)}"


def _check_performance(warehouse: Warehouse, _number: int) -> str:
    from orchestration.monitoring import check_performance_now

    return str(check_performance_now(warehouse))


def _archive(warehouse: Warehouse, _number: int) -> str:
    from orchestration.lifecycle import archive

    return str(archive(warehouse, dry_run=False, requested_by=BY_SCHEDULE))


ACTIONS: dict[str, Action] = {
    "pipeline": _run_pipeline,
    "quality_check": _check_quality,
    "performance_check": _check_performance,
    "archive": _archive,
}


def main(job: str, number: int) -> int:
    """Do a job in this process, which ends with the worker that started it."""
    exit_on_signal(TRY_AGAIN)
    end_with_parent()
    configure_logging(read_settings(), "worker")
    with open_warehouse() as warehouse:
        return do_job(warehouse, job, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
