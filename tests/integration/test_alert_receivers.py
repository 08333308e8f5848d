"""Who is told of alerts, when, and what becomes of a message; the commands about them."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from typer.testing import CliRunner

from orchestration.alerts import check_alerts
from orchestration.alerts.book import acknowledge, list_alerts
from orchestration.alerts.receivers import list_receivers
from orchestration.cli import app
from orchestration.context import Warehouse
from tests.wrong import BEAT, NOW, UPLOAD, WRONG, clear, do, names
from warehouse.embedded.server import free_port
from warehouse.errors import ConfigurationError, NotFoundError
from warehouse.settings import get_settings

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # a service of apprise imports it


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


def test_one_bad_address_keeps_nobody_else_from_being_told(warehouse: Warehouse, listener: Listener) -> None:
    both = SecretStr(f"nosuch://topsecrettoken,{listener.url}")
    settings = warehouse.settings.model_copy(update={"alert_urls": both})
    do(warehouse, WRONG["disk_full"][0])
    check_alerts(replace(warehouse, settings=settings), NOW)
    with warehouse.database.transaction() as connection:
        assert connection.execute("select is_delivered from ops.alert_deliveries").fetchall() == [(True,)]


@pytest.mark.parametrize("server", [None, SecretStr("smtp://127.0.0.1:2525"), SecretStr("smtp://mail.example.org")])
def test_address_needs_no_sender(warehouse: Warehouse, server: SecretStr | None) -> None:
    settings = warehouse.settings.model_copy(update={"alert_email": "ada@example.org", "smtp_url": server})
    assert [receiver.name for receiver in list_receivers(settings)] == ["E-Mail ada@example.org"]


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
