"""What has been kept for long enough is deleted: rows of tables, logs of runs, exports that nothing names any more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg import sql

from orchestration.context import Warehouse
from orchestration.exports import PREDICTIONS, PROCESSED, read_manifest
from orchestration.graph.lock import holding_pipeline
from orchestration.lifecycle.acts import Act, record
from orchestration.lifecycle.policies import Policy
from warehouse.database import fetch_row, queries

statements = queries("lifecycle")


def find_rows(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The rows of the policy's table that are old enough, as one act."""
    with warehouse.database.transaction() as connection:
        found = fetch_row(connection, _statement("count_rows", policy), {"days": policy.days})
    return [_rows_act(policy, found["rows"])] if found and found["rows"] else []


def delete_rows(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Delete them, and record it in the same transaction."""
    with warehouse.database.transaction() as connection:
        deleted = connection.execute(_statement("delete_rows", policy), {"days": policy.days}).rowcount
        if not deleted:
            return []
        act = _rows_act(policy, deleted)
        record(connection, act, requested_by)
    return [act]


def find_personal_answers(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The rows of uploads that are old enough and whose personal answers are still there, as one act."""
    with warehouse.database.transaction() as connection:
        found = fetch_row(connection, queries("retention")["count_personal"], {"days": policy.days})
    return [_personal_act(policy, found["rows"])] if found and found["rows"] else []


def delete_personal_answers(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Delete these answers, and record it in the same transaction."""
    with warehouse.database.transaction() as connection:
        deleted = connection.execute(queries("retention")["delete_personal"], {"days": policy.days}).rowcount
        if not deleted:
            return []
        act = _personal_act(policy, deleted)
        record(connection, act, requested_by)
    return [act]


def find_run_logs(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The logs of runs that nobody has written to for so long, each by itself."""
    folder, before = warehouse.settings.home / "logs" / "runs", _before(policy).timestamp()
    return [
        Act(policy.name, "deleted", f"logs/runs/{path.name}", bytes=path.stat().st_size)
        for path in sorted(folder.glob("*.log"))
        if path.stat().st_mtime < before
    ]


def delete_run_logs(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Delete them."""
    acts = find_run_logs(warehouse, policy)
    for act in acts:
        _record(warehouse, act, requested_by)
        (warehouse.settings.home / Path(act.subject)).unlink(missing_ok=True)
    return acts


def find_extracts(warehouse: Warehouse, policy: Policy) -> list[Act]:
    """The exports that are old enough and that the manifest of their area does not name; none where there is none."""
    before = _before(policy)
    acts = []
    for area in (PROCESSED, PREDICTIONS):
        named = {entry["key"] for entry in read_manifest(warehouse.store, area).values()}
        acts += [
            Act(policy.name, "deleted", listed.key, bytes=listed.size_bytes)
            for listed in (warehouse.store.list(f"{area}/") if named else ())
            if listed.key.endswith(".parquet")
            and listed.key not in named
            and listed.modified_at
            and listed.modified_at < before
        ]
    return acts


def delete_extracts(warehouse: Warehouse, policy: Policy, requested_by: str) -> list[Act]:
    """Delete them, while no run can name one of them again.

    Raises:
        BusyError: a run is under way.
    """
    if not find_extracts(warehouse, policy):
        return []
    with holding_pipeline(warehouse.database, "kyalo archive"):
        acts = find_extracts(warehouse, policy)
        for act in acts:
            _record(warehouse, act, requested_by)
            warehouse.store.delete(act.subject)
    return acts


def _statement(name: str, policy: Policy) -> sql.Composed:
    return statements[name].format(table=sql.Identifier(*policy.table.split(".")), clock=sql.Identifier(policy.clock))


def _rows_act(policy: Policy, rows: int) -> Act:
    return Act(policy.name, "deleted", f"rows of {policy.table} before {_before(policy):%Y-%m-%d}", rows)


def _personal_act(policy: Policy, rows: int) -> Act:
    return Act(policy.name, "deleted", f"personal answers of uploads before {_before(policy):%Y-%m-%d}", rows)


def _before(policy: Policy) -> datetime:
    return datetime.now(UTC) - timedelta(days=policy.days)


def _record(warehouse: Warehouse, act: Act, requested_by: str) -> None:
    """Enter a deletion before it is done: one that was interrupted is found, and recorded, once more."""
    with warehouse.database.transaction() as connection:
        record(connection, act, requested_by)
