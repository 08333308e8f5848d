"""Access tokens and their keys: what is believed, and what is not."""

import hashlib
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from ingest_api.auth.clients import Client
from ingest_api.auth.keys import SigningKeys, load_keys
from ingest_api.auth.tokens import issue_token, verify_token
from warehouse.errors import ConfigurationError, UnauthenticatedError
from warehouse.settings import Settings

KEY, OLD_KEY = (hashlib.sha256(name).hexdigest() for name in (b"new", b"old"))
KEYS = SigningKeys("new", {"new": KEY, "old": OLD_KEY})
CLIENT = Client("tablet-1", "device", 3, "hash", None, datetime.now(UTC), None, None, None)


def forge(changes: dict[str, Any], key: str | None = KEY, algorithm: str = "HS256", kid: str | None = "new") -> bytes:
    now = int(time.time())
    claims = {"iss": "kyalo", "aud": "kyalo-api", "sub": "tablet-1", "role": "device", "generation": 3}
    claims |= {"iat": now, "exp": now + 86_400, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None).encode()


def test_token_says_who_and_until_when() -> None:
    before = int(time.time())
    claims = verify_token(KEYS, issue_token(KEYS, CLIENT, 60).encode())
    assert (claims.name, claims.generation) == ("tablet-1", 3)
    assert before + 60 <= claims.expires_at <= time.time() + 60


def test_token_of_a_retired_key_is_believed() -> None:
    token = issue_token(SigningKeys("old", {"old": OLD_KEY}), CLIENT, 60)
    assert jwt.get_unverified_header(token)["kid"] == "old"
    assert verify_token(KEYS, token.encode()).name == "tablet-1"


FORGERIES: dict[str, tuple[bytes, str]] = {
    "expired": (forge({"exp": int(time.time()) - 1}), "auth.token_expired"),
    "other_audience": (forge({"aud": "elsewhere"}), "auth.bad_token"),
    "other_issuer": (forge({"iss": "elsewhere"}), "auth.bad_token"),
    "issued_tomorrow": (forge({"iat": int(time.time()) + 86_400}), "auth.bad_token"),
    "without_end": (forge({"exp": None}), "auth.bad_token"),
    "without_name": (forge({"sub": None}), "auth.bad_token"),
    "without_key_name": (forge({}, kid=None), "auth.bad_token"),
    "unknown_key_name": (forge({}, kid="newest"), "auth.bad_token"),
    "other_key": (forge({}, key="x" * 40), "auth.bad_token"),
    "key_under_another_name": (forge({}, kid="old"), "auth.bad_token"),
    "other_algorithm": (forge({}, key=KEY * 2, algorithm="HS512"), "auth.bad_token"),
    "no_algorithm": (forge({}, key=None, algorithm="none"), "auth.bad_token"),
    "no_token": (b"hello", "auth.bad_token"),
    "no_text": (b"\xff.\xff.\xff", "auth.bad_token"),
    "empty": (b"", "auth.bad_token"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_is_not_believed(name: str) -> None:
    token, code = FORGERIES[name]
    with pytest.raises(UnauthenticatedError) as caught:
        verify_token(KEYS, token)
    assert caught.value.error_code == code
    assert str(caught.value.facts["challenge"]).startswith("Bearer")


def test_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, kyalo_home=tmp_path, secret_key=None)
    first, second = load_keys(settings), load_keys(settings)
    assert first == second
    assert len(first.signing_key) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_keys_of_the_settings_are_taken(tmp_path: Path) -> None:
    named: dict[str, Any] = {"secret_key_id": "new", "secret_keys_retired": f"old:{OLD_KEY}, "}
    settings = Settings(_env_file=None, kyalo_home=tmp_path, secret_key=KEY, **named)
    assert load_keys(settings) == KEYS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("retired", ["old", "old:short", f":{OLD_KEY}"])
def test_unreadable_retired_key_is_told(tmp_path: Path, retired: str) -> None:
    settings = Settings(_env_file=None, kyalo_home=tmp_path, secret_key=KEY, secret_keys_retired=retired)
    with pytest.raises(ConfigurationError, match="SECRET_KEYS_RETIRED"):
        load_keys(settings)
