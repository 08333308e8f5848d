"""The pool: a connection that was lost while it lay idle is replaced before anybody notices."""

import psycopg
import pytest

from warehouse import database as module
from warehouse.database import Database


def test_connection_lost_unnoticed_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.transaction() as first, database.transaction() as second:
        lost = [first.info.backend_pid, second.info.backend_pid]
    with psycopg.connect(**database.address(), autocommit=True) as administrator:
        administrator.execute("select pg_terminate_backend(pid, 5000) from unnest(%s) as pid", [lost])
    # The end of a connection reaches the pool a moment after the server's: here it never does.
    monkeypatch.setattr(module.select, "select", lambda *_: ([], [], []))
    with database.transaction() as connection:
        assert connection.info.backend_pid not in lost
