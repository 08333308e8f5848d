"""What no honest client sends: each is refused with a problem and its code, at little cost, and the API lives on."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg import sql
from starlette.formparsers import MultiPartParser

from ingest_api import limits, protocol
from ingest_api.auth.clients import add_client
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from tests.served import served, sign_in
from warehouse.error_codes import MEANINGS

pytestmark = pytest.mark.xdist_group("api")

SURVEY = "/api/v1/upload/survey-data"
SURVEYS = "/api/v1/upload/surveys"
FILE = "/api/v1/upload/file"
JSON = {"Content-Type": "application/json"}
MOST_SECONDS = 0.1  # of processor time, the client's included
PARTS = 100_000


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """An office that is signed in to a running API."""
    given = add_client(module_warehouse.database, "office-1", "office")
    with served(module_warehouse, rate_limit_per_minute=0) as client:
        client.headers.update(sign_in(client, given.name, given.secret))
        assert client.post(SURVEY, json=EXAMPLE_SURVEY).status_code == 200  # what is read once is read
        yield client


def survey(value: bytes) -> bytes:
    return b'{"household_id": "HOSTILE", "survey_data": {"x": ' + value + b"}}"


def many_parts(part: bytes) -> bytes:
    return b"".join(b'--x\r\nContent-Disposition: form-data; name="f"%b\r\n\r\n1\r\n' % part for _ in range(PARTS))


BODIES: dict[str, tuple[bytes, int, str]] = {
    "no_json": (b"{", 400, "request.bad_json"),
    "empty": (b"", 400, "request.bad_json"),
    "no_text": (survey(b'"\xff"'), 400, "request.bad_json"),
    "lone_surrogate": (survey(b'"\\ud800"'), 400, "request.bad_json"),
    "raw_surrogate": (survey(b'"\xed\xa0\x80"'), 400, "request.bad_json"),
    "raw_nul": (survey(b'"\0"'), 400, "request.bad_json"),
    "nul": (survey(b'"\\u0000"'), 422, "survey.nul_byte"),
    "not_a_number": (survey(b"NaN"), 400, "request.bad_json"),
    "infinity": (survey(b"-Infinity"), 400, "request.bad_json"),
    "beyond_doubles": (survey(b"1e999"), 400, "request.number_out_of_range"),
    "million_digits": (survey(b"9" * 1_000_000), 400, "request.number_out_of_range"),
    "deep": (survey(b"[" * 30 + b"]" * 30), 400, "request.too_deep"),
    "very_deep": (survey(b"[" * 100_000 + b"]" * 100_000), 400, "request.too_many_parts"),
    "unclosed": (b"[" * 9_000, 400, "request.too_deep"),
    "wide": (survey(b"[" + b"[]," * 300_000 + b"1]"), 400, "request.too_many_parts"),
    "array": (b"[]", 422, "survey.not_a_survey"),
    "too_large": (survey(b'"' + b"x" * 1_100_000 + b'"'), 413, "request.too_large"),
}


def assert_refused(answer: httpx2.Response, status: int, code: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", BODIES)
def test_hostile_body_is_refused_at_little_cost(client: httpx2.Client, name: str) -> None:
    body, status, code = BODIES[name]
    started = time.process_time()
    answer = client.post(SURVEY, content=body, headers=JSON)
    assert time.process_time() - started < MOST_SECONDS
    assert_refused(answer, status, code)


def test_number_of_many_digits_is_kept_to_the_letter(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    digits = "12345678901234567890123"
    body = b'{"household_id": "DIGITS", "survey_data": {"district": %b}}' % digits.encode()
    assert client.post(SURVEY, content=body, headers=JSON).status_code == 200
    with module_warehouse.database.transaction() as connection:
        found = connection.execute("select district from raw.household_survey where household_id = 'DIGITS'").fetchone()
    assert found == (digits,)


FORM = "multipart/form-data; boundary=x"
REQUESTS: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "text": ("POST", SURVEY, {"content": b"hello", "headers": {"Content-Type": "text/plain"}}, 415, "content_type"),
    "curl_default": ("POST", SURVEY, {"data": {"a": "b"}}, 415, "content_type"),
    "no_type": ("POST", SURVEYS, {"content": b"[]"}, 415, "content_type"),
    "json_as_file": ("POST", FILE, {"json": {}}, 415, "content_type"),
    "gzipped": (
        "POST",
        SURVEY,
        {"content": b"\x1f\x8b", "headers": {**JSON, "Content-Encoding": "gzip"}},
        415,
        "content_encoding",
    ),
    "long_address": ("GET", "/" + "a" * 9_000, {}, 414, "address_too_long"),
    "long_query": ("GET", "/health?" + "a" * 9_000, {}, 414, "address_too_long"),
    "nul_in_address": ("GET", "/api/v1/status/%00", {}, 400, "bad_address"),
    "many_headers": ("GET", "/health", {"headers": {f"x-{number}": "1" for number in range(200)}}, 431, "headers"),
    "large_header": ("GET", "/health", {"headers": {"x-large": "1" * 40_000}}, 431, "headers"),
    "larger_header": ("GET", "/health", {"headers": {"x-large": "1" * 300_000}}, 431, "headers"),
    "body_nobody_reads": ("GET", "/health", {"content": b"x" * 1_100_000}, 413, "too_large"),
    "body_at_no_route": ("POST", "/nothing", {"content": b"x" * 1_100_000}, 413, "too_large"),
    "no_boundary": (
        "POST",
        FILE,
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        400,
        "bad_form",
    ),
    "many_fields": (
        "POST",
        FILE,
        {"content": many_parts(b""), "headers": {"Content-Type": FORM}},
        400,
        "bad_form",
    ),
    "many_files": (
        "POST",
        FILE,
        {"content": many_parts(b'; filename="a.csv"'), "headers": {"Content-Type": FORM}},
        400,
        "bad_form",
    ),
    "two_files": ("POST", FILE, {"files": [("file", ("a.csv", b"a")), ("file", ("b.csv", b"b"))]}, 400, "bad_form"),
    "long_key": ("POST", SURVEY, {"json": EXAMPLE_SURVEY, "headers": {"Idempotency-Key": "k" * 300}}, 400, "header"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_hostile_request_is_refused_at_little_cost(client: httpx2.Client, name: str) -> None:
    method, path, request, status, code = REQUESTS[name]
    prepared = client.build_request(method, path, **request)
    started = time.process_time()
    answer = client.send(prepared)
    assert time.process_time() - started < MOST_SECONDS
    assert_refused(answer, status, answer.json()["code"])
    assert answer.json()["code"].startswith("request.")
    assert code in answer.json()["code"]


@pytest.mark.parametrize(("method", "path"), [("POST", SURVEY), ("POST", "/nothing"), ("GET", "/health")])
def test_body_without_end_is_counted_wherever_it_goes(client: httpx2.Client, method: str, path: str) -> None:
    answer = client.request(method, path, content=(b"x" * 65_536 for _ in range(40)), headers=JSON)
    assert_refused(answer, 413, "request.too_large")


def test_body_in_chunks_within_its_limit_is_read(client: httpx2.Client) -> None:
    content = json.dumps(EXAMPLE_SURVEY).encode()
    assert client.post(SURVEY, content=iter([content[:9], content[9:]]), headers=JSON).status_code == 200
    assert client.request("GET", "/health", content=iter([b"x"] * 9)).status_code == 200


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"x-header: " + b"a" * 50_000, "request.headers_too_large"), (b"\0\0\0\r\n", "request.bad_http")],
)
def test_head_without_end_is_cut(client: httpx2.Client, line: bytes, code: str) -> None:
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port or 80), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        for part in (line, b"a" * 50_000):
            time.sleep(0.05)
            connection.sendall(part)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert json.loads(answer.read())["code"] == code


def call(client: httpx2.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10)


def head(path: str, length: int, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: x", f"content-length: {length}", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("begun", "drip"),
    [
        (b"\r\n", b"\r\n"),
        (b"GET /health HTTP/1.1\r\nx: ", b"x"),
        (b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n"),
    ],
    ids=["empty_lines", "head", "after_an_answer"],
)
def test_head_that_never_ends_is_dropped(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, begun: bytes, drip: bytes
) -> None:
    lose_patience(monkeypatch)
    with call(client) as connection, pytest.raises(ConnectionError):
        send_slowly(connection, [begun] + [drip] * 40)


@pytest.mark.parametrize("is_begun", [True, False])
def test_request_that_does_not_come_is_dropped(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, *, is_begun: bool
) -> None:
    lose_patience(monkeypatch)
    lines = ("content-type: application/json", f"authorization: {client.headers['Authorization']}")
    with call(client) as connection:
        connection.sendall(head(SURVEY, 9, *lines) + b"{" if is_begun else b"")
        connection.settimeout(3)
        assert connection.recv(4096) == b""


def send_slowly(connection: socket.socket, parts: list[bytes]) -> None:
    for part in parts:
        connection.sendall(part)
        time.sleep(0.05)


def lose_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "WATCH_SECONDS"):
        monkeypatch.setattr(protocol, name, 0.2)


def test_file_of_a_stranger_is_refused_before_it_is_read(client: httpx2.Client) -> None:
    with call(client) as connection:
        connection.sendall(head(FILE, 1_000_000, "content-type: " + FORM) + b"--x\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (401, "auth.missing_token")


def test_batches_beyond_the_memory_for_them_must_wait(
    module_warehouse: Warehouse, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCHES_BYTES", 100_000)
    token = client.headers["Authorization"]
    batch = json.dumps([EXAMPLE_SURVEY]).encode().ljust(60_000)
    with served(module_warehouse, max_batch_bytes=90_000) as other:
        other.headers["Authorization"] = token
        with call(other) as connection:
            lines = ("content-type: application/json", f"authorization: {token}")
            connection.sendall(head(SURVEYS, 90_000, *lines) + b" " * 60_000)
            time.sleep(0.3)
            answer = other.post(SURVEYS, content=batch, headers=JSON)
            assert_refused(answer, 503, "batch.busy")
            assert int(answer.headers["Retry-After"]) > 0
        time.sleep(0.3)
        assert [other.post(SURVEYS, content=batch, headers=JSON).status_code for _ in range(3)] == [200] * 3


def test_parts_of_a_form_hold_little_memory() -> None:
    assert MultiPartParser.spool_max_size == limits.SPOOL_BYTES


def test_path_in_a_file_name_leads_nowhere(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    store = module_warehouse.settings.store_folder
    before = {path for path in module_warehouse.settings.home.rglob("*") if store not in path.parents}
    for name in ("../../../evil.csv", "/etc/evil.csv", "..\\evil.csv", "evil\u202e.csv", "x" * 500 + ".csv"):
        content = b"HouseHoldID,District\nPATH-1,%b\n" % name[:20].encode()
        assert client.post(FILE, files={"file": (name, content, "text/csv")}).status_code == 200
    after = {path for path in module_warehouse.settings.home.rglob("*") if store not in path.parents}
    assert {path for path in after - before if "evil" in path.name} == set()
    assert not [path for path in store.rglob("*") if "evil" in path.name]


def test_health_is_good_after_all_this(client: httpx2.Client) -> None:
    assert client.get("/health").json()["status"] == "healthy"


def test_lost_database_is_told_without_its_address(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "office-1", "office")
    with served(warehouse) as client:
        headers = sign_in(client, given.name, given.secret)
        close_database(warehouse)
        answers = [
            client.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers),
            client.post("/api/v1/auth/token", json={"client_id": "office-1", "client_secret": "x"}),
        ]
        health, ready, metrics = (client.get(path) for path in ("/health", "/ready", "/metrics"))
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert 'kyalo_component_up{component="database"} 0.0' in metrics.text
    address = warehouse.database.address()
    for answer in answers:
        assert_refused(answer, 503, "database.unavailable")
        assert answer.json()["detail"] == MEANINGS["database.unavailable"]
        assert int(answer.headers["Retry-After"]) > 0
    for answer in (*answers, health, ready):
        for secret in ("127.0.0.1", str(address["port"]), address["dbname"], address["user"], address["host"]):
            assert secret not in answer.text


def close_database(warehouse: Warehouse) -> None:
    """Let the server refuse this one database, as if it were gone."""
    address = {**warehouse.database.address(), "dbname": "postgres"}
    name = sql.Identifier(warehouse.settings.db_name)
    with psycopg.connect(**address, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} allow_connections false").format(name))
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [warehouse.settings.db_name]
        )
