"""Secrets: compulsory in production, refused when they are none, and in no log, answer, error or list of processes."""

import os
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from ingest_api.auth.clients import add_client
from ingest_api.auth.keys import load_keys
from orchestration.context import Warehouse
from tests.processes import running, until
from warehouse.crypto.keys import keys_path, load_key_ring
from warehouse.embedded import EmbeddedServer
from warehouse.embedded.server import free_port
from warehouse.errors import ConfigurationError
from warehouse.settings import PROJECT_ROOT, Settings

KEYS = ("SECRET_KEY", "ENCRYPTION_KEY", "HASH_KEY")
SURVEY = {"household_id": "KAN-001-ABC-1234", "survey_data": {"district": "Kanungu"}}
MAIN = "from orchestration.cli import main; main()"
BAD = "short-and-bad"
PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----")


def settings_of(home: Path, **stated: object) -> Settings:
    return Settings(_env_file=None, kyalo_home=home, **stated)


def good_keys() -> dict[str, str]:
    return {
        "secret_key": secrets.token_hex(32),
        "encryption_key": Fernet.generate_key().decode(),
        "hash_key": secrets.token_hex(32),
    }


@pytest.mark.parametrize(
    "production", [{"kyalo_environment": "production"}, {"db_host": "db", "db_password": "dQ3-uncommon"}]
)
def test_in_production_no_key_is_made_up(production: dict[str, str], tmp_path: Path) -> None:
    for name, load in (("secret_key", load_keys), ("encryption_key", load_key_ring), ("hash_key", load_key_ring)):
        stated = {other: key for other, key in good_keys().items() if other != name}
        with pytest.raises(ConfigurationError) as caught:
            load(settings_of(tmp_path, **stated, **production))
        assert caught.value.error_code == "configuration.missing_key"
        assert name.upper() in caught.value.message
        assert "openssl rand" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_in_development_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, kyalo_environment="development", db_host="db", db_password="x")  # noqa: S106
    load_keys(settings)
    load_key_ring(settings)
    made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert made == {"secret_key": 0o600, "encryption_keys": 0o600, "hash_key": 0o600}


def test_keys_that_were_made_before_are_named_in_production(tmp_path: Path) -> None:
    load_key_ring(settings_of(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        load_key_ring(settings_of(tmp_path, kyalo_environment="production"))
    assert str(keys_path(settings_of(tmp_path))) in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("secret_key", "s3cr-t9"),
        ("secret_key", "x" * 64),
        ("secret_key", "k7Jd92mQ" * 6),
        ("secret_key", "ChangeMe-ChangeMe-Q8wz-Tn3v-Lp5x-Rk1y"),
        ("hash_key", "my-super-secret-key-for-production-1"),
        ("hash_key", "0123456789abcdef0123456789abcdef0"),
        ("encryption_key", "A" * 43 + "="),
        ("encryption_key", f"{Fernet.generate_key().decode()},{'c2VjcmV0' * 5}c2U="),
    ],
    ids=["short", "repeated", "pattern", "known_word", "words", "digits", "nothing", "one_of_two"],
)
def test_key_that_is_no_secret_is_refused_and_not_repeated(name: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(tmp_path, **{name: key})
    assert key not in str(caught.value)
    assert "openssl rand" in str(caught.value)


@pytest.mark.parametrize("password", ["postgres", "Password", "changeme"])
def test_password_that_everybody_tries_is_refused_in_production(password: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="everybody tries"):
        settings_of(tmp_path, db_host="db", db_password=password)


def test_good_keys_are_taken(tmp_path: Path) -> None:
    for _ in range(200):
        settings_of(tmp_path, **good_keys(), kyalo_environment="production")


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys", "hash_key"])
def test_file_that_others_may_read_is_refused(name: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    load_keys(settings)
    load_key_ring(settings)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(ConfigurationError) as caught:
        (load_keys if name == "secret_key" else load_key_ring)(settings)
    assert caught.value.error_code == "configuration.open_secret"
    assert f"chmod 600 {tmp_path / name}" in caught.value.remedy


def test_password_of_the_embedded_server_that_others_may_read_is_refused(tmp_path: Path) -> None:
    password = tmp_path / "postgres" / "password"
    password.parent.mkdir()
    (password.parent / "server.json").write_text('{"cluster": "none", "socket": "none", "port": 1}')
    password.write_text("dQ3-uncommon")
    password.chmod(0o644)
    with pytest.raises(ConfigurationError, match="others than its owner"):
        EmbeddedServer(tmp_path).is_running()


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    keys = good_keys()
    for name, key in keys.items():
        (tmp_path / name).write_text(f"{key}\n")
    settings = settings_of(tmp_path, _secrets_dir=tmp_path, kyalo_environment="production")
    assert load_keys(settings).signing_key == keys["secret_key"]
    assert load_key_ring(settings).encryption_keys == (keys["encryption_key"],)


def test_settings_do_not_show_secrets(tmp_path: Path) -> None:
    keys = good_keys()
    settings = settings_of(tmp_path, **keys, db_host="db", db_password="dQ3-uncommon")  # noqa: S106
    shown = f"{settings!r} {settings} {settings.model_dump()} {load_keys(settings)!r} {load_key_ring(settings)!r}"
    assert [key for key in [*keys.values(), "dQ3-uncommon"] if key in shown] == []
    with pytest.raises(ValidationError) as caught:
        settings_of(tmp_path, **keys, api_tls_key=tmp_path)
    assert [key for key in keys.values() if key in str(caught.value)] == []


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    """Secrets by their setting, each of which can be told from all else."""
    words = {name: secrets.token_urlsafe(24) for name in ("MAIL", "HOOK", "S3", "METRICS_TOKEN")}
    return {
        **{name.upper(): key for name, key in good_keys().items()},
        "METRICS_TOKEN": words["METRICS_TOKEN"],
        "SMTP_URL": f"smtp://kyalo:{words['MAIL']}@127.0.0.1:{free_port()}?from=kyalo@example.org",
        "ALERT_EMAIL": "nobody@example.org",
        "ALERT_URLS": f"json://kyalo:{words['HOOK']}@127.0.0.1:{free_port()}/",
        "AWS_ACCESS_KEY_ID": "kyalo",
        "AWS_SECRET_ACCESS_KEY": words["S3"],
        "AWS_S3_BUCKET": "none",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }


@pytest.fixture(scope="module")
def hidden_words(planted: dict[str, str], module_warehouse: Warehouse) -> list[str]:
    """What must stand nowhere."""
    words = [planted[name] for name in (*KEYS, "METRICS_TOKEN", "AWS_SECRET_ACCESS_KEY")]
    words += [planted[name].partition("kyalo:")[2].partition("@")[0] for name in ("SMTP_URL", "ALERT_URLS")]
    words.append(module_warehouse.settings.db_password.get_secret_value())
    return [*words, *(quote(word, safe="") for word in words)]


def command_lines() -> str:
    """The command lines of all processes, as everybody on this machine may read them."""
    return "\n".join(_command_lines())


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue


def misdeeds(client: httpx2.Client, secret: str) -> str:
    """What the API says to who does it wrong, and once to who does it right."""
    token = client.post("/api/v1/auth/token", json={"client_id": "grace", "client_secret": secret}).json()
    header = {"Authorization": f"Bearer {token['access_token']}"}
    answers = [
        client.post("/api/v1/auth/token", json={"client_id": "grace", "client_secret": "wrong"}),
        client.post("/api/v1/auth/token", content=b"\xff{"),
        client.post("/api/v1/upload/survey-data", json=SURVEY, headers=header),
        client.post("/api/v1/upload/survey-data", json={"household_id": "\0"}, headers=header),
        client.post("/api/v1/upload/survey-data", content=b"{", headers=header),
        client.post("/api/v1/upload/file", files={"file": ("a.csv", b"household_id\nA-1\n")}, headers=header),
        client.get("/api/v1/status/none", headers=header),
        client.get("/api/v1/status/none", headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}),
        client.get("/openrosa/key/guessed-address/formList"),
        client.get("/metrics", headers={"Authorization": "Bearer wrong"}),
        client.get("/nowhere"),
        client.get("/health"),
        client.get("/openapi.json"),
    ]
    return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)


def test_planted_secrets_are_found_nowhere(
    module_warehouse: Warehouse, planted: dict[str, str], hidden_words: list[str]
) -> None:
    home, port = module_warehouse.settings.home, free_port()
    grace = add_client(module_warehouse.database, "grace", "admin")
    address = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        **module_warehouse.database.environment(),
        **planted,
        "KYALO_ENVIRONMENT": "production",
        "KYALO_HOME": str(home),
        "LOG_LEVEL": "DEBUG",
    }

    def kyalo(*command: str, **changed: str) -> str:
        arguments = [sys.executable, "-c", MAIN, *command]
        done = subprocess.run(
            arguments, env=environment | changed, capture_output=True, text=True, check=False, timeout=120
        )
        return done.stdout + done.stderr

    named = {**planted, "KYALO_ENVIRONMENT": "production", "LOG_LEVEL": "DEBUG"}
    with (
        running(module_warehouse, "api", "--port", str(port), **named),
        running(module_warehouse, "worker", **named),
        httpx2.Client(base_url=address, timeout=30) as client,
    ):
        until(lambda: answers(client))
        said = [misdeeds(client, grace.secret)]
        said += [
            kyalo("alerts", "test"),
            kyalo("storage", "ls", STORAGE_PROVIDER="aws"),
            kyalo("status", DB_PORT=str(free_port())),
            kyalo("status", "ing_20990101_000001"),
            kyalo("status", **{KEYS[0]: BAD}),
            kyalo("load", "/nowhere.csv"),
        ]
        said.append(command_lines())
    said += [path.read_text(errors="replace") for path in home.rglob("*.log")]
    assert all(said)
    assert [word for word in [*hidden_words, grace.secret, BAD] if any(word in text for text in said)] == []


def answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("folder", ["warehouse", "ingest_api", "ml", "orchestration", "tests", "deploy", "docs", ".ci"])
def test_no_file_of_the_project_holds_a_private_key(folder: str) -> None:
    files = [path for path in (PROJECT_ROOT / folder).rglob("*") if path.is_file() and "node_modules" not in path.parts]
    assert [path for path in files if PRIVATE_KEY.search(path.read_bytes())] == []
