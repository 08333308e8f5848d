"""How processes end: when they are asked to, and when the process that started them is gone."""

import os
import signal
import sys
import threading
import time
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LAST_SECONDS = 8.0  # for a process without a parent to end by itself


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in STOP_SIGNALS:
        signal.signal(number, note)
    return stop


def exit_on_signal(code: int) -> None:
    """Let SIGTERM and SIGINT end the main thread wherever it is, by `SystemExit`, so that it leaves nothing open."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        sys.exit(code)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)


def end_with_parent() -> None:
    """End this process as SIGTERM does when the process that started it is gone.

    Its standard input is a pipe that only the parent writes to: it ends when the parent does, however that was.
    """
    threading.Thread(target=_wait_for_end_of_input, name="parent", daemon=True).start()


def _wait_for_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os._exit(1)
