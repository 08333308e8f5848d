"""The API keeps to its OpenAPI document, whatever the document lets a client send."""

import os
import subprocess
import sys

import pytest

from ingest_api.auth.clients import add_client
from orchestration.context import Warehouse
from tests.served import served, sign_in
from warehouse.settings import PROJECT_ROOT

pytestmark = pytest.mark.xdist_group("api")

CONFIGURATION = PROJECT_ROOT / "tests" / "schemathesis.toml"
SEED = os.environ.get("KYALO_TEST_SEED", "1")
EXAMPLES = os.environ.get("KYALO_TEST_EXAMPLES", "5")  # of each route; a hundred take minutes


def test_api_keeps_to_its_document(module_warehouse: Warehouse) -> None:
    given = add_client(module_warehouse.database, "explorer", "admin", with_url_token=True)
    with served(module_warehouse, rate_limit_per_minute=0, login_limit_per_minute=1_000_000) as client:
        token = sign_in(client, given.name, given.secret)["Authorization"].removeprefix("Bearer ")
        explorer = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)]
        run = subprocess.run(
            [*explorer, "run", f"{client.base_url}/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES],
            env={**os.environ, "KYALO_TOKEN": token, "KYALO_URL_TOKEN": given.url_token or ""},
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr


def test_wrong_method_is_told_the_right_ones(module_warehouse: Warehouse) -> None:
    with served(module_warehouse) as client:
        answer = client.put("/openrosa/submission")
        assert (answer.status_code, answer.json()["code"]) == (405, "request.wrong_method")
        assert answer.headers["Allow"] == "HEAD, POST"
        assert client.post("/health").headers["Allow"] == "GET"
