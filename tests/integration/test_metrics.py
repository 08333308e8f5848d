"""What the API tells those who watch it: /health, /ready and /metrics, and the files under deploy/ that read them."""

import json
import re
import time
from collections.abc import Iterator

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from orchestration.context import Warehouse
from orchestration.monitoring import measure, sample_system
from tests.served import served
from warehouse.settings import PROJECT_ROOT

pytestmark = pytest.mark.xdist_group("api")
DEPLOY = PROJECT_ROOT / "deploy"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FIGURE = re.compile(r"\bkyalo_\w+")
QUICK_SECONDS = 0.05


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client, not signed in, of an API whose warehouse is measured and holds a run."""
    with module_warehouse.database.transaction() as connection:
        connection.execute(
            "insert into ops.pipeline_runs (run_id, status, finished_at) values ('first', 'succeeded', now())"
        )
        connection.execute(
            "insert into ops.pipeline_steps (run_id, step, status, finished_at, rows_in, rows_out)"
            " values ('first', 'score', 'succeeded', now(), 7, 5)"
        )
        connection.execute(
            "insert into ops.heartbeats (process, instance, host, process_id, started_at)"
            " values ('worker', 'one', 'here', 1, now())"
        )
    module_warehouse.settings.home.mkdir(parents=True, exist_ok=True)
    sample_system(module_warehouse)
    measure(module_warehouse, "first")
    with served(module_warehouse) as client:
        yield client


def figures(client: httpx2.Client) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample of /metrics by name and the values of its labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").raise_for_status().text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_health_has_its_shape(client: httpx2.Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == ["status", "timestamp", "version", "components", "health_score"]
    assert TIME.fullmatch(told["timestamp"])
    assert told["status"] == "healthy"
    assert told["components"] == {
        "database": "healthy", "storage": "healthy", "model_service": "unknown", "monitoring": "healthy"
    }  # fmt: skip
    assert 0 <= told["health_score"] <= 1


def test_ready_has_its_shape(client: httpx2.Client) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == ["ready", "timestamp", "dependencies"]
    assert told["ready"] is True
    assert told["dependencies"] == {
        "database_connection": True, "storage_connection": True, "model_loaded": False, "monitoring_active": True
    }  # fmt: skip


def test_figures_are_told(client: httpx2.Client) -> None:
    client.get("/api/v1/status/ing_1")
    client.get("/nothing/here")
    told = figures(client)
    assert told["kyalo_pipeline_runs_total"] == {("succeeded",): 1}
    assert told["kyalo_pipeline_step_rows_out"] == {("score",): 5}
    assert told["kyalo_processes_alive"] == {("worker",): 1}
    assert told["kyalo_health_component_score"][("pipeline",)] == 1
    assert told["kyalo_component_up"] == {("database",): 1, ("storage",): 1, ("monitoring",): 1}
    assert set(told["kyalo_alerts_open"]) == {("info",), ("warning",), ("error",), ("critical",)}
    counts = told["kyalo_http_request_duration_seconds_count"]
    assert counts[("GET", "/api/v1/status/{ingestion_id}", "4xx")] == 1
    assert counts[("GET", "other", "4xx")] == 1
    assert not any("ing_1" in label for labels in counts for label in labels)


def test_answers_are_quick(client: httpx2.Client) -> None:
    client.get("/metrics")
    for path, seconds in (("/health", QUICK_SECONDS), ("/ready", QUICK_SECONDS), ("/metrics", 2 * QUICK_SECONDS)):
        took = []
        for _ in range(5):
            started = time.perf_counter()
            client.get(path).raise_for_status()
            took.append(time.perf_counter() - started)
        assert min(took) < seconds, path


def test_strangers_learn_no_figures(client: httpx2.Client) -> None:
    answer = client.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})
    assert (answer.status_code, answer.json()["code"]) == (403, "metrics.not_near")


def test_token_is_asked_for_where_it_is_set(module_warehouse: Warehouse) -> None:
    with served(module_warehouse, metrics_token=SecretStr("a-token-of-sixteen")) as client:
        assert client.get("/metrics").json()["code"] == "metrics.wrong_token"
        bearer = {"Authorization": "Bearer a-token-of-sixteen", "x-forwarded-for": "203.0.113.9"}
        assert client.get("/metrics", headers=bearer).status_code == 200


def test_store_that_is_away_degrades(warehouse: Warehouse) -> None:
    warehouse.settings.store_folder.rmdir()
    warehouse.settings.store_folder.touch()
    with served(warehouse) as client:
        health, ready = client.get("/health"), client.get("/ready")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["components"]["storage"] == "unhealthy"
    assert health.json()["components"]["monitoring"] == "unknown"
    assert health.json()["health_score"] is None
    assert (ready.status_code, ready.json()["dependencies"]["storage_connection"]) == (200, False)


def test_files_under_deploy_name_figures_that_are_told(client: httpx2.Client) -> None:
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(client.get("/metrics").text)
    }
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "kyalo.json").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    expressions += [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    named = {name for expression in expressions for name in FIGURE.findall(expression)}
    assert len(expressions) > 40
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in named} <= exposed


def test_rules_and_provisioning_fit_together() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    runbook = (PROJECT_ROOT / "docs" / "runbooks.md").read_text()
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("info", "warning", "error", "critical")
        path, _, section = rule["annotations"]["runbook"].partition("#")
        assert path == "docs/runbooks.md"
        assert not section or f"\n## {section}\n" in runbook, rule["alert"]
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())
    mounted = [
        PROJECT_ROOT / volume.partition(":")[0]
        for service in ("prometheus", "grafana")
        for volume in compose["services"][service]["volumes"]
        if volume.startswith("./")
    ]
    assert mounted
    assert [path for path in mounted if not path.exists()] == []
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (target,) = scrape["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in compose["services"]
