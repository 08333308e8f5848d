"""Who may pass through which door: every role against every route of the API and of the dashboard, from one list."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ingest_api.audit import UNRECORDED, actions_of_api, read_actions
from ingest_api.auth.clients import add_client
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from orchestration.dashboard.app import AUDITED
from orchestration.dashboard.app import create_app as create_dashboard
from orchestration.serving import create_app
from tests.served import served, sign_in
from warehouse.audit.reading import list_entries

pytestmark = pytest.mark.xdist_group("api")

ROLES = ("none", "device", "office", "analyst", "admin")
EVERYBODY, NOBODY_NEEDED = {"device", "office", "analyst", "admin"}, {*ROLES}
SENDERS, REVIEWERS, PEOPLE = {"device", "office", "admin"}, {"office", "admin"}, {"office", "analyst", "admin"}
JSON: dict[str, Any] = {"json": EXAMPLE_SURVEY}
DECISION: dict[str, Any] = {"json": {"decision": "release", "reason": "because"}}
FILE: dict[str, Any] = {"files": {"file": ("a.csv", b"HouseHoldID,District\nMATRIX-1,Kanungu\n", "text/csv")}}
INSTANCE: dict[str, Any] = {"files": {"xml_submission_file": ("a.xml", b"<data/>", "text/xml")}}
# The one list: who may, and an honest request. Those who may not are refused before anything else is judged.
API: dict[tuple[str, str], tuple[set[str], dict[str, Any]]] = {
    ("GET", "/openapi.json"): (NOBODY_NEEDED, {}),
    ("HEAD", "/openapi.json"): (NOBODY_NEEDED, {}),
    ("GET", "/docs"): (NOBODY_NEEDED, {}),
    ("GET", "/docs/oauth2-redirect"): (NOBODY_NEEDED, {}),
    ("GET", "/health"): (NOBODY_NEEDED, {}),
    ("GET", "/ready"): (NOBODY_NEEDED, {}),
    ("GET", "/metrics"): (NOBODY_NEEDED, {}),
    ("GET", "/dashboard"): (NOBODY_NEEDED, {}),
    ("POST", "/api/v1/auth/token"): (NOBODY_NEEDED, {"json": {"client_id": 1}}),
    ("POST", "/api/v1/upload/survey-data"): (SENDERS, JSON),
    ("POST", "/api/v1/upload/surveys"): (SENDERS, {"json": [EXAMPLE_SURVEY]}),
    ("POST", "/api/v1/upload/file"): (REVIEWERS, FILE),
    ("GET", "/api/v1/status/{ingestion_id}"): (EVERYBODY, {}),
    ("GET", "/api/v1/quarantine"): (REVIEWERS, {}),
    ("GET", "/api/v1/quarantine/{submission_id:submission}"): (REVIEWERS, {}),
    ("POST", "/api/v1/quarantine/{submission_id:submission}/decision"): (REVIEWERS, DECISION),
    ("POST", "/api/v1/quarantine/batches/{ingestion_id}/decision"): (REVIEWERS, DECISION),
    ("GET", "/api/v1/households/{household_id}/personal"): ({"admin"}, {}),
    ("GET", "/api/v1/forms"): (EVERYBODY, {}),
    ("GET", "/api/v1/forms/{form}"): (EVERYBODY, {}),
    ("POST", "/api/v1/predict"): (EVERYBODY, JSON),
    ("POST", "/api/v1/alerts/{alert_id}/acknowledgement"): (REVIEWERS, {}),
    ("GET", "/openrosa/formList"): (SENDERS, {}),
    ("GET", "/openrosa/forms/{form}/manifest"): (SENDERS, {}),
    ("GET", "/openrosa/forms/{form}.xml"): (SENDERS, {}),
    ("HEAD", "/openrosa/submission"): (SENDERS, {}),
    ("POST", "/openrosa/submission"): (SENDERS, INSTANCE),
}
API |= {
    (method, path.replace("/openrosa/", "/openrosa/key/{token}/")): wanted
    for (method, path), wanted in API.items()
    if path.startswith("/openrosa/")
}
PAGE: tuple[set[str], dict[str, Any]] = (PEOPLE, {})
DASHBOARD: dict[tuple[str, str], tuple[set[str], dict[str, Any]]] = {
    ("GET", "/"): (NOBODY_NEEDED, {}),
    ("GET", "/dashboard/alive"): (NOBODY_NEEDED, {}),
    ("GET", "/dashboard/static/{_mark}/{name}"): (NOBODY_NEEDED, {}),
    ("GET", "/dashboard/sign-in"): (NOBODY_NEEDED, {}),
    ("POST", "/dashboard/sign-in"): (NOBODY_NEEDED, {}),
    ("GET", "/dashboard"): PAGE,
    ("GET", "/dashboard/ingestion"): PAGE,
    ("GET", "/dashboard/quality"): PAGE,
    ("GET", "/dashboard/quality/submission"): (REVIEWERS, {"params": {"of": "x"}}),
    ("POST", "/dashboard/quality/submission"): (REVIEWERS, {"data": {"of": "x", "decision": "release"}}),
    ("POST", "/dashboard/quality/batch"): (REVIEWERS, {"data": {"of": "x", "decision": "release"}}),
    ("GET", "/dashboard/risk"): PAGE,
    ("GET", "/dashboard/risk/priorities.csv"): PAGE,
    ("GET", "/dashboard/models"): PAGE,
    ("GET", "/dashboard/runs"): PAGE,
    ("GET", "/dashboard/runs/{run_id}"): PAGE,
    ("GET", "/dashboard/alerts"): PAGE,
    ("POST", "/dashboard/alerts"): (REVIEWERS, {"data": {"of": "01a20966-a03c-7b10-a4c7-5ecde1d85726"}}),
    ("POST", "/dashboard/sign-out"): PAGE,
}
FILLED = {
    "ingestion_id": "ing_20261123_000001",
    "submission_id:submission": "content:0123456789abcdef0123456789abcdef",
    "household_id": "KAN-1",
    "form": "household_survey",
    "alert_id": "01a20966-a03c-7b10-a4c7-5ecde1d85726",
    "run_id": "none",
    "_mark": "0",
    "name": "kyalo.css",
}
MOUNTED = {"/static-offline-docs"}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and address that an application answers."""
    found = set()
    for route in app.routes:
        inner = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        for each in inner:
            if each.path not in MOUNTED:
                found |= {(method, each.path) for method in each.methods}
    return found


def fill(path: str, **more: str) -> str:
    values = FILLED | more
    return re.sub(r"\{([^}]+)\}", lambda found: values[found[1]], path)


def test_lists_name_every_route(module_warehouse: Warehouse) -> None:
    assert routes_of(create_app(module_warehouse.settings)) == API.keys()
    assert routes_of(create_dashboard(module_warehouse.settings)) == DASHBOARD.keys()


def test_every_route_has_a_name_in_the_audit(module_warehouse: Warehouse) -> None:
    exempt = {path for _, path in API if path in UNRECORDED or path.startswith("/docs/")}
    assert {key for key in API if key[1] not in exempt} == actions_of_api().keys()
    exempt = {"/dashboard/alive", "/dashboard/static/{_mark}/{name}"}
    assert {key for key in DASHBOARD if key[1] not in exempt} == read_actions(AUDITED).keys()


@pytest.fixture(scope="module")
def api(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    with served(module_warehouse, rate_limit_per_minute=0, login_limit_per_minute=10_000) as client:
        yield client


@pytest.fixture(scope="module")
def clients(api: httpx2.Client, module_warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """For each role its name, secret, headers and the token that stands in addresses."""
    found: dict[str, dict[str, Any]] = {"none": {"headers": {}, "token": "nobody-s"}}
    for role in ROLES[1:]:
        given = add_client(module_warehouse.database, f"m-{role}", role, with_url_token=True)  # type: ignore[arg-type]
        headers = sign_in(api, given.name, given.secret)
        found[role] = {"headers": headers, "token": given.url_token, "name": given.name, "secret": given.secret}
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path"), API)
def test_api_lets_in_whom_it_should(
    api: httpx2.Client, module_warehouse: Warehouse, clients: dict[str, Any], method: str, path: str, role: str
) -> None:
    allowed, request = API[method, path]
    is_by_address = "{token}" in path
    headers = {} if is_by_address else clients[role]["headers"]
    answer = api.request(method, fill(path, token=clients[role]["token"]), headers=headers, **request)
    if role in allowed:
        assert answer.status_code not in {401, 403}, answer.text
        assert answer.status_code < 500
    else:
        assert answer.status_code == (401 if role == "none" and not is_by_address else 403), answer.text
        entry = list_entries(module_warehouse.database, limit=1)[0]
        assert (entry.result, entry.http_status, entry.action) == (
            "refused", answer.status_code, actions_of_api()[method, path]
        )  # fmt: skip


@pytest.fixture(scope="module")
def visitors(
    api: httpx2.Client, module_warehouse: Warehouse, clients: dict[str, Any]
) -> Iterator[dict[str, TestClient]]:
    """For each role a browser on the dashboard; a device is not let in, and so is nobody."""
    app = create_dashboard(module_warehouse.settings.model_copy(update={"api_url": str(api.base_url)}))
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False):
        browsers = {role: TestClient(app, follow_redirects=False, raise_server_exceptions=False) for role in ROLES}
        for role in ROLES[1:]:
            word = form_word(browsers[role].get("/dashboard/sign-in").text)
            form = {"name": clients[role]["name"], "secret": clients[role]["secret"], "form_word": word}
            assert browsers[role].post("/dashboard/sign-in", data=form).status_code == (
                403 if role == "device" else 303
            )
        yield browsers


def form_word(page: str) -> str:
    found = re.search(r'name="form_word" value="([^"]+)"', page)
    return found[1] if found else ""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path"), [key for key in DASHBOARD if key[1] != "/dashboard/sign-out"])
def test_dashboard_lets_in_whom_it_should(
    module_warehouse: Warehouse, visitors: dict[str, TestClient], method: str, path: str, role: str
) -> None:
    allowed, request = DASHBOARD[method, path]
    browser = visitors[role]
    if method == "POST":
        request = {"data": request.get("data", {}) | {"form_word": form_word(browser.get("/dashboard").text)}}
    answer = browser.request(method, fill(path), **request)
    place = answer.headers.get("Location", "")
    if role in allowed:
        assert answer.status_code not in {401, 403}
        assert not place.startswith("/dashboard/sign-in")
        return
    if role in PEOPLE and method == "POST":  # the API judges, which the page tells
        assert answer.status_code in {400, 403}
        assert "which may not do this" in answer.text
    elif role in PEOPLE:
        assert answer.status_code == 403
    else:
        assert answer.status_code in {303, 401}
        assert answer.status_code == 401 or place.startswith("/dashboard/sign-in")
    entry = next(each for each in list_entries(module_warehouse.database, limit=5) if each.door == "dashboard")
    assert (entry.result, entry.action) == ("refused", read_actions(AUDITED)[method, path])


def test_device_finds_nothing_of_another(api: httpx2.Client, module_warehouse: Warehouse) -> None:
    one, other = (
        sign_in(api, given.name, given.secret)
        for given in (add_client(module_warehouse.database, name, "device") for name in ("idor-1", "idor-2"))
    )
    survey = EXAMPLE_SURVEY | {"household_id": "IDOR-1"}
    sent = {
        "survey": api.post("/api/v1/upload/survey-data", json=survey, headers=one).json()["ingestion_id"],
        "batch": api.post("/api/v1/upload/surveys", json=[survey], headers=one).json()["ingestion_id"],
    }
    for ingestion_id in sent.values():
        assert api.get(f"/api/v1/status/{ingestion_id}", headers=one).status_code == 200
        answer = api.get(f"/api/v1/status/{ingestion_id}", headers=other)
        assert answer.status_code == 404
        absent = api.get("/api/v1/status/ing_20000101_000001", headers=other)  # it does not even tell that it exists
        assert answer.json() == {**absent.json(), "detail": f"There is no ingestion {ingestion_id!r}."}
    for beside in ("?client=idor-1", "?owner=idor-1", "%2f..", "/", "%00"):
        assert api.get(f"/api/v1/status/{sent['survey']}{beside}", headers=other).status_code in {307, 400, 404}


def test_name_of_a_request_is_its_client_s_own(api: httpx2.Client, module_warehouse: Warehouse) -> None:
    headers = [
        sign_in(api, given.name, given.secret) | {"Idempotency-Key": "the-same"}
        for given in (add_client(module_warehouse.database, name, "device") for name in ("key-1", "key-2"))
    ]
    bodies = [EXAMPLE_SURVEY | {"household_id": f"KEY-{number}"} for number in (1, 2)]
    receipts = [
        api.post("/api/v1/upload/survey-data", json=body, headers=header).json()
        for body, header in zip(bodies, headers, strict=True)
    ]
    assert receipts[0]["ingestion_id"] != receipts[1]["ingestion_id"]
    assert {receipt["status"] for receipt in receipts} == {"success"}
    with module_warehouse.database.transaction() as connection:
        stored = connection.execute(
            "select count(*) from raw.household_survey where household_id in ('KEY-1', 'KEY-2')"
        ).fetchone()
    assert stored == (2,)
