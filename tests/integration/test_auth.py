"""Who may send: tokens, roles, revocation and rotation over real HTTP."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import psycopg
import pytest

from ingest_api.auth.clients import add_client, list_clients, revoke_client, rotate_client
from ingest_api.auth.registry import ClientRegistry
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from tests.processes import until
from tests.served import served, sign_in
from warehouse.errors import ConflictError, NotFoundError, RefusedRequestError

pytestmark = pytest.mark.xdist_group("api")

SIGN_IN = "/api/v1/auth/token"
SURVEY = "/api/v1/upload/survey-data"
SURVEYS = "/api/v1/upload/surveys"
FILE = "/api/v1/upload/file"
FORMS = "/api/v1/forms"
CSV = b"HouseHoldID,District\nROLE-1,Kanungu\n"


@pytest.fixture(scope="module")
def client(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    """A client of a running API that is not signed in."""
    with served(module_warehouse, rate_limit_per_minute=0, login_limit_per_minute=1000) as client:
        yield client


@pytest.fixture(scope="module")
def signed_in(client: httpx2.Client, module_warehouse: Warehouse) -> dict[str, dict[str, str]]:
    """For each role the header that a client of it sends."""
    headers = {}
    for role in ("device", "office", "analyst", "admin"):
        given = add_client(module_warehouse.database, f"one-{role}", role)
        headers[role] = sign_in(client, given.name, given.secret)
    return headers


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_token_comes_for_json_and_for_a_form(client: httpx2.Client, warehouse_client: Callable[[str], Any]) -> None:
    given = warehouse_client("office-token")
    credentials = {"client_id": given.name, "client_secret": given.secret}
    for body in ({"json": credentials}, {"data": {**credentials, "grant_type": "client_credentials"}}):
        answer = client.post(SIGN_IN, **body)
        assert answer.status_code == 200
        assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
        assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
        assert answer.headers["Cache-Control"] == "no-store"
        headers = {"Authorization": f"bearer {answer.json()['access_token']}"}
        assert client.get(FORMS, headers=headers).status_code == 200


@pytest.fixture
def warehouse_client(module_warehouse: Warehouse) -> Callable[[str], Any]:
    """Registers an office."""
    return lambda name: add_client(module_warehouse.database, name, "office")


BAD_SIGN_INS: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown": ({"json": {"client_id": "nobody", "client_secret": "x"}}, 401, "auth.bad_credentials"),
    "wrong_secret": ({"json": {"client_id": "one-office", "client_secret": "x"}}, 401, "auth.bad_credentials"),
    "nul": ({"json": {"client_id": "one\0office", "client_secret": "\0"}}, 401, "auth.bad_credentials"),
    "no_secret": ({"json": {"client_id": "one-office"}}, 400, "auth.bad_request"),
    "no_object": ({"json": ["one-office", "x"]}, 400, "auth.bad_request"),
    "number": ({"json": {"client_id": 1, "client_secret": 2}}, 400, "auth.bad_request"),
    "other_grant": (
        {"data": {"client_id": "a", "client_secret": "b", "grant_type": "password"}},
        400,
        "auth.bad_request",
    ),
    "many_fields": (
        {"content": b"a=b&" * 1000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        400,
        "auth.bad_request",
    ),
    "no_text": (
        {"content": b"\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        400,
        "auth.bad_request",
    ),
    "no_body": ({"headers": {"Content-Type": "application/json"}}, 400, "request.bad_json"),
    "no_type": ({"content": b"{}"}, 415, "request.wrong_content_type"),
    "large": ({"json": {"client_id": "a" * 10_000, "client_secret": "b"}}, 413, "request.too_large"),
}


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("name", BAD_SIGN_INS)
def test_bad_sign_in_is_refused(client: httpx2.Client, name: str) -> None:
    request, status, code = BAD_SIGN_INS[name]
    assert refusal(client.post(SIGN_IN, **request)) == (status, code)


@pytest.mark.parametrize("authorization", [None, "Basic b25lOngg", "Bearer", "Bearer x.y.z", "Token abc"])
def test_request_without_a_good_token_is_told_how_to_sign_in(client: httpx2.Client, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for answer in (client.get(FORMS, headers=headers), client.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers)):
        status, code = refusal(answer)
        assert (status, code.split(".")[0]) == (401, "auth")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


MAY: dict[str, set[str]] = {
    "survey": {"device", "office", "admin"},
    "batch": {"device", "office", "admin"},
    "file": {"office", "admin"},
    "forms": {"device", "office", "analyst", "admin"},
    "openrosa": {"device", "office", "admin"},
}


@pytest.mark.parametrize("role", ["device", "office", "analyst", "admin"])
def test_role_decides_what_a_client_may(client: httpx2.Client, signed_in: dict[str, dict[str, str]], role: str) -> None:
    headers = signed_in[role]
    answers = {
        "survey": client.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers),
        "batch": client.post(SURVEYS, json=[EXAMPLE_SURVEY], headers=headers),
        "file": client.post(FILE, files={"file": ("survey.csv", CSV, "text/csv")}, headers=headers),
        "forms": client.get(FORMS, headers=headers),
        "openrosa": client.get("/openrosa/formList", headers=headers),
    }
    for what, answer in answers.items():
        assert answer.status_code == (200 if role in MAY[what] else 403), (what, answer.text)


def test_device_sees_its_own_ingestions_only(client: httpx2.Client, signed_in: dict[str, dict[str, str]]) -> None:
    receipts = {
        role: client.post(SURVEY, json=EXAMPLE_SURVEY, headers=signed_in[role]).json()["ingestion_id"]
        for role in ("device", "office")
    }

    def ask(role: str, owner: str) -> int:
        return client.get(f"/api/v1/status/{receipts[owner]}", headers=signed_in[role]).status_code

    assert [ask("device", "device"), ask("device", "office")] == [200, 404]
    assert [ask("office", "device"), ask("analyst", "device"), ask("admin", "device")] == [200, 200, 200]


def test_revocation_holds_at_once(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    given = add_client(module_warehouse.database, "tablet-lost", "device")
    headers = sign_in(client, given.name, given.secret)
    assert client.get(FORMS, headers=headers).status_code == 200
    revoke_client(module_warehouse.database, given.name)
    until(lambda: client.get(FORMS, headers=headers).status_code == 401, seconds=1)
    assert refusal(client.get(FORMS, headers=headers)) == (401, "auth.revoked")
    with pytest.raises(httpx2.HTTPStatusError, match="401"):
        sign_in(client, given.name, given.secret)


def test_rotation_ends_the_old_secret_and_its_tokens(client: httpx2.Client, module_warehouse: Warehouse) -> None:
    given = add_client(module_warehouse.database, "office-rotated", "office")
    old = sign_in(client, given.name, given.secret)
    new = rotate_client(module_warehouse.database, given.name)
    assert new.url_token is None
    until(lambda: client.get(FORMS, headers=old).status_code == 401, seconds=1)
    with pytest.raises(httpx2.HTTPStatusError, match="401"):
        sign_in(client, given.name, given.secret)
    assert client.get(FORMS, headers=sign_in(client, new.name, new.secret)).status_code == 200


def test_table_is_read_for_each_request_while_nobody_tells_of_changes(warehouse: Warehouse) -> None:
    add_client(warehouse.database, "tablet-1", "device")
    registry = ClientRegistry(warehouse.database)
    try:
        until(lambda: registry.current() is not None)
        cut_connections(warehouse)
        until(lambda: registry.current() is None, seconds=1)
        revoke_client(warehouse.database, "tablet-1")
        assert registry.read().by_name["tablet-1"].revoked_at
        until(lambda: registry.current() is not None)
        table = registry.current()
        assert table is not None
        assert table.by_name["tablet-1"].revoked_at
    finally:
        registry.close()


def cut_connections(warehouse: Warehouse) -> None:
    """End every connection to the warehouse's database, as a restart of the server does."""
    address = {**warehouse.database.address(), "dbname": "postgres"}
    with psycopg.connect(**address, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [warehouse.settings.db_name],
        )


def test_requests_go_on_while_the_listening_connection_is_lost(
    client: httpx2.Client, module_warehouse: Warehouse
) -> None:
    given = add_client(module_warehouse.database, "office-cut", "office")
    headers = sign_in(client, given.name, given.secret)
    for _ in range(3):
        cut_connections(module_warehouse)
        assert client.get(FORMS, headers=headers).status_code == 200
    revoke_client(module_warehouse.database, given.name)
    until(lambda: client.get(FORMS, headers=headers).status_code == 401, seconds=1)


def test_last_use_is_noted(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "office-1", "office")
    with served(warehouse) as client:
        assert client.get(FORMS, headers=sign_in(client, given.name, given.secret)).status_code == 200
    (registered,) = list_clients(warehouse.database)
    assert registered.last_used_at


def test_too_many_failed_sign_ins_must_wait(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "office-1", "office")
    with served(warehouse, login_limit_per_minute=3) as client:
        headers = sign_in(client, given.name, given.secret)
        answers = [client.post(SIGN_IN, json={"client_id": "office-1", "client_secret": "guess"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[3].json()["code"] == "rate.too_many_failures"
        assert 0 < int(answers[3].headers["Retry-After"]) <= 60
        assert client.get(FORMS, headers=headers).status_code == 200
        assert sign_in(client, given.name, given.secret)  # it is remembered from before


def test_client_that_runs_wild_must_wait(warehouse: Warehouse) -> None:
    secrets = {name: add_client(warehouse.database, name, "device").secret for name in ("tablet-1", "tablet-2")}
    with served(warehouse, rate_limit_per_minute=5) as client:
        wild, calm = (sign_in(client, name, secret) for name, secret in secrets.items())
        answers = [client.get(FORMS, headers=wild) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        assert answers[4].json()["code"] == "rate.too_many_requests"
        assert 0 < int(answers[4].headers["Retry-After"]) <= 12
        assert client.get(FORMS, headers=calm).status_code == 200


def test_honest_device_syncs_five_hundred_surveys(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "tablet-1", "device")
    with served(warehouse) as client:
        headers = sign_in(client, given.name, given.secret)
        for number in range(500):
            survey = EXAMPLE_SURVEY | {"household_id": f"SYNC-{number}"}
            assert client.post(SURVEY, json=survey, headers=headers).status_code == 200


def test_secrets_are_not_kept(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "tablet-1", "device", with_url_token=True)
    with warehouse.database.transaction() as connection:
        (row,) = connection.execute(
            "select clients::text, encode(url_token_hash, 'escape') from ops.clients"
        ).fetchall()
    assert given.url_token
    assert given.secret not in str(row)
    assert given.url_token not in str(row)
    assert "$argon2id$" in row[0]


def test_names_are_given_once(warehouse: Warehouse) -> None:
    database = warehouse.database
    add_client(database, "tablet-1", "device")
    with pytest.raises(ConflictError):
        add_client(database, "tablet-1", "admin")
    revoke_client(database, "tablet-1")
    with pytest.raises(NotFoundError):
        rotate_client(database, "tablet-1")
    with pytest.raises(NotFoundError):
        revoke_client(database, "tablet-2")
    with pytest.raises(RefusedRequestError):
        add_client(database, "tablet\n1", "device")


def test_revocation_is_noticed_by_the_table_in_memory_within_a_moment(warehouse: Warehouse) -> None:
    add_client(warehouse.database, "tablet-1", "device")
    registry = ClientRegistry(warehouse.database)
    try:
        until(lambda: registry.current() is not None)
        revoke_client(warehouse.database, "tablet-1")
        started = time.monotonic()
        until(lambda: (table := registry.current()) is not None and bool(table.by_name["tablet-1"].revoked_at))
        assert time.monotonic() - started < 0.4  # told, not found by looking twice a second
    finally:
        registry.close()
