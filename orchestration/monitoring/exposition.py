"""The figures of Kyalo as Prometheus reads them: those of this process, and those that the tables tell."""

import time
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock, Thread
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import SecretStr

from ingest_api.request_times import BOUNDS, RequestTimes
from orchestration.monitoring.families import FAMILIES, Family
from orchestration.monitoring.standing import Standing
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import KyaloError
from warehouse.logs import get_logger

STATEMENTS = queries("metrics")
HELD_SECONDS = 5.0  # that what was read is told again: several scrapers cost the database no more than one
LEDGER = "ingestions"  # reads a row for each survey that ever came: while it is read anew, the last reading is told
LEDGER_SECONDS = 60.0
STATES = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0}
Rows = dict[str, list[dict[str, Any]]]
logger = get_logger(__name__)


class Exposition:
    """What `/metrics` tells.

    Args:
        standing: how the parts of the API are.
        times: how long its requests take.
        database: where the tables are.
        version: of Kyalo.
        token: what a scraper has to bear; None where its address is enough.
    """

    def __init__(
        self, standing: Standing, times: RequestTimes, database: Database, *, version: str, token: SecretStr | None
    ) -> None:
        self.token = token
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self._registry.register(_OfProcess(standing, times, version))
        self._registry.register(_OfTables(standing, database))

    def text(self) -> bytes:
        """Every figure, in Prometheus' text format; may ask the database."""
        return generate_latest(self._registry)


class _OfProcess(Collector):
    def __init__(self, standing: Standing, times: RequestTimes, version: str) -> None:
        self._standing = standing
        self._times = times
        self._version = version

    def collect(self) -> Iterable[Metric]:
        """What this process knows by itself."""
        info = GaugeMetricFamily("kyalo_build_info", "The version that runs.", labels=["version"])
        info.add_metric([self._version], 1)
        parts = GaugeMetricFamily(
            "kyalo_component_up", "How a part is: 1 healthy, 0.5 degraded, 0 unhealthy.", labels=["component"]
        )
        for name, state in self._standing.states.items():
            if state in STATES:
                parts.add_metric([name], STATES[state])
        yield from (info, parts, self._requests())

    def _requests(self) -> Metric:
        family = HistogramMetricFamily(
            "kyalo_http_request_duration_seconds",
            "How long requests took, by route and by how they were answered.",
            labels=["method", "route", "status_class"],
        )
        for series, times in self._times.series():
            reached, buckets = 0, []
            for bound, count in zip([*map(str, BOUNDS), "+Inf"], times.counts, strict=True):
                reached += count
                buckets.append((bound, reached))
            family.add_metric(series, buckets, times.seconds)
        return family


class _OfTables(Collector):
    def __init__(self, standing: Standing, database: Database) -> None:
        self._standing = standing
        self._database = database
        self._guard = Lock()
        self._rows: Rows = {}
        self._read_at = 0.0
        self._ledger: Rows = {}
        self._ledger_read_at = 0.0

    def collect(self) -> Iterator[Metric]:
        """What the tables tell; nothing while the database is away."""
        started = time.perf_counter()
        rows = self._current()
        for family in FAMILIES if rows else ():
            yield _expose(family, rows[family.statement])
        yield GaugeMetricFamily(
            "kyalo_metrics_read_seconds", "How long reading the tables took.", value=time.perf_counter() - started
        )

    def _current(self) -> Rows:
        with self._guard:
            if time.monotonic() - self._read_at > HELD_SECONDS:
                self._rows = self._read_all() if self._standing.states["database"] == "healthy" else {}
                self._read_at = time.monotonic()
            return self._rows

    def _read_all(self) -> Rows:
        if not self._ledger:
            self._read_ledger()
        elif time.monotonic() - self._ledger_read_at > LEDGER_SECONDS:
            self._ledger_read_at = time.monotonic()
            Thread(target=self._read_ledger, name="kyalo-ledger", daemon=True).start()
        rows = self._read([name for name in STATEMENTS if name != LEDGER])
        return {**rows, **self._ledger} if rows and self._ledger else {}

    def _read_ledger(self) -> None:
        self._ledger = self._read([LEDGER]) or self._ledger
        self._ledger_read_at = time.monotonic()

    def _read(self, names: Sequence[str]) -> Rows:
        try:
            with self._database.transaction() as connection:
                return {name: fetch_rows(connection, STATEMENTS[name]) for name in names}
        except (KyaloError, psycopg.Error) as error:
            logger.warning("the tables could not be read for Prometheus", problem=str(error))
            return {}


def _expose(family: Family, rows: list[dict[str, Any]]) -> Metric:
    kind = GaugeMetricFamily if family.kind == "gauge" else CounterMetricFamily
    metric = kind(family.name, family.documentation, labels=family.labels)
    for row in rows:
        if row[family.value] is not None:
            metric.add_metric([row[label] for label in family.labels], float(row[family.value]))
    return metric
