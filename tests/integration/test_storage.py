"""The contract of an object store, on the local one."""

import io
from pathlib import Path

import pytest

from warehouse.errors import NotFoundError, StorageUnavailableError
from warehouse.storage import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A store of the test's own: it needs no database."""
    return LocalStore(tmp_path / "store")


def test_what_is_put_comes_back(store: LocalStore) -> None:
    stored = store.put("raw/form/a.csv", io.BytesIO(b"one"), "text/csv")
    with store.get("raw/form/a.csv") as source:
        assert source.read() == b"one"
    assert store.head("raw/form/a.csv") == stored
    assert (stored.size_bytes, stored.sha256[:8] if stored.sha256 else "") == (3, "7692c3ad")


def test_put_replaces_whole(store: LocalStore) -> None:
    for content in (b"longer content", b"short"):
        store.put("key", io.BytesIO(content), "text/plain")
    with store.get("key") as source:
        assert source.read() == b"short"


def test_list_is_sorted_and_by_prefix(store: LocalStore) -> None:
    for key in ("raw/b", "raw/a", "models/c"):
        store.put(key, io.BytesIO(b""), "text/plain")
    assert [stored.key for stored in store.list("raw/")] == ["raw/a", "raw/b"]
    assert [stored.key for stored in store.list("")] == ["models/c", "raw/a", "raw/b"]


def test_absent_object(store: LocalStore) -> None:
    assert store.head("nothing") is None
    store.delete("nothing")
    with pytest.raises(NotFoundError):
        store.get("nothing")


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "", "raw/../../x", "raw/.hidden", "a\0b"])
def test_key_that_leaves_the_store_is_refused(store: LocalStore, key: str) -> None:
    with pytest.raises(NotFoundError):
        store.put(key, io.BytesIO(b""), "text/plain")


class Broken(io.BytesIO):
    """A source that ends in an error half-way."""

    def read(self, size: int | None = -1) -> bytes:
        """Give a little, then fail."""
        if self.tell():
            raise OSError(5, "the stick was pulled out")
        return super().read(2)


def test_failed_put_leaves_nothing(store: LocalStore) -> None:
    with pytest.raises(StorageUnavailableError, match="pulled out"):
        store.put("key", Broken(b"content"), "text/plain")
    assert list(store.list("")) == []
    assert list(store.folder.iterdir()) == []


def test_files_are_their_owners_alone(store: LocalStore) -> None:
    store.put("raw/a", io.BytesIO(b""), "text/plain")
    assert (store.folder / "raw" / "a").stat().st_mode & 0o777 == 0o600
