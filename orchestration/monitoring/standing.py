"""How the API stands: the database, the store, the model that answers, and whether somebody watches."""

from contextlib import suppress

from fastapi import FastAPI

from ingest_api.group_commit import SurveyWriter
from ml.online import Predictor
from orchestration.monitoring.health import STATEMENTS
from orchestration.monitoring.probes import Probe, State
from warehouse.database import Database, fetch_row
from warehouse.errors import NotFoundError
from warehouse.settings import Settings
from warehouse.stores import ObjectStore

PROBED_KEY = "monitoring/probe"  # nothing lies there: a store that says so answers
LATE_SAMPLES = 3
FIRST_SECONDS = 2.0  # that the API waits at its start, so that its first answers are known


class Standing:
    """Looks after the parts of the API. One for each process of it.

    Args:
        app: the API; its writer, predictor, store and database are looked at.
        settings: how often machines are measured.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self._writer: SurveyWriter = app.state.writer
        self._predictor: Predictor = app.state.predictor
        self._store: ObjectStore = app.state.store
        self._database: Database = app.state.database
        self._late_seconds = LATE_SAMPLES * settings.health_check_interval
        self._health_score: float | None = None
        self._probes = (
            Probe("database", self._look_at_database, pause_seconds=1, patience_seconds=3),
            Probe("storage", self._look_at_storage, pause_seconds=10, patience_seconds=15),
            Probe("model_service", self._look_at_model, pause_seconds=2, patience_seconds=15),
            Probe("monitoring", self._look_at_monitoring, pause_seconds=5, patience_seconds=10),
        )
        for probe in self._probes:
            probe.wait(FIRST_SECONDS)

    @property
    def states(self) -> dict[str, State]:
        """How each part is, as it was found some seconds ago at most."""
        return {probe.name: probe.state for probe in self._probes}

    @property
    def health_score(self) -> float | None:
        """How well all of Kyalo is, 0 to 1; None where nobody knows."""
        states = self.states
        return None if "unhealthy" in (states["database"], states["monitoring"]) else self._health_score

    def close(self) -> None:
        """Look no more."""
        for probe in self._probes:
            probe.close()

    def _look_at_database(self) -> State:
        self._writer.check()
        return "healthy"

    def _look_at_storage(self) -> State:
        with suppress(NotFoundError):
            self._store.get(PROBED_KEY).close()
        return "healthy"

    def _look_at_model(self) -> State:
        return "healthy" if self._predictor.is_ready("screening") else "unknown"

    def _look_at_monitoring(self) -> State:
        with self._database.transaction() as connection:
            row = fetch_row(connection, STATEMENTS["monitoring"]) or {}
        self._health_score = row["health_score"]
        if row["sample_age_seconds"] is None:
            return "unknown"
        is_late = row["sample_age_seconds"] > self._late_seconds
        return "degraded" if is_late or row["silent_processes"] else "healthy"
