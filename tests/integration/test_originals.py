"""The object store against the ledger: `kyalo storage`, restoring, orphans, copies in a second store."""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingest_api.receiving import receive_file
from orchestration.cli import app
from orchestration.context import Warehouse
from orchestration.copies import copy_missing_originals
from orchestration.originals import Verification, verify_originals
from orchestration.orphans import USUAL_ORPHANS, set_aside
from warehouse.errors import IntegrityError, StorageUnavailableError
from warehouse.settings import get_settings
from warehouse.stores import LocalStore, MirroredStore, ObjectStore

CSV = b"household_id,village\nH-1,Kigana\n"
NO_GRACE = timedelta(0)


@pytest.fixture
def mirrored(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse with a second store."""
    store = MirroredStore(LocalStore(tmp_path / "one"), LocalStore(tmp_path / "two"))
    return replace(warehouse, store=store)


def receive(warehouse: Warehouse, content: bytes = CSV) -> str:
    """Receive a file; the key of its object."""
    receive_file(
        warehouse.database,
        warehouse.store,
        io.BytesIO(content),
        form="household_survey",
        filename="visits.csv",
        source="cli",
    )
    with warehouse.database.transaction() as connection:
        row = connection.execute("select object_key from raw.ingestions order by received_at desc limit 1").fetchone()
    assert row
    return str(row[0])


def verify(
    warehouse: Warehouse, *, repair: bool = False, force: bool = False, grace: timedelta = NO_GRACE
) -> Verification:
    return verify_originals(warehouse.database, warehouse.store, repair=repair, force=force, grace=grace)


def problems(verification: Verification) -> list[tuple[str, str]]:
    return [(finding.problem, finding.key) for finding in verification.findings]


def spoil(store: ObjectStore, key: str) -> None:
    store.put(key, io.BytesIO(b"x" * len(CSV)), "text/csv")


def read(store: ObjectStore, key: str) -> bytes:
    with store.get(key) as source:
        return source.read()


def test_sound_store(warehouse: Warehouse) -> None:
    receive(warehouse)
    assert verify(warehouse) == Verification(1, 0, [])


def test_lost_and_spoilt_originals_are_found(warehouse: Warehouse) -> None:
    lost, spoilt = receive(warehouse), receive(warehouse, CSV + b"H-2,Lwanda\n")
    warehouse.store.delete(lost)
    spoil(warehouse.store, spoilt)
    for repair in (False, True):  # without a second store there is nothing to repair them from
        found = verify(warehouse, repair=repair)
        assert sorted(problems(found)) == [("corrupt", spoilt), ("missing", lost)]
        assert not found.is_sound


def test_orphans_are_set_aside_after_the_grace_period(warehouse: Warehouse) -> None:
    known = receive(warehouse)
    orphan = "raw/household_survey/2026-01-01/orphan.csv"
    warehouse.store.put(orphan, io.BytesIO(b"x"), "text/csv")
    warehouse.store.put("models/m", io.BytesIO(b"x"), "text/plain")
    assert problems(verify(warehouse, repair=True, grace=timedelta(hours=1))) == []
    assert problems(verify(warehouse)) == [("orphan", orphan)]
    assert verify(warehouse, repair=True).is_sound
    assert [stored.key for stored in warehouse.store.list("")] == [f"archive/orphans/{orphan}", "models/m", known]
    assert read(warehouse.store, f"archive/orphans/{orphan}") == b"x"


def test_orphan_overwrites_none_of_its_name(warehouse: Warehouse) -> None:
    receive(warehouse)
    for content in (b"one", b"two"):
        warehouse.store.put("raw/orphan.csv", io.BytesIO(content), "text/csv")
        found = verify(warehouse, repair=True)
    assert problems(found) == [("orphan", "raw/orphan.csv")]
    assert not found.is_sound
    assert read(warehouse.store, "archive/orphans/raw/orphan.csv") == b"one"
    assert read(warehouse.store, "raw/orphan.csv") == b"two"


def test_orphan_that_is_named_while_it_is_moved_is_put_back(warehouse: Warehouse) -> None:
    key = receive(warehouse)
    assert set_aside(warehouse.database, warehouse.store, key)
    assert [stored.key for stored in warehouse.store.list("")] == [key]


def test_ledger_that_names_nothing_moves_nothing(warehouse: Warehouse) -> None:
    key = "raw/household_survey/2026-01-01/" + hashlib.sha256(CSV).hexdigest() + ".csv"
    warehouse.store.put(key, io.BytesIO(CSV), "text/csv")
    found = verify(warehouse, repair=True)
    assert (problems(found), found.is_sound, found.is_refused) == ([("orphan", key)], False, True)
    assert [stored.key for stored in warehouse.store.list("")] == [key]
    assert verify(warehouse, repair=True, force=True).is_sound
    assert [stored.key for stored in warehouse.store.list("")] == [f"archive/orphans/{key}"]


def test_ledger_that_names_less_than_half_moves_nothing(warehouse: Warehouse) -> None:
    receive(warehouse)
    for number in range(USUAL_ORPHANS + 1):
        warehouse.store.put(f"raw/{number}.csv", io.BytesIO(b"x"), "text/csv")
    assert verify(warehouse, repair=True).is_refused
    assert len(list(warehouse.store.list("raw/"))) == USUAL_ORPHANS + 2
    warehouse.store.delete("raw/0.csv")
    assert verify(warehouse, repair=True).is_sound


def test_original_that_was_set_aside_is_restored(warehouse: Warehouse) -> None:
    key = receive(warehouse)
    warehouse.store.put(f"archive/orphans/{key}", io.BytesIO(CSV), "text/csv")
    warehouse.store.delete(key)
    assert verify(warehouse, repair=True).is_sound
    assert [stored.key for stored in warehouse.store.list("")] == [key]


def test_attachments_are_known(warehouse: Warehouse) -> None:
    receive(warehouse)
    key = "raw/household_survey/attachments/" + "0" * 64
    warehouse.store.put(key, io.BytesIO(b"picture"), "image/jpeg")
    with warehouse.database.transaction() as connection:
        connection.execute(
            "insert into raw.attachments (form, submission_key, name, sha256, content_type, size_bytes, is_expected,"
            " object_key, ingestion_id) select form, 'uuid:1', 'a.jpg', %s, 'image/jpeg', 7, true, %s, ingestion_id"
            " from raw.ingestions",
            ["0" * 64, key],
        )
    assert problems(verify(warehouse, repair=True)) == [("corrupt", key)]


def test_drafts_are_removed(warehouse: Warehouse) -> None:
    key = receive(warehouse)
    draft = warehouse.settings.store_folder / Path(key).parent / ".a.csv.0123abcd"
    draft.write_bytes(b"half")
    assert problems(verify(warehouse, grace=timedelta(hours=1))) == []
    assert not verify(warehouse).is_sound
    assert verify(warehouse, repair=True).is_sound
    assert not draft.exists()


def test_originals_are_restored_from_the_second_store(mirrored: Warehouse) -> None:
    assert isinstance(mirrored.store, MirroredStore)
    lost, spoilt = receive(mirrored), receive(mirrored, CSV + b"H-2,Lwanda\n")
    mirrored.store.primary.delete(lost)
    spoil(mirrored.store.primary, spoilt)
    assert not verify(mirrored).is_sound
    assert verify(mirrored, repair=True).is_sound
    assert read(mirrored.store.primary, lost) == CSV
    assert verify(mirrored).findings == []


def test_a_spoilt_copy_restores_nothing(mirrored: Warehouse) -> None:
    assert isinstance(mirrored.store, MirroredStore)
    lost = receive(mirrored)
    mirrored.store.primary.delete(lost)
    spoil(mirrored.store.secondary, lost)
    assert problems(verify(mirrored, repair=True)) == [("missing", lost)]
    assert mirrored.store.primary.head(lost) is None


def test_copy_is_made_when_the_second_store_is_back(mirrored: Warehouse, tmp_path: Path) -> None:
    assert isinstance(mirrored.store, MirroredStore)
    (tmp_path / "two").touch()  # a file where the folder should be
    key = receive(mirrored)
    with pytest.raises(StorageUnavailableError):
        copy_missing_originals(mirrored.database, mirrored.store)
    (tmp_path / "two").unlink()
    waiting = verify(mirrored)
    assert (waiting.waiting_copies, waiting.is_sound) == (1, True)
    assert copy_missing_originals(mirrored.database, mirrored.store) == 1
    assert read(mirrored.store.secondary, key) == CSV
    assert copy_missing_originals(mirrored.database, mirrored.store) == 0
    assert verify(mirrored).waiting_copies == 0


def test_lost_original_does_not_keep_the_others_from_being_copied(mirrored: Warehouse, tmp_path: Path) -> None:
    assert isinstance(mirrored.store, MirroredStore)
    (tmp_path / "two").touch()
    lost, whole = receive(mirrored), receive(mirrored, CSV + b"H-2,Lwanda\n")
    (tmp_path / "two").unlink()
    mirrored.store.primary.delete(lost)
    assert copy_missing_originals(mirrored.database, mirrored.store) == 1
    assert [stored.key for stored in mirrored.store.secondary.list("")] == [whole]
    assert verify(mirrored).waiting_copies == 1


def test_lost_copy_and_orphan_copy_are_repaired(mirrored: Warehouse) -> None:
    assert isinstance(mirrored.store, MirroredStore)
    key = receive(mirrored)
    copy_missing_originals(mirrored.database, mirrored.store)
    mirrored.store.secondary.delete(key)
    mirrored.store.secondary.put("raw/orphan.csv", io.BytesIO(b"x"), "text/csv")
    assert problems(verify(mirrored)) == [("uncopied", key), ("orphan", "raw/orphan.csv")]
    assert verify(mirrored, repair=True).is_sound
    assert [stored.key for stored in mirrored.store.secondary.list("raw/")] == [key]


@pytest.fixture
def kyalo(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The command, on the test's warehouse."""
    environment = {**warehouse.database.environment(), "KYALO_HOME": str(warehouse.settings.home)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["storage", *arguments])

    yield run
    get_settings.cache_clear()


def test_commands(kyalo: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    key = receive(warehouse)
    warehouse.store.put("archive/note.txt", io.BytesIO(b"x"), "text/plain")
    listed = {found["key"]: found for found in json.loads(kyalo("ls", "--json").stdout)}
    assert set(listed) == {key, "archive/note.txt"}
    assert (listed[key]["size_bytes"], listed[key]["form"]) == (len(CSV), "household_survey")
    assert (listed[key]["content_type"], listed[key]["ingestions"]) == ("text/csv", 1)
    assert listed[key]["sha256"] in key
    assert len(listed["archive/note.txt"]["sha256"]) == 64
    assert any(line.endswith(key) for line in kyalo("ls", "raw/").stdout.splitlines())

    target = tmp_path / "fetched.csv"
    assert json.loads(kyalo("get", key, "-o", str(target), "--json").stdout)["size_bytes"] == len(CSV)
    assert target.read_bytes() == CSV
    assert kyalo("get", key).stdout_bytes == CSV

    assert kyalo("verify").exit_code == 0
    spoil(warehouse.store, key)
    assert isinstance(kyalo("get", key).exception, IntegrityError)
    found = kyalo("verify", "--repair", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["findings"] == [{"problem": "corrupt", "key": key, "is_repaired": False}]

    with warehouse.database.transaction() as connection:
        connection.execute("truncate raw.ingestions cascade")
    refused = kyalo("verify", "--repair", "--grace", "0")
    assert refused.exit_code == 1
    assert "--force" in refused.stdout
    assert kyalo("verify", "--repair", "--force", "--grace", "0").exit_code == 0
    assert warehouse.store.head(key) is None
