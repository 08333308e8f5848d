"""Alerts: what opens one, what closes it, who is told of it."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from typer.testing import CliRunner

from ml.watching.batch import LEAST_BATCH
from orchestration.alerts import Changes, check_alerts
from orchestration.alerts.book import acknowledge, list_alerts
from orchestration.alerts.checking import FINDERS
from orchestration.alerts.limits import LEAST
from orchestration.alerts.receivers import list_receivers
from orchestration.alerts.rules import RULES
from orchestration.cli import app
from orchestration.context import Warehouse
from warehouse.embedded.server import free_port
from warehouse.errors import ConfigurationError, NotFoundError
from warehouse.settings import PROJECT_ROOT, get_settings

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # a service of apprise imports it
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
BOOK = "ops.alerts, ops.alert_checks"
WRITTEN = (
    "ops.heartbeats, ops.system_metrics, ops.pipeline_runs, ops.schedules,"
    " raw.ingestions, ml.predictions, ml.prediction_requests, ml.drift_checks, ml.performance_checks"
)
RUN = """
insert into ops.pipeline_runs (run_id, status, started_at, finished_at, error_code, error_message)
values ('{}', '{}', timestamptz '2026-03-02 08:00+00' - interval '{}', timestamptz '2026-03-02 08:01+00' - interval
    '{}', '{}', 'It went wrong.')
"""
UPLOAD = """
insert into raw.ingestions (ingestion_id, form, form_version, source, status, filename, content_type, size_bytes,
    sha256, received_rows, stored_rows, received_at, error_code)
values ('{}', 'household_survey', '1', 'cli', '{}', 'a.csv', 'text/csv', 1, 'x', 0, 0, '2026-03-02 06:00+00', '{}')
"""
MODEL = """
insert into ml.models (model_name, model_version, track, algorithm, object_key, sha256, size_bytes, feature_names,
    training_fingerprint, metrics, metadata, run_id, artifact_kind, trained_at)
values ('screening', {0}, 'screening', 'trees', '{0}', repeat('0', 64), 1, array['x'], 'f', '{{}}', '{{}}', 'r',
    'terms', timestamptz '2026-03-02 08:00+00' - interval '{1}');
insert into ml.model_events (track, model_name, model_version, event, actor, reason, run_id, happened_at)
values ('screening', 'screening', {0}, 'promoted', 'kyalo', 'It is.', 'r',
    timestamptz '2026-03-02 08:00+00' - interval '{1}');
insert into ml.evaluations values ('screening', {0}, 'village', 'all', 'all', 'accuracy', 0.8, 0.7, 0.9);
"""
PREDICTION = """
insert into ml.predictions (household_id, survey_round, submission_id, is_training_row, probability, track, prediction,
    confidence, risk_category, model_name, model_version, run_id, model_role, threshold, reasons)
values ('A', '1', 'a', false, 0.5, 'screening', 1, 0.5, 'low', 'screening', {}, 'r', 'champion', 0.5, '[]');
"""
MACHINE = """
insert into ops.system_metrics (host, measured_at, cpu_share, memory_share, disk_share, memory_bytes, disk_free_bytes)
select 'server', timestamptz '2026-03-02 08:00+00' - minutes * interval '1 minute', {}, {}, {}, 1, 2e9
from generate_series(0, 40, 5) as listed (minutes)
"""
BEAT = """
insert into ops.heartbeats (process, instance, host, process_id, started_at, beat_at)
values ('{}', '{}', 'server', 1, '2026-03-02', timestamptz '2026-03-02 08:00+00' - interval '{}')
"""
DRIFT = """
insert into ml.drift_checks (run_id, track, model_name, model_version, feature, households, psi, psi_limit, has_drifted,
    checked_at)
select 'run-' || day, 'screening', 'screening', 1, 'roof', 600, 0.3, 0.1, {},
    timestamptz '2026-03-01' + day * interval '1 hour'
from generate_series(1, 3) as listed (day);
"""
PERFORMANCE = """
insert into ml.performance_checks (run_id, track, model_name, model_version, kind, households, accuracy, lower_bound,
    upper_bound, checked_at)
values ('r', 'screening', 'screening', 1, 'real', 600, 0.6, 0.5, {}, '2026-03-02')
"""
SLOW = """
insert into ml.prediction_requests (client, track, model_name, model_version, feature_set_version, households, features,
    answers, milliseconds, requested_at)
select 'a', 'screening', 'screening', 1, 'f', 1, '[]', '[]', {}, timestamptz '2026-03-02 07:50+00'
from generate_series(1, 30)
"""
WELL = RUN.format("good", "succeeded", "1 hour", "1 hour", "")
# By rule: what is wrong, and what is nearly so.
WRONG = {
    "late_run": (RUN.format("old", "succeeded", "27 hours", "27 hours", ""), WELL),
    "run_failed": (RUN.format("bad", "failed", "1 hour", "1 hour", "build.failed"), WELL),
    "failure_rate": (
        "".join(
            RUN.format(
                f"run-{hours}", "failed" if hours in (3, 9) else "succeeded", f"{hours} hours", f"{hours} hours", "x"
            )
            + ";"
            for hours in range(1, 21)
        ),
        "".join(
            RUN.format(f"run-{hours}", "failed" if hours == 9 else "succeeded", f"{hours} hours", f"{hours} hours", "x")
            + ";"
            for hours in range(1, 21)
        ),
    ),
    "gate_closed": (RUN.format("shut", "failed", "1 hour", "1 hour", "build.gate_closed"), WELL),
    "backlog": (UPLOAD.format("one", "received", ""), UPLOAD.format("one", "refused", "file.damaged")),
    "upload_failed": (
        UPLOAD.format("one", "failed", "job.worker_died"),
        UPLOAD.format("one", "refused", "file.damaged"),
    ),
    "empty_upload": (UPLOAD.format("one", "refused", "file.no_rows"), UPLOAD.format("one", "refused", "file.damaged")),
    "stale_model": (MODEL.format(1, "366 days"), MODEL.format(1, "364 days")),
    "wrong_champion": (
        MODEL.format(1, "3 days") + MODEL.format(2, "2 days") + PREDICTION.format(1) + WELL,
        MODEL.format(1, "3 days") + MODEL.format(2, "2 days") + PREDICTION.format(2) + WELL,
    ),
    "accuracy_low": (
        MODEL.format(1, "2 days") + PERFORMANCE.format(0.71),
        MODEL.format(1, "2 days") + PERFORMANCE.format(0.73),
    ),
    "model_drift": (
        MODEL.format(1, "2 days") + DRIFT.format("true"),
        MODEL.format(1, "2 days") + DRIFT.format("day > 1"),
    ),
    "silent_process": (
        BEAT.format("worker", "one", "61 seconds"),
        BEAT.format("worker", "one", "61 seconds") + ";" + BEAT.format("worker", "two", "9 seconds"),
    ),
    "cpu_high": (
        MACHINE.format(0.86, 0.5, 0.5),
        MACHINE.format("case when minutes = 5 then 0.2 else 0.99 end", 0.5, 0.5),
    ),
    "memory_high": (MACHINE.format(0.5, 0.91, 0.5), MACHINE.format(0.5, 0.89, 0.5)),
    "disk_full": (MACHINE.format(0.5, 0.5, 0.86), MACHINE.format(0.5, 0.5, 0.84)),
    "slow_answers": (SLOW.format(11_000), SLOW.format(9_000)),
}


@dataclass
class Listener:
    """A receiver of messages over HTTP that refuses them while `is_away`."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    is_away: bool = False

    @property
    def titles(self) -> list[str]:
        """What the messages were about."""
        return [body["title"] for body in self.bodies]


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse in which nothing is wrong."""
    module_warehouse.settings.store_folder.mkdir(parents=True, exist_ok=True)
    yield module_warehouse
    clear(module_warehouse)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A local receiver of JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not heard.is_away:
                heard.bodies.append(body)
            self.send_response(500 if heard.is_away else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        heard = Listener(f"json://127.0.0.1:{server.server_port}/hook/topsecrettoken")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield heard
        server.shutdown()
        thread.join()


def telling(warehouse: Warehouse, listener: Listener, **settings: object) -> Warehouse:
    """The warehouse, whose alerts the listener is told."""
    update = {"alert_urls": SecretStr(listener.url), **settings}
    return replace(warehouse, settings=warehouse.settings.model_copy(update=update))


def clear(warehouse: Warehouse, *, keeps_alerts: bool = False) -> None:
    """Take away all that is wrong, and the alerts."""
    with warehouse.database.transaction() as connection:
        connection.execute("set local session_replication_role = replica")  # events are kept else
        for table in (WRITTEN, *([] if keeps_alerts else [BOOK])):
            connection.execute(f"truncate {table} cascade".encode())
        for table in ("ml.model_events", "ml.evaluations", "ml.models"):
            connection.execute(f"delete from {table}".encode())


def do(warehouse: Warehouse, statements: str) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute(statements.encode())


def names(changes: Changes) -> tuple[list[str], list[str], list[str]]:
    opened, repeated, resolved = (
        [alert.alert for alert in alerts] for alerts in (changes.opened, changes.repeated, changes.resolved)
    )
    return opened, repeated, resolved


def test_an_empty_warehouse_has_no_alert(warehouse: Warehouse) -> None:
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [])


@pytest.mark.parametrize("rule", WRONG)
def test_what_is_wrong_opens_one_alert_and_what_is_nearly_so_none(warehouse: Warehouse, rule: str) -> None:
    wrong, nearly = WRONG[rule]
    do(warehouse, wrong)
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([rule], [], [])
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [])
    (alert,) = list_alerts(warehouse.database)
    assert alert.opened_at == NOW
    assert not re.search(r"[{}]|None", alert.message)
    clear(warehouse, keeps_alerts=True)
    do(warehouse, nearly)
    assert names(check_alerts(warehouse, NOW, everything=True)) == ([], [], [rule])


def test_store_that_is_gone_is_told(warehouse: Warehouse) -> None:
    warehouse.settings.store_folder.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])


def test_paused_pipeline_is_not_late(warehouse: Warehouse) -> None:
    do(warehouse, WRONG["late_run"][0])
    do(
        warehouse,
        "insert into ops.schedules (job, schedule, timezone, is_paused, settled_until)"
        " values ('pipeline', '0 2 * * *', 'UTC', true, '2026-03-02')",
    )
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])


def test_consequence_is_not_told_beside_its_cause(warehouse: Warehouse) -> None:
    do(warehouse, WRONG["backlog"][0])
    store = warehouse.settings.store_folder
    store.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])
    store.mkdir()
    assert names(check_alerts(warehouse, NOW)) == (["backlog"], [], ["store_away"])
    store.rmdir()
    assert names(check_alerts(warehouse, NOW)) == (["store_away"], [], [])
    assert {alert.alert for alert in list_alerts(warehouse.database)} == {"backlog", "store_away"}


def test_what_only_runs_change_is_looked_at_once_after_each(warehouse: Warehouse) -> None:
    _, right = WRONG["wrong_champion"]
    do(warehouse, right)
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])
    do(warehouse, "truncate ml.predictions;" + PREDICTION.format(1))
    assert names(check_alerts(warehouse, NOW)) == ([], [], [])
    do(warehouse, RUN.format("next", "succeeded", "-1 hour", "-1 hour", ""))
    assert names(check_alerts(warehouse, NOW + timedelta(hours=2))) == (["wrong_champion"], [], [])


def test_alert_is_told_once_then_again_by_its_severity_until_acknowledged(
    warehouse: Warehouse, listener: Listener
) -> None:
    telling_one = telling(warehouse, listener)
    do(warehouse, BEAT.format("api", "one", "2 hours"))
    assert names(check_alerts(telling_one, NOW))[0] == ["silent_process"]
    hours = [check_alerts(telling_one, NOW + timedelta(hours=hour)) for hour in (0.5, 1, 1.5)]
    assert [names(changes)[1] for changes in hours] == [[], ["silent_process"], []]
    (known,) = acknowledge(warehouse.database, "silent_process", by="ada")
    assert known.acknowledged_by == "ada"
    assert names(check_alerts(telling_one, NOW + timedelta(hours=30)))[1] == []
    do(warehouse, "truncate ops.heartbeats")
    assert names(check_alerts(telling_one, NOW + timedelta(hours=31))) == ([], [], ["silent_process"])
    assert listener.titles == [
        "Kyalo: critical: silent_process (api on server)",
        "Kyalo: still critical: silent_process (api on server)",
        "Kyalo: resolved: silent_process (api on server)",
    ]
    assert "docs/runbooks.md#silent_process" in listener.bodies[0]["message"]
    assert listener.bodies[0]["type"] == "failure"


def test_receiver_that_fails_is_told_at_the_next_check_and_no_secret_is_kept(
    warehouse: Warehouse, listener: Listener
) -> None:
    telling_one = telling(warehouse, listener)
    do(warehouse, WRONG["disk_full"][0])
    listener.is_away = True
    for minute in range(3):
        check_alerts(telling_one, NOW + timedelta(minutes=minute))
    listener.is_away = False
    check_alerts(telling_one, NOW + timedelta(minutes=3))
    assert listener.titles == ["Kyalo: critical: disk_full (server)"]
    with warehouse.database.transaction() as connection:
        deliveries = connection.execute(
            "select kind, is_delivered, problem, receiver from ops.alert_deliveries order by delivery_id"
        ).fetchall()
        (alert,) = list_alerts(warehouse.database)
    assert [row[:2] for row in deliveries] == [("opened", True)]
    assert "secret" not in str(deliveries)
    assert (alert.times_sent, alert.last_sent_at) == (1, NOW + timedelta(minutes=3))


def test_problem_of_a_receiver_is_kept_without_its_secrets(warehouse: Warehouse) -> None:
    url = SecretStr("json://kanungu:topsecretpassword@127.0.0.1:9/topsecrettoken")
    telling_nobody = replace(warehouse, settings=warehouse.settings.model_copy(update={"alert_urls": url}))
    do(warehouse, WRONG["disk_full"][0])
    check_alerts(telling_nobody, NOW)
    with warehouse.database.transaction() as connection:
        ((receiver, problem),) = connection.execute("select receiver, problem from ops.alert_deliveries").fetchall()
    assert re.fullmatch(r"JSON [0-9a-f]{8}", receiver)
    assert "onnection" in problem
    assert "secret" not in problem


def test_mail_reaches_each_address(warehouse: Warehouse) -> None:
    mails: list[Any] = []

    class Keep:
        async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
            self, _server: object, _session: object, envelope: Any
        ) -> str:
            mails.append(envelope)
            return "250 OK"

    port = free_port()
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        update = {
            "alert_email": "ada@example.org, office@example.org",
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}?from=kyalo@example.org"),
        }
        telling_two = replace(warehouse, settings=warehouse.settings.model_copy(update=update))
        do(warehouse, WRONG["disk_full"][0])
        check_alerts(telling_two, NOW)
        check_alerts(telling_two, NOW)
    finally:
        controller.stop()
    assert [(mail.mail_from, mail.rcpt_tos) for mail in mails] == [
        ("kyalo@example.org", ["ada@example.org"]),
        ("kyalo@example.org", ["office@example.org"]),
    ]
    assert b"Subject: Kyalo: critical: disk_full" in mails[0].content


@pytest.mark.parametrize(
    "wrong",
    [
        {"alert_urls": SecretStr("nosuch://topsecrettoken")},
        {"alert_email": "ada@example.org", "smtp_url": SecretStr("http://topsecrettoken")},
    ],
)
def test_address_that_cannot_be_used_stops_no_check(warehouse: Warehouse, wrong: dict[str, object]) -> None:
    settings = warehouse.settings.model_copy(update=wrong)
    with pytest.raises(ConfigurationError) as raised:
        list_receivers(settings)
    assert "secret" not in str(raised.value)
    do(warehouse, WRONG["disk_full"][0])
    assert names(check_alerts(replace(warehouse, settings=settings), NOW))[0] == ["disk_full"]


def test_commands_show_acknowledge_and_try(
    warehouse: Warehouse, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = warehouse.settings
    named = {"KYALO_HOME": str(settings.home), "STORAGE_PATH": str(settings.store_folder), "ALERT_URLS": listener.url}
    for name, value in {**named, **warehouse.database.environment()}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    do(warehouse, UPLOAD.format("one", "received", "").replace("'2026-03-02 06:00+00'", "now() - interval '2 hours'"))
    run = CliRunner().invoke
    assert run(app, ["alerts", "check"]).output.splitlines()[-1] == "done: 1 opened, 0 resolved, 1 alert open"
    listed = run(app, ["alerts", "list"]).output
    assert "backlog" in listed
    assert listed.splitlines()[-1].startswith("done: 1 alert open")
    assert run(app, ["alerts", "ack", "backlog", "--by", "ada"]).output.startswith("done: 1 alert acknowledged")
    (shown,) = json.loads(run(app, ["alerts", "list", "--json"]).output)
    assert (shown["alert"], shown["acknowledged_by"]) == ("backlog", "ada")
    assert isinstance(run(app, ["alerts", "ack", "late_run"]).exception, NotFoundError)
    assert run(app, ["alerts", "test"]).exit_code == 0
    listener.is_away = True
    assert run(app, ["alerts", "test"]).exit_code == 1
    assert listener.titles[-1] == "Kyalo: a test"
    get_settings.cache_clear()


def test_each_rule_has_its_statement_and_its_section_in_the_runbooks() -> None:
    rules = [rule.name for rule in RULES]
    sections = re.findall(r"^## (.+)$", (PROJECT_ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    assert sections == rules
    assert sorted(FINDERS) == sorted(rules)
    assert {cause for rule in RULES for cause in rule.explained_by} <= set(rules)
    assert LEAST["least_batch"] == LEAST_BATCH
