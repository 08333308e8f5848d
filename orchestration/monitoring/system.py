"""How busy the machine is."""

import socket
import threading
from dataclasses import dataclass

import psutil

from orchestration.context import Warehouse
from orchestration.monitoring.health import STATEMENTS

FIRST_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class SystemSample:
    """One look at a machine.

    Attributes:
        cpu_share: share of the processors that was busy since the look before; of half a second at the first one.
        memory_share: share of the memory that is taken.
        disk_share: share of the disk under KYALO_HOME that is taken.
    """

    host: str
    cpu_share: float
    memory_share: float
    disk_share: float
    memory_bytes: int
    disk_free_bytes: int


class _Processors:
    """Counts how busy the processors are between two looks, whichever threads take them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._busy, self._whole = 0.0, 0.0

    def busy_share(self) -> float:
        """The share since the look before."""
        with self._guard:
            if not self._whole:
                self._look()
                threading.Event().wait(FIRST_LOOK_SECONDS)
            busy, whole = self._look()
            return min(max(busy / whole, 0.0), 1.0) if whole > 0 else 0.0

    def _look(self) -> tuple[float, float]:
        """Seconds that the processors were busy, and all seconds, since the look before."""
        times = psutil.cpu_times()
        waiting = times.idle + getattr(times, "iowait", 0.0)
        # The time of guests is counted as the host's own already.
        whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        before = self._busy, self._whole
        self._busy, self._whole = whole - waiting, whole
        return self._busy - before[0], self._whole - before[1]


_processors = _Processors()


def sample_system(warehouse: Warehouse) -> SystemSample:
    """Look at the machine, and keep what was seen in `ops.system_metrics`."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(warehouse.settings.home))
    sample = SystemSample(
        host=socket.gethostname(),
        cpu_share=_processors.busy_share(),
        memory_share=memory.percent / 100,
        disk_share=disk.percent / 100,
        memory_bytes=memory.total - memory.available,
        disk_free_bytes=disk.free,
    )
    with warehouse.database.transaction() as connection:
        connection.execute(STATEMENTS["insert_sample"], vars(sample))
    return sample
