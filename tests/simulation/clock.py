"""A warehouse whose days pass as fast as it can work: what a run writes is set back to the simulated time."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.alerts import check_alerts
from orchestration.alerts.book import Alert, list_alerts
from orchestration.context import Warehouse
from orchestration.loading import load_file
from orchestration.pipeline import run_pipeline
from tests.simulation.surveys import Survey, write_file
from warehouse.errors import GateClosedError, UnreadableFileError

# Where a run tells its time, and what the rules read of it.
TIMES = {
    "ml.drift_checks": ("checked_at",),
    "ml.model_events": ("happened_at",),
    "ml.models": ("trained_at",),
    "ml.performance_checks": ("checked_at",),
    "ops.pipeline_runs": ("started_at", "finished_at"),
    "ops.pipeline_steps": ("started_at", "finished_at"),
    "raw.household_survey": ("received_at",),
    "raw.ingestions": ("received_at", "loaded_at"),
}
MACHINE = """
insert into ops.system_metrics (host, measured_at, cpu_share, memory_share, disk_share, memory_bytes, disk_free_bytes)
select 'server', %(now)s - minutes * interval '1 minute', 0.3, 0.6, 0.5, 1, 1e11
from generate_series(0, 55, 5) as listed (minutes)
"""
PROCESSES = """
insert into ops.heartbeats (process, instance, host, process_id, started_at, beat_at)
select process, process, 'server', 1, %(now)s - interval '1 day', %(now)s - interval '5 seconds'
from unnest(array['api', 'worker', 'scheduler']) as listed (process)
"""


class Days:
    """Days that pass, one after the other, up to today.

    Args:
        warehouse: an empty one.
        folder: where files are written.
        days: how many days are to pass.
    """

    def __init__(self, warehouse: Warehouse, folder: Path, days: int) -> None:
        self.warehouse, self._folder = warehouse, folder
        self.now = datetime.now(UTC).replace(hour=6, minute=0, second=0) - timedelta(days=days + 1)
        warehouse.settings.store_folder.mkdir(parents=True, exist_ok=True)

    def pass_day(self, *batches: Sequence[Survey]) -> list[Alert]:
        """Load a file for each batch, run the pipeline, look for alerts; all alerts that there ever were."""
        self.load(*batches)
        began = datetime.now(UTC)
        with suppress(GateClosedError):
            run_pipeline(self.warehouse)
        self._set_back(began)
        return self.look()

    def load(self, *batches: Sequence[Survey]) -> None:
        """Let another day begin, and load a file for each batch."""
        self.now += timedelta(days=1)
        began = datetime.now(UTC)
        for number, batch in enumerate(batches):
            path = write_file(self._folder / f"{self.now:%Y-%m-%d}-{number}.csv", batch)
            with suppress(UnreadableFileError):
                load_file(self.warehouse, path, "household_survey")
        self._set_back(began)

    def look(self, *faults: str) -> list[Alert]:
        """Look for alerts an hour later, beside a machine and processes that are well but for the faults.

        Args:
            faults: statements, with `%(now)s` for the moment of the look.
        """
        now = self.now + timedelta(hours=1)
        with self.warehouse.database.transaction() as connection:
            for statement in (MACHINE, PROCESSES, *faults):
                connection.execute(statement.encode(), {"now": now})
        check_alerts(self.warehouse, now, everything=True)
        with self.warehouse.database.transaction() as connection:
            connection.execute("truncate ops.heartbeats, ops.system_metrics")
        return list_alerts(self.warehouse.database, with_resolved=True)

    def _set_back(self, began: datetime) -> None:
        """Move what was written since a moment to the simulated time."""
        with self.warehouse.database.transaction() as connection:
            connection.execute("set local session_replication_role = replica")  # events are append-only
            for table, columns in TIMES.items():
                for column in columns:
                    connection.execute(
                        f"update {table} set {column} = {column} + %s where {column} >= %s".encode(),
                        [self.now - began, began],
                    )
