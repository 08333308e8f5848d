"""How form apps sign in: an address with a token that no log holds, or a password that nobody can overhear."""

from collections.abc import Iterator

import httpx2
import pytest

from ingest_api.auth.clients import Credentials, add_client, revoke_client, rotate_client
from orchestration.api_process import serving_api
from orchestration.context import Warehouse
from tests.processes import until
from tests.served import served

pytestmark = pytest.mark.xdist_group("api")

LIST = "/openrosa/formList"


@pytest.fixture
def phone(warehouse: Warehouse) -> Credentials:
    """What a phone is set up with."""
    return add_client(warehouse.database, "phone-1", "device", with_url_token=True)


@pytest.fixture
def client(warehouse: Warehouse, phone: Credentials) -> Iterator[httpx2.Client]:
    """A client of an API that lets three sign-ins fail in a minute and believes a proxy at 127.0.0.1."""
    with served(warehouse, login_limit_per_minute=3, trusted_proxies="127.0.0.1") as client:
        yield client


def test_token_in_the_address_signs_in_until_it_is_rotated_or_revoked(
    client: httpx2.Client, warehouse: Warehouse, phone: Credentials
) -> None:
    assert client.get(f"/openrosa/key/{phone.url_token}/formList").status_code == 200
    new = rotate_client(warehouse.database, "phone-1")
    assert new.url_token not in (None, phone.url_token)
    until(lambda: client.get(f"/openrosa/key/{new.url_token}/formList").status_code == 200, seconds=1)
    assert client.get(f"/openrosa/key/{phone.url_token}/formList").status_code == 403
    revoke_client(warehouse.database, "phone-1")
    until(lambda: client.get(f"/openrosa/key/{new.url_token}/formList").status_code == 403, seconds=1)


def test_guessed_tokens_are_counted_and_a_good_one_still_signs_in(client: httpx2.Client, phone: Credentials) -> None:
    answers = [client.get("/openrosa/key/guess/formList").status_code for _ in range(4)]
    assert answers == [403, 403, 403, 429]
    assert client.get(f"/openrosa/key/{phone.url_token}/formList").status_code == 200


def test_password_is_taken_over_tls_or_from_this_machine(client: httpx2.Client, phone: Credentials) -> None:
    def ask(secret: str, **forwarded: str) -> httpx2.Response:
        headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}
        return client.get(LIST, auth=("phone-1", secret), headers=headers)

    assert ask(phone.secret).status_code == 200
    assert ask(phone.secret, For="198.51.100.7", Proto="https").status_code == 200
    for refused in (ask(phone.secret, For="198.51.100.7", Proto="http"), ask(phone.secret, For="198.51.100.7")):
        assert refused.status_code == 401
        assert "https" in refused.text
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert ask("guess").status_code == 401


def test_forwarding_of_a_stranger_is_not_believed(warehouse: Warehouse, phone: Credentials) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    with served(warehouse) as client:
        assert client.get(LIST, auth=("phone-1", phone.secret), headers=headers).status_code == 401


def test_guessed_passwords_are_counted_by_the_address_behind_the_proxy(
    client: httpx2.Client, phone: Credentials
) -> None:
    def ask(name: str, secret: str, address: str) -> int:
        headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
        return client.get(LIST, auth=(name, secret), headers=headers).status_code

    assert [ask(f"guess-{number}", "x", "198.51.100.7") for number in range(4)] == [401, 401, 401, 429]
    assert [ask("phone-1", "x", "198.51.100.9") for _ in range(4)] == [401, 401, 401, 429]
    assert ask("phone-1", phone.secret, "198.51.100.8") == 200  # whatever others try in its name


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /w==", "Digest x=y"])
def test_what_is_no_sign_in_is_told_how(client: httpx2.Client, authorization: str) -> None:
    answer = client.get(LIST, headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"


def test_no_log_holds_a_token(warehouse: Warehouse, phone: Credentials) -> None:
    bad_xml = {"xml_submission_file": ("survey.xml", b"<no", "text/xml")}
    with serving_api(warehouse) as client:
        for token in (phone.url_token, "secretguess"):
            base = f"/openrosa/key/{token}"
            client.get(f"{base}/formList?deviceID=collect:1")
            client.head(f"{base}/submission")
            client.post(f"{base}/submission", files=bad_xml)
            client.get(f"{base}/nothing")
            client.get(f"/OpenRosa/Key/{token}/formList")
            client.get(f"//openrosa//key/{token}")
            client.put(f"/openrosa/%6bey/{token}/submission")
    for log_file in (warehouse.settings.home / "logs").iterdir():
        log = log_file.read_text()
        assert "/key/***" in log
        assert str(phone.url_token) not in log
        assert "secretguess" not in log
