"""The worker: lands pending files as they come, until it is told to stop."""

import logging
import signal
import threading
import time
from types import FrameType

from orchestration.context import Warehouse
from orchestration.pipeline import land_all
from warehouse.errors import Transient

logger = logging.getLogger(__name__)
LONGEST_PAUSE_SECONDS = 60.0


def work(warehouse: Warehouse) -> None:
    """Look for pending files every `WORKER_INTERVAL_SECONDS`; end cleanly on SIGTERM or SIGINT.

    Where the database or the store is away the pause doubles, up to a minute.
    """
    stop = stop_on_signal()
    pause = warehouse.settings.worker_interval_seconds
    while not stop.is_set():
        started = time.perf_counter()
        try:
            landed = land_all(warehouse)
            pause = warehouse.settings.worker_interval_seconds
        except Transient as error:
            landed = []
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            logger.warning("%s: %s Trying again in %.0f s.", error.error_code, error, pause)
        for ingestion_id in landed:
            logger.info("landed %s (%.1f s)", ingestion_id, time.perf_counter() - started)
        stop.wait(pause)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return stop
