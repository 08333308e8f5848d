"""What has grown old is archived, exported or deleted by policy alone; nothing is ever lost, wherever it ends."""

import hashlib
import io
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from psycopg import sql

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from orchestration.lifecycle import archive, list_policies, restore_rows
from orchestration.originals import verify_originals
from tests.asking import ask, execute
from tests.conftest import SAMPLE
from tests.mortal_store import Died, MortalStore
from warehouse.errors import BuildError, IntegrityError, NotFoundError
from warehouse.settings import Settings
from warehouse.stores import LocalStore, MirroredStore, ObjectStore, StoredObject, open_original

AWKWARD = 'household_id,village\nH-1,"Two\nlines, ""quoted"""\nH-2,Kigàna\n'
STAGING = "staging.stg_household_survey__submissions"


class SpoilingStore(MortalStore):
    """A store that keeps something else than it is given."""

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep an object with one bit turned."""
        content = bytearray(source.read())
        content[len(content) // 2] ^= 1
        return self._store.put(key, io.BytesIO(content), content_type)


@pytest.fixture
def aged(warehouse: Warehouse) -> Warehouse:
    """A warehouse that exports raw rows, with a file that came long ago and one of today, both staged."""
    load(warehouse, AWKWARD, days=400)
    load(warehouse, "household_id,village\nH-3,Kigana\n", days=0)
    execute(warehouse, f"create table {STAGING} as select ingestion_id from raw.household_survey")
    return replace(warehouse, settings=warehouse.settings.model_copy(update={"raw_retention_days": 90}))


def load(warehouse: Warehouse, content: str, *, days: int) -> None:
    file = io.BytesIO(content.encode())
    receive_file(
        warehouse.database, warehouse.store, file, form="household_survey", filename="visits.csv", source="cli"
    )
    land_next(warehouse.database, warehouse.store)
    for table in ("raw.ingestions", "raw.household_survey"):
        statement = f"update {table} set received_at = received_at - make_interval(days => {days}) where true"
        execute(warehouse, f"{statement} and received_at > now() - interval '1 hour'")


def run(warehouse: Warehouse, *, dry_run: bool = False) -> list[tuple[str, str]]:
    """What was done, or would be: policy and subject."""
    account = archive(warehouse, dry_run=dry_run, requested_by="test")
    return [(act.policy, act.subject) for act in account.acts]


def raw_rows(warehouse: Warehouse) -> set[str]:
    return {row for (row,) in ask(warehouse, "select to_jsonb(raw_row)::text from raw.household_survey as raw_row")}


def originals(warehouse: Warehouse) -> list[bytes]:
    """The content of every original, by the key that the ledger speaks of."""
    contents = []
    for (key,) in ask(warehouse, "select object_key from raw.ingestions order by received_at"):
        with open_original(warehouse.store, key) as content:
            contents.append(content.read())
    return contents


def everything(warehouse: Warehouse) -> dict[str, str]:
    """A hash of each table, object and log."""
    tables = ask(
        warehouse,
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('raw', 'ops', 'ml', 'review', 'jobs', 'staging') and table_type = 'BASE TABLE'",
    )
    state = {}
    with warehouse.database.transaction() as connection:
        for schema, table in tables:
            statement = sql.SQL("select md5(string_agg(each::text, '|' order by each::text)) from {} as each")
            row = connection.execute(statement.format(sql.Identifier(schema, table))).fetchone()
            state[f"{schema}.{table}"] = str(row)
    for path in warehouse.settings.home.rglob("*"):
        if path.is_file():
            state[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return state


def test_dry_run_tells_what_would_go_and_changes_nothing(aged: Warehouse) -> None:
    log = aged.settings.home / "logs" / "runs" / "old.log"
    log.parent.mkdir(parents=True)
    log.write_text("{}")
    os.utime(log, (0, 0))
    execute(aged, "insert into ops.heartbeats values ('worker', 'a', 'h', 1, now(), now() - interval '40 days')")
    before = everything(aged)
    told = run(aged, dry_run=True)
    assert everything(aged) == before
    assert [policy for policy, _ in told] == ["originals", "raw_rows", "run_logs", "heartbeats"]
    assert run(aged) == told
    assert ask(aged, "select policy, subject from ops.lifecycle_actions order by action_id") == told
    assert run(aged) == []


def test_archived_original_is_read_as_it_was_sent(aged: Warehouse) -> None:
    before = originals(aged)
    run(aged)
    assert originals(aged) == before
    (old, young) = [key for (key,) in ask(aged, "select object_key from raw.ingestions order by received_at")]
    assert old.startswith("archive/originals/household_survey/")
    assert young.startswith("raw/")
    assert [found.key for found in aged.store.list("raw/")] == [young]
    assert verify_originals(aged.database, aged.store, grace=timedelta(0)).findings == []
    aged.store.put(old, io.BytesIO(b"spoilt"), "application/gzip")
    (finding,) = verify_originals(aged.database, aged.store).findings
    assert (finding.problem, finding.key) == ("corrupt", old)


def test_what_is_compressed_already_and_what_waits(warehouse: Warehouse) -> None:
    file = io.BytesIO(SAMPLE.read_bytes()[:2000])
    receive_file(warehouse.database, warehouse.store, file, form="household_survey", filename="waits.csv", source="cli")
    execute(warehouse, "update raw.ingestions set received_at = now() - interval '400 days'")
    assert run(warehouse) == []
    with warehouse.database.transaction() as connection:
        connection.execute("update raw.ingestions set status = 'failed', object_key = 'raw/a/2026-01-01/x.zip'")
    warehouse.store.put("raw/a/2026-01-01/x.zip", io.BytesIO(b"zipped"), "application/zip")
    run(warehouse)
    assert ask(warehouse, "select object_key from raw.ingestions") == [("archive/originals/a/2026-01-01/x.zip",)]
    assert originals(warehouse) == [b"zipped"]


def test_second_store_keeps_a_copy_of_what_is_archived(aged: Warehouse, tmp_path: Path) -> None:
    second = LocalStore(tmp_path / "two")
    mirrored = replace(aged, store=MirroredStore(aged.store, second))
    run(mirrored)
    kept = {found.key for found in aged.store.list("archive/")}
    assert kept == {found.key for found in second.list("archive/")}
    assert len(kept) == 2


def test_no_original_and_no_row_is_lost_wherever_it_ends(aged: Warehouse) -> None:
    before, rows = originals(aged), raw_rows(aged)
    for lives in range(20):
        try:
            run(replace(aged, store=cast(ObjectStore, MortalStore(aged.store, lives))))
        except Died:
            assert originals(aged) == before
            continue
        break
    assert lives > 3  # it died at the copy, at the removal and at the export
    assert len([*aged.store.list("raw/")]) == 1
    assert ask(aged, "select count(*) from ops.lifecycle_actions where finished_at is null") == [(0,)]
    restore_rows(aged, "household_survey", None, "test")
    assert raw_rows(aged) == rows


def test_rows_leave_by_month_once_they_are_staged_and_come_back(aged: Warehouse) -> None:
    rows = raw_rows(aged)
    execute(aged, f"create table kept as select * from {STAGING}")
    execute(aged, f"truncate {STAGING}")
    assert "raw_rows" not in dict(run(aged))
    execute(aged, f"insert into {STAGING} select * from kept")
    ((policy, subject),) = run(aged)
    assert (policy, subject.partition(" ")[0]) == ("raw_rows", "raw.household_survey")
    assert len(raw_rows(aged)) == 1
    (month,) = ask(aged, "select month from raw.exported_rows")
    with pytest.raises(NotFoundError):
        restore_rows(aged, "household_survey", "1999-01", "test")
    (act,) = restore_rows(aged, "household_survey", *month, "test")
    assert (act.action, act.rows) == ("restored", 2)
    assert raw_rows(aged) == rows
    assert ask(aged, "select count(*) from raw.exported_rows") == [(0,)]


def test_file_that_is_not_what_was_written_costs_no_row(aged: Warehouse) -> None:
    rows, before = raw_rows(aged), originals(aged)
    spoiling = replace(aged, store=cast(ObjectStore, SpoilingStore(aged.store, 0)))
    with pytest.raises(IntegrityError):
        run(spoiling)
    never = aged.settings.model_copy(update={"archive_after_days": 0})
    with pytest.raises(IntegrityError):
        run(replace(spoiling, settings=never))
    assert raw_rows(aged) == rows
    assert originals(aged) == before
    assert ask(aged, "select count(*) from ops.lifecycle_actions") == [(0,)]


def test_what_no_policy_names_stays(warehouse: Warehouse) -> None:
    old = "now() - interval '3000 days'"
    execute(warehouse, f"insert into ops.heartbeats values ('worker', 'old', 'h', 1, {old}, {old})")
    execute(warehouse, "insert into ops.heartbeats values ('worker', 'new', 'h', 1, now(), now())")
    execute(
        warehouse,
        "insert into ops.data_quality_metrics (measured_at, form, metric, value)"
        f" values ({old}, 'household_survey', 'quality_score', 1)",
    )
    for key in ("processed/a/old.parquet", "processed/a/present.parquet", "models/old.bin", "validated/old.parquet"):
        warehouse.store.put(key, io.BytesIO(b"x"), "application/octet-stream")
        os.utime(warehouse.settings.store_folder / key, (0, 0))
    warehouse.store.put("processed/a/young.parquet", io.BytesIO(b"x"), "application/octet-stream")
    assert run(warehouse) == [("heartbeats", f"rows of ops.heartbeats before {_day(30)}")]  # without a manifest
    manifest = b'{"files": [{"folder": "processed/a", "key": "processed/a/present.parquet"}]}'
    warehouse.store.put("processed/manifest.json", io.BytesIO(manifest), "application/json")
    assert run(warehouse) == [("extracts", "processed/a/old.parquet")]
    left = {found.key for found in warehouse.store.list("")}
    assert left == {
        "models/old.bin",
        "processed/a/present.parquet",
        "processed/a/young.parquet",
        "processed/manifest.json",
        "validated/old.parquet",
    }
    assert ask(warehouse, "select instance from ops.heartbeats") == [("new",)]
    assert ask(warehouse, "select count(*) from ops.data_quality_metrics") == [(1,)]


def test_each_policy_is_told_by_a_setting_that_can_end_it(aged: Warehouse) -> None:
    by_setting = [policy for policy in list_policies(aged.settings) if policy.setting]
    assert {policy.setting.lower() for policy in by_setting} <= set(Settings.model_fields)
    never = aged.settings.model_copy(update={policy.setting.lower(): 0 for policy in by_setting})
    assert {policy.name for policy in list_policies(never) if policy.days} == {"extracts", "heartbeats"}
    assert run(replace(aged, settings=never)) == []


def test_staging_is_not_made_anew_without_the_rows_that_left(aged: Warehouse) -> None:
    run(aged)
    with Dbt(aged) as dbt, pytest.raises(BuildError, match="archive restore household_survey"):
        dbt.build("--full-refresh", "--select", "stg_household_survey__submissions")
    assert ask(aged, f"select count(*) from {STAGING}") == [(3,)]


def _day(days: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86400))
