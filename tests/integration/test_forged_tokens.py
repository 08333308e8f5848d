"""Forged tokens of the API and sessions of the dashboard: none is believed, and the audit tells of each."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.testclient import TestClient

from ingest_api.auth.clients import add_client, rotate_client
from ingest_api.auth.keys import load_keys
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from orchestration.dashboard.app import create_app as create_dashboard
from tests.processes import until
from tests.served import served, sign_in
from tests.signed_tokens import encode, sign
from warehouse.audit.reading import list_entries

pytestmark = pytest.mark.xdist_group("api")

FORMS = "/api/v1/forms"
SURVEY = "/api/v1/upload/survey-data"
NAME = "jwt-office"
# What the header of an attacker's token names as its key.
KEY_NAMES = ("../../../dev/null", "/dev/null", "", " ", "' union select 'x' --", "retired", "secret_key", "0")


@pytest.fixture(scope="module")
def api(module_warehouse: Warehouse) -> Iterator[httpx2.Client]:
    with served(module_warehouse, rate_limit_per_minute=0, login_limit_per_minute=10_000) as client:
        yield client


@pytest.fixture(scope="module")
def good(api: httpx2.Client, module_warehouse: Warehouse) -> str:
    """A token that is believed."""
    given = add_client(module_warehouse.database, NAME, "office")
    return sign_in(api, given.name, given.secret)["Authorization"].removeprefix("Bearer ")


def forgeries(good: str, key: bytes, kid: str) -> dict[str, str]:
    """Tokens of an attacker who has seen a good one, and one each of who even has the key but not the rights."""
    header, claims = jwt.get_unverified_header(good), jwt.decode(good, options={"verify_signature": False})
    return {
        **of_other_algorithms(good, header, claims, key, kid),
        **of_other_keys(header, claims, kid),
        **of_other_claims(header, claims, key),
        **mangled(good, claims),
    }


def of_other_algorithms(
    good: str, header: dict[str, object], claims: dict[str, Any], key: bytes, kid: str
) -> dict[str, str]:
    """None, one of the family, one with two keys whose public one is taken for the secret."""
    _, body, signature = good.split(".")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = private.public_key().public_bytes(serialization.Encoding.PEM, form)
    found = {
        f"algorithm_{name}{end}": f"{encode({**header, 'alg': name})}.{body}.{end}"
        for name in ("none", "None", "nOnE", "", "HS256 ")
        for end in ("", signature)
    }
    return found | {
        "confused_with_public_key": sign(header, claims, public),
        "signed_by_rsa": jwt.encode(claims, private, "RS256", headers={"kid": kid}),
        "own_certificate": sign({**header, "x5c": [encode(public)]}, claims, b"attacker" * 4),
        "unencoded": sign({**header, "b64": False, "crit": ["b64"]}, claims, b""),
        "unknown_critical": sign({**header, "crit": ["x"]}, claims, key),
        "sha512": sign({**header, "alg": "HS512"}, claims, key, "sha512"),
        "sha1": sign(header, claims, key, "sha1"),
    }


def of_other_keys(header: dict[str, object], claims: dict[str, Any], kid: str) -> dict[str, str]:
    """Signed with what the attacker has, under any name that might lead to it."""
    own = b"attacker" * 4
    kinds: tuple[object, ...] = (None, 1, [kid], {"a": kid})
    named = {repr(name): name for name in (*KEY_NAMES, f"{kid}\0", *kinds)}
    found = {f"key_named_{name}": sign({**header, "kid": each}, claims, b"") for name, each in named.items()}
    return found | {
        "empty_key": sign(header, claims, b""),
        "key_of_nul": sign(header, claims, b"\0" * 32),
        "own_key_in_header": sign({**header, "jwk": {"kty": "oct", "k": encode(own)}}, claims, own),
        "own_keys_by_address": sign({**header, "jku": "http://127.0.0.1:1/keys"}, claims, own),
    }


def of_other_claims(header: dict[str, object], claims: dict[str, Any], key: bytes) -> dict[str, str]:
    """Signed with the very key, and of no use all the same."""
    now = int(time.time())
    changes: dict[str, dict[str, object]] = {
        "expired": {"exp": now - 1},
        "not_yet_valid": {"nbf": now + 3600},
        "issued_later": {"iat": now + 3600},
        "other_audience": {"aud": "kyalo-dashboard"},
        "other_issuer": {"iss": "kyalo.example"},
        "name_no_text": {"sub": {"a": 1}},
        "generation_no_number": {"generation": "x"},
        "end_no_number": {"exp": "never"},
        "end_infinite": {"exp": float("inf")},
        "earlier_generation": {"generation": 0},
        "nobody": {"sub": "nobody"},
    }
    found = {name: sign(header, {**claims, **change}, key) for name, change in changes.items()}
    return found | {"claims_no_object": sign(header, [claims], key)}


def mangled(good: str, claims: dict[str, Any]) -> dict[str, str]:
    """A good one, changed or cut."""
    head, body, signature = good.split(".")
    return {
        "changed_role": f"{head}.{encode({**claims, 'role': 'admin'})}.{signature}",
        "changed_name": f"{head}.{encode({**claims, 'sub': 'attacked-admin'})}.{signature}",
        "changed_signature": f"{head}.{body}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}",
        "cut_signature": f"{head}.{body}.{signature[:20]}",
        "no_signature": f"{head}.{body}.",
        "two_parts": f"{head}.{body}",
        "four_parts": f"{good}.{signature}",
        "another_s_body": f"{head}.{encode(claims)}x.{signature}",
        "huge": f"{head}.{encode({**claims, 'x': 'x' * 20_000})}.{signature}",
        "deep": f"{head}.{encode(b'[' * 8_000)}.{signature}",
        "many_dots": "." * 5_000,
    }


def test_no_forged_token_is_believed(api: httpx2.Client, module_warehouse: Warehouse, good: str) -> None:
    keys = load_keys(module_warehouse.settings)
    forged = forgeries(good, keys.signing_key.encode(), keys.current)
    assert api.get(FORMS, headers={"Authorization": f"Bearer {good}"}).status_code == 200
    for name, token in forged.items():
        answer = api.get(FORMS, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, (name, answer.status_code, answer.text)
        assert answer.json()["code"].startswith("auth."), name
    entries = list_entries(module_warehouse.database, limit=len(forged))
    assert {(entry.result, entry.http_status, entry.actor) for entry in entries} == {("refused", 401, None)}
    assert api.get(FORMS, headers={"Authorization": f"Bearer {good}"}).status_code == 200


def test_no_forged_session_is_believed(module_warehouse: Warehouse, good: str) -> None:
    keys = load_keys(module_warehouse.settings)
    forged = forgeries(good, keys.signing_key.encode(), keys.current) | {"token_of_the_api": good}
    claims = jwt.decode(good, options={"verify_signature": False})
    session = {**claims, "aud": "kyalo-dashboard", "form_word": "x"}
    with TestClient(create_dashboard(module_warehouse.settings), follow_redirects=False) as browser:
        browser.cookies.set("kyalo_session", sign(jwt.get_unverified_header(good), session, keys.signing_key.encode()))
        assert browser.get("/dashboard/runs").status_code == 200  # the attack begins from a session that would hold
        for name, token in forged.items():
            browser.cookies.set("kyalo_session", token)
            answer = browser.get("/dashboard/runs")
            assert answer.status_code == 303, name
            assert answer.headers["Location"].startswith("/dashboard/sign-in")
        assert browser.post("/dashboard/sign-out").status_code in {400, 401}


def test_token_is_of_no_use_after_another_secret_was_given(api: httpx2.Client, module_warehouse: Warehouse) -> None:
    given = add_client(module_warehouse.database, "replayed", "office")
    headers = sign_in(api, given.name, given.secret)
    with TestClient(create_dashboard(module_warehouse.settings), follow_redirects=False) as browser:
        page = browser.get("/dashboard/sign-in").text
        word = page.partition('name="form_word" value="')[2].partition('"')[0]
        form = {"name": given.name, "secret": given.secret, "form_word": word}
        browser.post("/dashboard/sign-in", data=form)
        assert browser.get("/dashboard/runs").status_code == 200
        rotate_client(module_warehouse.database, given.name)
        until(lambda: api.get(FORMS, headers=headers).status_code == 401, seconds=2)
        assert api.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers).json()["code"] == "auth.revoked"
        assert browser.get("/dashboard/runs").status_code == 303
