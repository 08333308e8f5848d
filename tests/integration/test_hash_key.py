"""The key of hashes is the one that the warehouse was begun with, or nothing begins."""

import secrets
from pathlib import Path

import pytest

from orchestration.context import Warehouse
from tests import processes
from tests.conftest import cloned_warehouse
from warehouse.embedded import EmbeddedServer
from warehouse.hash_key import require_hash_key

OTHER = secrets.token_hex(32)


def entries(warehouse: Warehouse) -> object:
    with warehouse.database.transaction() as connection:
        return connection.execute("select count(*), count(distinct chain_id) from ops.audit_log").fetchone()


@pytest.mark.parametrize("command", [["status"], ["api", "--port", "0"], ["dashboard", "--port", "0"], ["worker"]])
def test_another_hash_key_is_refused_before_anything_is_entered(warehouse: Warehouse, command: list[str]) -> None:
    assert processes.run(warehouse, "status").returncode == 0
    before = entries(warehouse)
    refused = processes.run(warehouse, *command, HASH_KEY=OTHER)
    assert (refused.returncode, refused.stdout.count("Traceback")) == (1, 0)
    assert "error configuration.other_hash_key: HASH_KEY is not the key" in refused.stderr
    assert OTHER not in refused.stderr
    assert entries(warehouse) == before
    assert processes.run(warehouse, "status").returncode == 0
    assert "done" in processes.run(warehouse, "audit", "verify").stdout


def test_key_itself_is_not_in_the_database(warehouse: Warehouse) -> None:
    require_hash_key(warehouse.database)
    require_hash_key(warehouse.database)
    kept = (warehouse.settings.home / "hash_key").read_text()
    with warehouse.database.transaction() as connection:
        ((fingerprint,),) = connection.execute("select fingerprint from ops.hash_key").fetchall()
    assert len(fingerprint) == 64
    assert fingerprint not in kept
    assert kept not in fingerprint


def test_masked_copy_is_begun_by_who_uses_it(
    warehouse: Warehouse, test_server: EmbeddedServer, template: str, homes: Path
) -> None:
    with cloned_warehouse(test_server, template, homes) as target:
        there = target.settings
        address = f"postgresql://{there.db_user}@{there.db_host}:{there.db_port}/{there.db_name}"
        password = there.db_password.get_secret_value()
        said = processes.run(warehouse, "copy", "--masked", address, PGPASSWORD=password, HASH_KEY=OTHER)
        assert (said.returncode, said.stderr) == (0, "")
        assert processes.run(target, "status").returncode == 0
