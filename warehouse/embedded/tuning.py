"""PostgreSQL settings that suit the machine. Durability is never traded: fsync stays on."""

import os
import shutil
from pathlib import Path

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container around us, may use."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):
        return physical


def server_settings(data_folder: Path, *, port: int, socket_folder: Path) -> dict[str, str]:
    """The settings of the embedded server, name to value.

    An eighth of the memory is shared buffers, because dbt, the API and the models live on the same machine.
    WAL may grow to a tenth of the free disk, at most 4 GiB, so that bulk loads are not checkpoint bound. Nothing
    replicates this server, so what a transaction writes into a table that it made itself goes to the table alone. The
    first reading of such a table writes all its pages into the WAL, which takes seven times as long with pglz; so WAL
    is not compressed.
    Compiling expressions costs more than it saves on this machine's queries, which have hundreds each.
    """
    memory = machine_memory()
    wal = _clamp(shutil.disk_usage(data_folder).free // 10, 256 * MEBIBYTE, 4 * GIBIBYTE)
    processors = os.cpu_count() or 1
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "shared_buffers": _megabytes(_clamp(memory // 8, 64 * MEBIBYTE, 2 * GIBIBYTE)),
        "effective_cache_size": _megabytes(memory // 2),
        "work_mem": _megabytes(_clamp(memory // 384, 8 * MEBIBYTE, 64 * MEBIBYTE)),
        "maintenance_work_mem": _megabytes(_clamp(memory // 32, 64 * MEBIBYTE, 512 * MEBIBYTE)),
        "max_wal_size": _megabytes(wal),
        "min_wal_size": _megabytes(min(wal, 256 * MEBIBYTE)),
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "jit": "off",
        "checkpoint_timeout": "15min",
        "max_parallel_workers": str(processors),
        "max_parallel_workers_per_gather": str(max(1, processors // 2)),
        "random_page_cost": "1.1",
        "client_connection_check_interval": "1s",
        "timezone": "UTC",
        "datestyle": "ISO, YMD",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %a ",
    }
    if SHARED_MEMORY.exists() and shutil.disk_usage(SHARED_MEMORY).total < 256 * MEBIBYTE:
        settings["dynamic_shared_memory_type"] = "mmap"  # containers often get 64 MiB there
    return settings


def _clamp(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def _megabytes(size: int) -> str:
    return f"{size // MEBIBYTE}MB"
