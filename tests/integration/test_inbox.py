"""The inbox: what is dropped there is received once, archived and given a receipt, wherever a collector dies."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, BinaryIO

import pytest

from ingest_api.auth.clients import add_client
from ingest_api.inbox import Collected, collect_inbox
from ingest_api.loading import land_next
from orchestration.context import Warehouse
from warehouse.database import Database, fetch_row, queries
from warehouse.errors import RefusedRequestError, StorageUnavailableError
from warehouse.stores import LocalStore, StoredObject

CSV = b"household_id,village\nH-1,Kigana\nH-2,Lwanda\n"
AT_ONCE = timedelta(0)


@pytest.fixture
def store(warehouse: Warehouse) -> LocalStore:
    """An empty folder, as a store that tests can put others before."""
    return LocalStore(warehouse.settings.store_folder)


def drop(store: LocalStore, key: str, content: bytes = CSV) -> None:
    store.put(key, io.BytesIO(content), "text/csv")


def collect(database: Database, store: LocalStore) -> list[Collected]:
    return collect_inbox(database, store, quiet=AT_ONCE)


def keys(store: LocalStore, prefix: str) -> list[str]:
    return [stored.key for stored in store.list(prefix)]


def receipts(store: LocalStore) -> list[dict[str, Any]]:
    found = []
    for key in keys(store, "archive/"):
        if key.endswith(".receipt.json"):
            with store.get(key) as file:
                found.append(json.loads(file.read()))
    return found


def count(database: Database, table: str) -> int:
    with database.transaction() as connection:
        row = connection.execute(f"select count(*) from raw.{table}").fetchone()
    assert row
    return int(row[0])


def test_file_is_received_archived_and_given_a_receipt(database: Database, store: LocalStore) -> None:
    drop(store, "inbox/visits.csv")
    [collected] = collect(database, store)
    assert (collected.status, collected.form, collected.filename) == ("received", "household_survey", "visits.csv")
    day = f"archive/{collected.collected_at:%Y-%m-%d}"
    assert keys(store, "inbox/") == []
    assert keys(store, "archive/") == [f"{day}/visits.csv", f"{day}/visits.csv.receipt.json"]
    with store.get(f"{day}/visits.csv") as archived:
        assert archived.read() == CSV
    assert land_next(database, store) == collected.ingestion_id
    assert collect(database, store) == []
    [receipt] = receipts(store)
    assert (receipt["status"], receipt["stored_rows"], receipt["rejected_rows"]) == ("loaded", 2, 0)
    assert receipt["status_path"] == f"/api/v1/status/{collected.ingestion_id}"
    with database.transaction() as connection:
        assert connection.execute("select source, client from raw.ingestions").fetchall() == [("inbox", "inbox")]
        assert connection.execute("select * from ops.open_receipts").fetchall() == []


def test_nobody_but_the_inbox_is_taken_for_it(database: Database, store: LocalStore) -> None:
    with pytest.raises(RefusedRequestError, match="'Inbox'"):
        add_client(database, "Inbox", "device")
    drop(store, "inbox/visits.csv")
    [collected] = collect(database, store)
    delivery = {"client": "inbox", "delivery": collected.delivery}
    with database.transaction() as connection:
        assert fetch_row(connection, queries("objects")["find_delivery"], delivery)
        connection.execute("update raw.ingestions set source = 'api'")
        assert fetch_row(connection, queries("objects")["find_delivery"], delivery) is None


def test_folder_names_the_form(database: Database, store: LocalStore) -> None:
    drop(store, "inbox/household_survey/kamuli/visits.csv")
    drop(store, "inbox/no_such_form/visits.csv")
    kept, refused = collect(database, store)
    assert (kept.form, kept.status) == ("household_survey", "received")
    assert (refused.form, refused.status, refused.ingestion_id) == ("no_such_form", "refused", None)
    assert keys(store, "inbox/") == []
    assert len(keys(store, "archive/")) == 4


def test_refused_file_is_archived_with_the_reason(database: Database, store: LocalStore) -> None:
    drop(store, "inbox/empty.csv", b"")
    [collected] = collect(database, store)
    assert collected.status == "refused"
    [receipt] = receipts(store)
    assert receipt["code"].startswith("file.")
    assert receipt["detail"]
    assert receipt["ingestion_id"] == collected.ingestion_id
    assert collect(database, store) == []
    assert receipts(store)[0]["code"] == receipt["code"]
    assert count(database, "ingestions") == 1


def test_same_name_again_overwrites_nothing(database: Database, store: LocalStore) -> None:
    drop(store, "inbox/visits.csv")
    collect(database, store)
    drop(store, "inbox/visits.csv", CSV + b"H-3,Namwendwa\n")
    collect(database, store)
    drop(store, "inbox/visits.csv")
    collect(database, store)
    assert len(keys(store, "archive/")) == 6
    assert len({receipt["delivery"] for receipt in receipts(store)}) == 3
    while land_next(database, store):
        pass
    assert count(database, "household_survey") == 3


def test_file_that_is_being_written_waits(database: Database, store: LocalStore) -> None:
    drop(store, "inbox/visits.csv")
    (store.folder / "inbox" / ".half.csv").write_bytes(b"household_id\nH")
    assert collect_inbox(database, store) == []
    assert len(collect(database, store)) == 1
    assert (store.folder / "inbox" / ".half.csv").exists()


def test_file_that_grows_while_it_is_collected_stays(database: Database, store: LocalStore) -> None:
    class Growing(LocalStore):
        """A store whose file grows just as it is archived."""

        def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
            """Keep an object; the inbox's file gains a line."""
            if key.endswith("/visits.csv"):
                with (self.folder / "inbox" / "visits.csv").open("ab") as file:
                    file.write(b"H-3,Namwendwa\n")
            return super().put(key, source, content_type)

    drop(store, "inbox/visits.csv")
    collect(database, Growing(store.folder))
    assert keys(store, "inbox/") == ["inbox/visits.csv"]
    collect(database, store)
    while land_next(database, store):
        pass
    assert keys(store, "inbox/") == []
    assert count(database, "household_survey") == 3


@pytest.mark.parametrize("name", ["x" * 230 + ".csv", "調" * 80 + ".csv", "a b%&'\"?#.csv"])
def test_names_of_any_length_and_script(database: Database, store: LocalStore, name: str) -> None:
    drop(store, f"inbox/{name}")
    [collected] = collect(database, store)
    assert (collected.status, keys(store, "inbox/")) == ("received", [])
    drop(store, f"inbox/{name}")
    collect(database, store)
    assert len(keys(store, "archive/")) == 4


def test_one_file_in_trouble_does_not_stop_the_others(database: Database, store: LocalStore) -> None:
    class Failing(LocalStore):
        """A store that cannot read one object."""

        def get(self, key: str) -> BinaryIO:
            """Open an object, but for one."""
            if key == "inbox/a.csv":
                raise StorageUnavailableError("The disk cannot be read.")
            return super().get(key)

    drop(store, "inbox/a.csv")
    drop(store, "inbox/b.csv")
    with pytest.raises(StorageUnavailableError):
        collect(database, Failing(store.folder))
    assert keys(store, "inbox/") == ["inbox/a.csv"]
    assert count(database, "ingestions") == 1


class PowerCut(BaseException):
    """The end of a collector, between two steps."""


class Mortal(LocalStore):
    """A store whose user dies at one of its operations, before it or after it."""

    def __init__(self, store: LocalStore, steps: int, *, after: bool) -> None:
        super().__init__(store.folder)
        self.steps, self.after = steps, after

    def get(self, key: str) -> BinaryIO:
        """Open an object, and die before that only."""
        with self._step():
            pass
        return super().get(key)

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep an object."""
        with self._step():
            return super().put(key, source, content_type)

    def delete(self, key: str) -> None:
        """Remove an object."""
        with self._step():
            super().delete(key)

    @contextmanager
    def _step(self) -> Iterator[None]:
        self.steps -= 1
        if self.steps == 0 and not self.after:
            raise PowerCut
        yield
        if self.steps == 0:
            raise PowerCut


@pytest.fixture
def dropped(store: LocalStore) -> LocalStore:
    """A store with a good and a bad file in its inbox."""
    drop(store, "inbox/visits.csv")
    drop(store, "inbox/bad.csv", b"")
    return store


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("steps", range(1, 14))
def test_collector_that_dies_loses_nothing_and_doubles_nothing(
    database: Database, dropped: LocalStore, steps: int, after: bool
) -> None:
    mortal = Mortal(dropped, steps, after=after)
    with suppress(PowerCut):
        collect(database, mortal)
        collect(database, mortal)
    collect(database, dropped)
    while land_next(database, dropped):
        pass
    collect(database, dropped)
    assert keys(dropped, "inbox/") == []
    assert [key.rpartition("/")[2] for key in keys(dropped, "archive/")] == [
        "bad.csv",
        "bad.csv.receipt.json",
        "visits.csv",
        "visits.csv.receipt.json",
    ]
    assert sorted(receipt["status"] for receipt in receipts(dropped)) == ["loaded", "refused"]
    assert (count(database, "ingestions"), count(database, "household_survey")) == (2, 2)
