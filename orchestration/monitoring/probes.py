"""Looks at what the API stands on, again and again in threads of their own, so that nobody who asks has to wait."""

import threading
import time
from collections.abc import Callable
from typing import Literal

import psycopg

from warehouse.errors import KyaloError
from warehouse.logs import get_logger

State = Literal["healthy", "degraded", "unhealthy", "unknown"]
logger = get_logger(__name__)


class Probe:
    """Looks at one thing, pauses, and looks again until it is closed.

    Args:
        name: what it looks at.
        look: says how that is; an error of ours or of PostgreSQL means unhealthy.
        pause_seconds: from the end of a look to the next.
        patience_seconds: how long a look may take until what it looks at counts as unhealthy.
    """

    def __init__(self, name: str, look: Callable[[], State], *, pause_seconds: float, patience_seconds: float) -> None:
        self.name = name
        self._look = look
        self._pause_seconds = pause_seconds
        self._patience_seconds = patience_seconds
        self._found: State = "unknown"
        self._looking_since: float | None = None
        self._has_looked = threading.Event()
        self._stop = threading.Event()
        threading.Thread(target=self._keep_looking, name=f"kyalo-probe-{name}", daemon=True).start()

    @property
    def state(self) -> State:
        """How it is; unknown before the first look has ended."""
        since = self._looking_since
        if since is not None and time.monotonic() - since > self._patience_seconds:
            return "unhealthy"
        return self._found

    def wait(self, seconds: float) -> None:
        """Wait for the end of the first look, so many seconds at most."""
        self._has_looked.wait(seconds)

    def close(self) -> None:
        """Look no more."""
        self._stop.set()

    def _keep_looking(self) -> None:
        while not self._stop.is_set():
            self._looking_since = time.monotonic()
            found = self._look_safely()
            if found == "healthy" != self._found and self._has_looked.is_set():
                logger.info("a part is well again", part=self.name)
            self._found = found
            self._looking_since = None
            self._has_looked.set()
            self._stop.wait(self._pause_seconds)

    def _look_safely(self) -> State:
        try:
            return self._look()
        except (KyaloError, psycopg.Error) as error:
            if self._found != "unhealthy":
                logger.warning("a part is not well", part=self.name, problem=str(error))
        except Exception:
            logger.exception("a part could not be looked at", part=self.name)
        return "unhealthy"
