"""Tables as Parquet files in the object store: what they hold, when they are written, and what the manifest says."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

import pytest
from pyarrow import parquet

from orchestration.context import Warehouse
from orchestration.exports import Exported, export, read_manifest
from orchestration.parquet import open_table
from warehouse.crypto.keys import add_key, load_key_ring
from warehouse.errors import StorageUnavailableError
from warehouse.stores import LocalStore, StoredObject

pytestmark = pytest.mark.xdist_group("exports")

RISK = "processed/fct_household_risk"
MARTS = """
create table marts.fct_household_risk (
    household_id text primary key,
    district text,
    is_vulnerable boolean,
    households integer,
    income bigint,
    probability double precision,
    quality_score numeric(5, 2),
    survey_date date,
    scored_at timestamptz,
    top_reasons text[],
    history jsonb
);
insert into marts.fct_household_risk values
    (
        'HH-2', E'King''s "Town", east\\n', false, 1, 9007199254740993, 0.1, 99.62, '2026-02-28',
        '2026-02-28 23:59:59.123456+03', '{"no radio","a, b"}', '{"a": null}'
    ),
    ('HH-1', '', true, null, null, null, null, null, null, null, null);
create table marts.rpt_progress (transition_id text primary key, households bigint);
create table marts.fct_quarantined_submissions (submission_id text);
"""


class FullStore(LocalStore):
    """A store that has room for data, and none for manifests."""

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Refuse a manifest."""
        if key.endswith(".json"):
            raise StorageUnavailableError("The disk is full.")
        return super().put(key, source, content_type)


@pytest.fixture
def marts(warehouse: Warehouse) -> Warehouse:
    """A warehouse with some marts, as a publication leaves them."""
    execute(warehouse, MARTS)
    warehouse.settings.store_folder.mkdir(parents=True, exist_ok=True)
    return warehouse


def execute(warehouse: Warehouse, statement: str) -> None:
    with warehouse.database.transaction() as connection:
        connection.execute(statement.encode())


def exported_rows(warehouse: Warehouse, folder: str) -> list[dict[str, Any]]:
    """What a reader finds who follows the manifest."""
    entry = read_manifest(warehouse.store, folder.partition("/")[0])[folder]
    with warehouse.store.get(entry["key"]) as file:
        found: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    assert len(found) == entry["rows"]
    return found


def test_values_come_out_as_they_are(marts: Warehouse) -> None:
    export(marts, "run-1")
    nothing, filled = exported_rows(marts, RISK)
    assert nothing == dict.fromkeys(nothing) | {"household_id": "HH-1", "district": "", "is_vulnerable": True}
    assert filled == {
        "household_id": "HH-2",
        "district": 'King\'s "Town", east\n',
        "is_vulnerable": False,
        "households": 1,
        "income": 9_007_199_254_740_993,
        "probability": 0.1,
        "quality_score": 99.62,
        "survey_date": date(2026, 2, 28),
        "scored_at": datetime(2026, 2, 28, 20, 59, 59, 123456, tzinfo=UTC),
        "top_reasons": '["no radio", "a, b"]',
        "history": '{"a": null}',
    }


def test_the_tables_of_analysts_are_exported_and_no_other(marts: Warehouse) -> None:
    assert export(marts, "run-1") == Exported(tables=4, files=4, rows=2)
    assert sorted(read_manifest(marts.store, "processed")) == [RISK, "processed/rpt_progress"]
    assert sorted(read_manifest(marts.store, "predictions")) == ["predictions/assessment", "predictions/screening"]
    assert exported_rows(marts, "processed/rpt_progress") == []


def test_named_columns_are_encrypted_and_opened_by_who_has_the_keys(marts: Warehouse) -> None:
    settings = marts.settings.model_copy(update={"export_encrypted_columns": "household_id, income"})
    sealed = replace(marts, settings=settings)
    export(sealed, "run_1")
    clear, entry = exported_rows(marts, RISK), read_manifest(marts.store, "processed")[RISK]
    assert all(row["household_id"].startswith("gAAAA") for row in clear)
    assert [column["name"] for column in entry["columns"] if column.get("is_encrypted")] == ["household_id", "income"]
    with marts.store.get(entry["key"]) as file:
        rows = open_table(file, load_key_ring(settings)).to_pylist()
    assert {row["household_id"]: row["income"] for row in rows} == {"HH-1": None, "HH-2": "9007199254740993"}
    assert export(sealed, "run_2").files == 0
    add_key(settings)
    assert export(sealed, "run_3").files > 0


def test_only_what_changed_is_written_again(marts: Warehouse) -> None:
    export(marts, "run-1")
    assert export(marts, "run-2").files == 0
    execute(marts, "update marts.fct_household_risk set household_id = 'HH-3' where household_id = 'HH-2'")
    assert export(marts, "run-3") == Exported(tables=4, files=1, rows=2)
    execute(marts, "alter table marts.fct_household_risk rename district to place")
    assert export(marts, "run-4").files == 1
    manifest = read_manifest(marts.store, "processed")
    assert {entry["run_id"] for entry in manifest.values()} == {"run-1", "run-4"}


def test_the_manifest_says_what_is_there(marts: Warehouse) -> None:
    export(marts, "run-1")
    with marts.store.get("processed/manifest.json") as file:
        manifest = json.load(file)
    assert manifest["run_id"] == "run-1"
    entry = next(entry for entry in manifest["files"] if entry["folder"] == RISK)
    stored = marts.store.head(entry["key"])
    assert stored
    assert (entry["relation"], entry["sha256"], entry["bytes"]) == (
        "marts.fct_household_risk",
        stored.sha256,
        stored.size_bytes,
    )
    assert {"name": "scored_at", "type": "timestamp[us, tz=UTC]"} in entry["columns"]
    with marts.database.transaction() as connection:
        kept = connection.execute("select rows from ops.exports where object_key = %s", [entry["key"]]).fetchall()
    assert kept == [(2,)]


def test_an_export_that_breaks_off_leaves_the_manifest_as_it_was(marts: Warehouse) -> None:
    export(marts, "run-1")
    before = exported_rows(marts, RISK)
    execute(marts, "delete from marts.fct_household_risk where household_id = 'HH-2'")
    full = Warehouse(marts.settings, marts.database, FullStore(marts.settings.store_folder))
    with pytest.raises(StorageUnavailableError):
        export(full, "run-2")
    assert exported_rows(marts, RISK) == before
    export(marts, "run-3")
    assert exported_rows(marts, RISK) == before[:1]
