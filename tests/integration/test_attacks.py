"""What attackers send: SQL and paths in every name. Nothing comes of it, and the audit tells of it."""

import http.client
import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import jwt
import pytest
from starlette.testclient import TestClient

from ingest_api.auth.clients import add_client
from ingest_api.auth.keys import load_keys
from ingest_api.loading import land_next
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from orchestration.dashboard.app import create_app as create_dashboard
from tests.served import served, sign_in
from tests.signed_tokens import sign
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.errors import KyaloError

pytestmark = pytest.mark.xdist_group("api")

FORMS = "/api/v1/forms"
SURVEY = "/api/v1/upload/survey-data"
FILE = "/api/v1/upload/file"
NAME = "jwt-office"


@pytest.fixture(scope="module")
def api(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    with served(module_warehouse, rate_limit_per_minute=0, login_limit_per_minute=10_000) as client:
        yield client


@pytest.fixture(scope="module")
def good(api: httpx2.Client, module_warehouse: Warehouse) -> str:
    """A token that is believed."""
    given = add_client(module_warehouse.database, NAME, "office")
    return sign_in(api, given.name, given.secret)["Authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="module")
def admin(api: httpx2.Client, module_warehouse: Warehouse) -> dict[str, str]:
    given = add_client(module_warehouse.database, "attacked-admin", "admin")
    return sign_in(api, given.name, given.secret)


SLEEP = 5
INJECTIONS = [
    "' or '1'='1",
    "'; drop table ops.clients; --",
    '"; drop table ops.clients; --',
    f"'||pg_sleep({SLEEP})||'",
    f"1; select pg_sleep({SLEEP})",
    f"') union select pg_sleep({SLEEP})::text --",
    "%(name)s %s {raw_table} {}",
    "$$; truncate ops.clients; $$",
    "\\'; update ops.clients set role = 'admin'; --",
    "/**/ union/**/select/**/secret_hash/**/from/**/ops.clients",
    "-1 or 1=1",
    "x'::text); copy ops.clients to program 'id'; --",
    "%' like '%",
    "\u02bc; drop table raw.ingestions; --",
]
KEPT = ("ops.clients", "raw.ingestions", "raw.household_survey", "review.decisions", "ops.alerts", "ml.models")
NOT_TRIED = {"Authorization"}
ADDRESSED = [
    ("risk", "district"),
    ("risk/priorities.csv", "district"),
    ("quality", "rule"),
    ("quality", "district"),
    ("quality", "status"),
    ("ingestion", "days"),
    ("sign-in", "to"),
]


def state(warehouse: Warehouse) -> tuple[Any, ...]:
    """What an injection would change: the tables there are, and who may do what."""
    with warehouse.database.transaction() as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables order by 1, 2"
        ).fetchall()
        clients = connection.execute(
            "select name, role, secret_hash, revoked_at from ops.clients order by 1"
        ).fetchall()
        decisions = connection.execute("select count(*) from review.decisions").fetchall()
    return tables, clients, decisions


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def text_places(document: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Method, address, kind and name of every parameter, and of every field of a body, of every route."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter["name"] not in NOT_TRIED:
                    yield method.upper(), path, parameter["in"], parameter["name"]
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                for schema in alternatives(document, content["schema"]):
                    for name in schema.get("properties", {}):
                        yield method.upper(), path, kind, name


def alternatives(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = resolve(document, schema)
    choices = [*schema.get("anyOf", []), *schema.get("oneOf", []), *([schema["items"]] if "items" in schema else [])]
    if not choices:
        yield schema
    for choice in choices:
        yield from alternatives(document, choice)


def attack(
    api: httpx2.Client, place: tuple[str, str, str, str], payload: str, admin: dict[str, str]
) -> httpx2.Response:
    """One request with the payload in one place, everything else as it may be."""
    method, path, kind, name = place
    address = path
    for found in [part[1:-1] for part in path.split("/") if part.startswith("{")] + ["form"]:
        filled = quoted(payload) if kind == "path" and found == name else "household_survey"
        address = address.replace(f"{{{found}}}", filled)
    request: dict[str, Any] = {"headers": dict(admin)}
    if kind == "query":
        request["params"] = {name: payload}
    elif kind == "header":
        request["headers"][name] = payload.encode()
    elif kind == "application/json":
        field: Any = {"district": payload} if name == "survey_data" else payload
        honest = {"household_id": "SQL-1"} if "upload" in path or "predict" in path else {}
        decision = {"decision": "release", "reason": "because"} if path.endswith("/decision") else {}
        request["json"] = {**honest, **decision, name: field}
    elif kind == "multipart/form-data":
        content = ("a.csv", b"HouseHoldID,District\nSQL-2,Kanungu\n", "text/csv")
        request["files"] = {"file": (payload, *content[1:]) if name == "file" else content}
        request["data"] = {} if name == "file" else {name: payload}
    elif kind == "application/x-www-form-urlencoded":
        request["data"] = {"client_id": "x", "client_secret": "y", name: payload}
    elif kind == "application/jsonl":
        request["content"], request["headers"]["Content-Type"] = json.dumps({name: payload}), kind
    return api.request(method, address, **request)


def quoted(payload: str) -> str:
    return "".join(f"%{byte:02X}" for byte in payload.encode())


def test_sql_in_no_input_is_run(api: httpx2.Client, module_warehouse: Warehouse, admin: dict[str, str]) -> None:
    places = sorted(set(text_places(api.get("/openapi.json").json())))
    assert len(places) > 40
    before = state(module_warehouse)
    for place in places:
        for payload in INJECTIONS:
            started = time.perf_counter()
            answer = attack(api, place, payload, admin)
            assert answer.status_code < 500, (place, payload, answer.text)
            assert time.perf_counter() - started < SLEEP - 1, (place, payload)
            assert "$argon2" not in answer.text
    assert state(module_warehouse) == before


def test_sql_in_every_answer_is_kept_to_the_letter(
    api: httpx2.Client, module_warehouse: Warehouse, admin: dict[str, str]
) -> None:
    plain = [name for name in load_contract("household_survey").names if name not in {"household_id", "submission_id"}]
    before = state(module_warehouse)
    for number, payload in enumerate(INJECTIONS):
        survey = {"household_id": f"SQLI-{number}", "survey_data": dict.fromkeys(plain, payload) | {payload: payload}}
        assert api.post(SURVEY, json=survey, headers=admin).status_code == 200
    with module_warehouse.database.transaction() as connection:
        rows = connection.execute(
            "select district from raw.household_survey where household_id like 'SQLI-%'"
        ).fetchall()
    assert sorted(row[0] for row in rows) == sorted(INJECTIONS)
    assert state(module_warehouse) == before


def test_sql_in_the_dashboard_s_addresses_is_not_run(module_warehouse: Warehouse, good: str) -> None:
    keys = load_keys(module_warehouse.settings)
    claims = jwt.decode(good, options={"verify_signature": False})
    session = {**claims, "aud": "kyalo-dashboard", "form_word": "x"}
    before = state(module_warehouse)
    app = create_dashboard(module_warehouse.settings)
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as browser:
        browser.cookies.set("kyalo_session", sign(jwt.get_unverified_header(good), session, keys.signing_key.encode()))
        for payload in INJECTIONS:
            for page, name in ADDRESSED:
                started = time.perf_counter()
                answer = browser.get(f"/dashboard/{page}", params={name: payload})
                assert answer.status_code in {200, 303, 422, 503}, (page, name, payload)  # 503: not built yet
                assert time.perf_counter() - started < SLEEP - 1
            assert browser.get(f"/dashboard/runs/{quoted(payload)}").status_code == 404
            form = {"name": payload, "secret": payload, "form_word": "x"}
            assert browser.post("/dashboard/sign-in", data=form).status_code == 400
    assert state(module_warehouse) == before


CANARY = "canary-7d1f"
PATHS = [
    "../canary.txt",
    "../../canary.txt",
    "../../../../../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\canary.txt",
    "....//....//canary.txt",
    "%2e%2e/%2e%2e/canary.txt",
    "..%2f..%2fcanary.txt",
    "..%252f..%252fcanary.txt",
    "..;/..;/canary.txt",
    "raw/../../canary.txt",
    "file:///etc/passwd",
    "~/canary.txt",
    "C:\\canary.txt",
    "..",
    ".",
    "secret_key",
]


@pytest.fixture
def planted(module_warehouse: Warehouse) -> list[str]:
    """Files beside the store that nobody may read, and all there are besides it, which must not become more."""
    home = module_warehouse.settings.home
    for make in (load_keys, load_key_ring):  # on first use
        make(module_warehouse.settings)
    for folder in (home, home.parent, module_warehouse.settings.store_folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "canary.txt").write_text(CANARY)
    return outside(module_warehouse)


def outside(warehouse: Warehouse) -> list[str]:
    """Every file around the store but those within it and the logs."""
    store = warehouse.settings.store_folder.resolve()
    found = (path for path in warehouse.settings.home.parent.rglob("*") if store not in path.parents)
    return sorted(str(path) for path in found if path.is_file() and "logs" not in path.parts)


@pytest.mark.parametrize("base", ["/api/v1/forms/", "/api/v1/status/", "/openrosa/forms/", "/static-offline-docs/",
                                  "/api/v1/households/", "/dashboard/", "/"])  # fmt: skip
def test_no_address_leads_to_a_file(
    api: httpx2.Client, module_warehouse: Warehouse, admin: dict[str, str], planted: list[str], base: str
) -> None:
    for path in PATHS:
        for end in ("", ".xml", "/manifest", "/personal"):
            for address in (f"{base}{path}{end}", f"{base}{quoted(path)}{end}"):
                status, body = ask(api, address.replace(" ", "%20"), admin)
                assert status in {200, 303, 307, 308, 400, 404, 405, 422}, address
                assert CANARY not in body, address
                assert "root:" not in body, address
                assert load_keys(module_warehouse.settings).signing_key not in body
    assert outside(module_warehouse) == planted


def ask(api: httpx2.Client, address: str, headers: dict[str, str]) -> tuple[int, str]:
    """A request whose address goes out as it is: other clients would tidy it."""
    connection = http.client.HTTPConnection(api.base_url.host, api.base_url.port or 80, timeout=10)
    connection.putrequest("GET", address, skip_host=False)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text


def test_no_asset_of_the_dashboard_leads_to_a_file(module_warehouse: Warehouse, planted: list[str]) -> None:
    with TestClient(create_dashboard(module_warehouse.settings), follow_redirects=False) as browser:
        for path in PATHS:
            for address in (f"/dashboard/static/0/{quoted(path)}", f"/dashboard/static/{quoted(path)}/kyalo.css"):
                answer = browser.get(address)
                assert answer.status_code in {200, 404}, address
                assert CANARY not in answer.text
                assert "root:" not in answer.text
    assert outside(module_warehouse) == planted


def test_no_name_of_an_upload_leads_out_of_the_store(
    api: httpx2.Client, module_warehouse: Warehouse, admin: dict[str, str], planted: list[str]
) -> None:
    rows = b"HouseHoldID,District\nPATH-%d,Kanungu\n"
    accepted = 0
    for number, path in enumerate(PATHS):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{path}.csv", rows % (100 + number))
        for name, content in ((f"{path}.csv", rows % number), (f"{path}.zip", packed.getvalue())):
            answer = api.post(FILE, files={"file": (name, content)}, headers=admin)
            assert answer.status_code in {200, 422}, (name, answer.text)
            accepted += answer.status_code == 200
        for field in ("form", "sheet", "file_type"):
            content = ("a.csv", rows % (200 + number))
            answer = api.post(FILE, files={"file": content}, data={field: path}, headers=admin)
            assert answer.status_code in {200, 404, 422}, (field, path)
        survey = {**EXAMPLE_SURVEY, "household_id": path}
        answer = api.post(SURVEY, json=survey, params={"form": path}, headers=admin)
        assert answer.status_code == 404
    while land_next(module_warehouse.database, module_warehouse.store):
        pass
    assert accepted
    assert outside(module_warehouse) == planted
    folder = module_warehouse.settings.store_folder
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()} <= {
        "raw", "audit", "canary.txt"
    }  # fmt: skip


def test_no_key_leads_out_of_the_store(module_warehouse: Warehouse, planted: list[str]) -> None:
    store, canary = module_warehouse.store, module_warehouse.settings.home / "canary.txt"
    for path in PATHS:
        with suppress(KyaloError), store.get(path) as content:
            assert CANARY.encode() not in content.read()
        with suppress(KyaloError):
            store.put(path, io.BytesIO(b"x"), "text/csv")
        with suppress(KyaloError):
            store.delete(path)
    assert outside(module_warehouse) == planted
    assert canary.read_text() == CANARY
