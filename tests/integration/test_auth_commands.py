"""`kyalo clients`: what an operator registers works over HTTP, and what is revoked does not."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from orchestration.context import Warehouse
from tests.processes import MAIN
from tests.served import served, sign_in

pytestmark = pytest.mark.xdist_group("api")


def kyalo(warehouse: Warehouse, *command: str) -> tuple[int, str]:
    """Run a command; its exit code and what it said."""
    environment = {**os.environ, **warehouse.database.environment(), "KYALO_HOME": str(warehouse.settings.home)}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *command], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def kyalo_json(warehouse: Warehouse, *command: str) -> Any:
    code, said = kyalo(warehouse, *command, "--json")
    assert code == 0, said
    return json.loads(said)


def test_clients_are_added_listed_rotated_and_revoked(warehouse: Warehouse) -> None:
    given = kyalo_json(warehouse, "clients", "add", "phone-1", "--role", "device", "--url-token")
    assert given["client_id"] == "phone-1"
    with served(warehouse) as client:
        assert sign_in(client, "phone-1", given["client_secret"])
        assert client.get(f"{given['openrosa_path']}/formList").status_code == 200
    rotated = kyalo_json(warehouse, "clients", "rotate", "phone-1")
    assert rotated["openrosa_path"] not in (None, given["openrosa_path"])
    assert kyalo_json(warehouse, "clients", "revoke", "phone-1") == {"name": "phone-1", "revoked": True}
    (listed,) = kyalo_json(warehouse, "clients", "list")
    assert (listed["name"], listed["role"], listed["has_url_token"]) == ("phone-1", "device", True)
    assert listed["revoked_at"]
    assert not {"secret_hash", "url_token_hash"} & listed.keys()
    with served(warehouse) as client:
        assert client.get(f"{rotated['openrosa_path']}/formList").status_code == 403


def test_people_are_shown_the_secret_once(warehouse: Warehouse) -> None:
    code, said = kyalo(warehouse, "clients", "add", "office-1", "--role", "office")
    assert code == 0
    assert "this once" in said
    (secret,) = [line.split()[1] for line in said.splitlines() if line.startswith("client_secret")]
    code, said = kyalo(warehouse, "clients", "list")
    assert (code, "office-1" in said, secret in said) == (0, True, False)
    assert kyalo(warehouse, "clients", "add", "office-1", "--role", "office")[0] == 1
    assert kyalo(warehouse, "clients", "revoke", "nobody")[0] == 1
    assert kyalo(warehouse, "clients", "add", "office-2", "--role", "king")[0] == 2
