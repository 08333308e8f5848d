"""The contract of an object store, on all of them; and what each of them does in trouble."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store_servers import StoreServer, azurite_server, moto_server
from warehouse.errors import ConfigurationError, NotFoundError, StorageUnavailableError
from warehouse.settings import Settings
from warehouse.stores import EncryptedStore, LocalStore, MirroredStore, ObjectStore, open_store
from warehouse.stores.protocol import PART_BYTES
from warehouse.stores.s3 import S3Store

pytestmark = [pytest.mark.xdist_group("stores"), pytest.mark.timeout(120)]
CSV = "text/csv"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the servers' settings name."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="module")
def s3(home: Path) -> Iterator[StoreServer]:
    """An S3 server of its own."""
    with moto_server(home) as server:
        yield server


@pytest.fixture(scope="module")
def azure(home: Path) -> Iterator[StoreServer]:
    """An Azure Blob server of its own."""
    with azurite_server(home) as server:
        yield server


@pytest.fixture(params=["folder", "encrypted folder", "s3", "azure"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind, all but the first encrypted as they are in use."""
    if request.param == "folder":
        return LocalStore.open(tmp_path / "store")
    if request.param == "encrypted folder":
        return open_store(Settings(_env_file=None, kyalo_home=tmp_path))
    server: StoreServer = request.getfixturevalue(request.param)
    opened = open_store(server.settings)
    for stored in list(opened.list("")):
        opened.delete(stored.key)
    return opened


def put(store: ObjectStore, key: str, content: bytes = b"") -> None:
    store.put(key, io.BytesIO(content), CSV)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 9_000_000])
def test_originals_are_kept_encrypted_and_read_in_any_part(store: ObjectStore, size: int) -> None:
    content = (b"Nakato Sarah +256772123456 " * (1 + size // 27))[:size]
    put(store, "raw/a.csv", content)
    if isinstance(store, EncryptedStore):
        with store.inner.get("raw/a.csv") as kept:
            written = kept.read()
        assert (b"Nakato" not in written, len(written) > size) == (True, True)
    (listed,) = store.list("raw/")
    assert listed.size_bytes == size
    with store.get("raw/a.csv") as source:
        source.seek(size // 3)
        assert source.read(70_000) == content[size // 3 : size // 3 + 70_000]


def read(store: ObjectStore, key: str) -> bytes:
    with store.get(key) as source:
        return source.read()


def test_what_is_put_comes_back(store: ObjectStore) -> None:
    stored = store.put("raw/form/a.csv", io.BytesIO(b"one"), CSV)
    assert read(store, "raw/form/a.csv") == b"one"
    assert store.head("raw/form/a.csv") == stored
    assert (stored.size_bytes, (stored.sha256 or "")[:8], stored.content_type) == (3, "7692c3ad", CSV)


def test_put_begins_where_the_source_stands(store: ObjectStore) -> None:
    source = io.BytesIO(b"read already, the rest")
    source.seek(14)
    assert store.put("key.csv", source, CSV).size_bytes == 8
    assert read(store, "key.csv") == b"the rest"
    assert not source.closed


def test_large_object_comes_back_and_can_be_sought(store: ObjectStore) -> None:
    content = bytes(range(256)) * (PART_BYTES // 128) + b"the end"
    stored = store.put("large.csv", io.BytesIO(content), CSV)
    assert store.head("large.csv") == stored
    with store.get("large.csv") as source:
        assert source.read() == content
        source.seek(PART_BYTES)
        assert source.read(10) == content[PART_BYTES : PART_BYTES + 10]


def test_empty_object(store: ObjectStore) -> None:
    put(store, "empty.csv")
    assert read(store, "empty.csv") == b""


def test_put_replaces_whole(store: ObjectStore) -> None:
    put(store, "key", b"longer content")
    put(store, "key", b"short")
    assert read(store, "key") == b"short"


def test_list_is_sorted_and_by_prefix(store: ObjectStore) -> None:
    for key in ("raw/b", "raw/a-c", "raw/a/c", "models/c", "rawer"):
        put(store, key, b"four")
    assert [stored.key for stored in store.list("raw/")] == ["raw/a-c", "raw/a/c", "raw/b"]
    assert [stored.key for stored in store.list("raw/a")] == ["raw/a-c", "raw/a/c"]
    assert [stored.key for stored in store.list("")] == ["models/c", "raw/a-c", "raw/a/c", "raw/b", "rawer"]
    assert list(store.list("nothing/here")) == []
    [stored] = store.list("models/")
    assert stored.size_bytes == 4
    assert stored.modified_at
    assert abs(stored.modified_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_names_of_any_script(store: ObjectStore) -> None:
    key = "inbox/ebibuuzo öñ 調査 100%+&?#.csv"
    put(store, key, b"x")
    assert [stored.key for stored in store.list("inbox/")] == [key]
    assert read(store, key) == b"x"


def test_local_store_whose_disk_is_gone_is_away(tmp_path: Path) -> None:
    store = LocalStore.open(tmp_path / "store")
    put(store, "raw/a")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    with pytest.raises(StorageUnavailableError):
        store.get("raw/a")


def test_absent_object(store: ObjectStore) -> None:
    assert store.head("nothing") is None
    store.delete("nothing")
    with pytest.raises(NotFoundError):
        store.get("nothing")


def test_deleted_object_is_gone(store: ObjectStore) -> None:
    put(store, "raw/a")
    store.delete("raw/a")
    assert (store.head("raw/a"), list(store.list(""))) == (None, [])


@pytest.mark.parametrize(
    "key", ["../outside", "/etc/passwd", "", "raw/../../x", "raw/.hidden", "a\0b", "a//b", "a\\b", "\ud800", "x" * 1025]
)
def test_key_that_leaves_the_store_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(NotFoundError):
        put(store, key)


class Broken(io.BytesIO):
    """A source that ends in an error half-way."""

    def read(self, size: int | None = -1) -> bytes:
        """Give a little, then fail."""
        if self.tell():
            raise OSError(5, "the stick was pulled out")
        return super().read(2)


def test_failed_put_leaves_nothing(store: ObjectStore) -> None:
    with pytest.raises(StorageUnavailableError, match="pulled out"):
        store.put("key", Broken(b"content"), "text/plain")
    assert list(store.list("")) == []
    assert list(store.drafts(datetime.now(UTC) + timedelta(hours=1))) == []


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    put(LocalStore(tmp_path), "raw/a")
    assert (tmp_path / "raw" / "a").stat().st_mode & 0o777 == 0o600


def test_draft_of_a_killed_writer_is_found_and_removed(tmp_path: Path) -> None:
    put(LocalStore(tmp_path), "raw/a.csv")
    draft = tmp_path / "raw" / ".b.csv.0123abcd"
    draft.write_bytes(b"half")
    (tmp_path / "raw" / ".gitkeep").touch()
    now = datetime.now(UTC)
    assert list(LocalStore(tmp_path).drafts(now - timedelta(hours=1))) == []
    assert list(LocalStore(tmp_path).drafts(now + timedelta(hours=1), remove=True)) == ["raw/.b.csv.0123abcd"]
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == [".gitkeep", "a.csv"]


def test_upload_in_parts_of_a_killed_writer_is_found_and_removed(s3: StoreServer) -> None:
    store = S3Store.open(s3.settings)
    store.client.create_multipart_upload(Bucket=store.bucket, Key="raw/half.csv")
    now = datetime.now(UTC)
    assert list(store.drafts(datetime(2000, 1, 1, tzinfo=UTC))) == []
    assert list(store.drafts(now, remove=True)) == ["raw/half.csv"]
    assert list(store.drafts(now)) == []


def test_folder_that_is_a_file_is_an_unavailable_store(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(StorageUnavailableError):
        put(LocalStore(tmp_path / "store"), "raw/a")


def test_server_that_is_away(home: Path) -> None:
    with moto_server(home) as server:
        store = open_store(server.settings)
        put(store, "raw/a", b"one")
        server.process.kill()
        server.process.wait()
        for use in (lambda: put(store, "raw/b"), lambda: store.get("raw/a"), lambda: list(store.list(""))):
            with pytest.raises(StorageUnavailableError) as raised:
                use()
            assert str(server.settings.s3_endpoint_url) not in str(raised.value)
        open_store(server.settings)  # it may be back when it is needed


def test_azure_that_is_away(home: Path) -> None:
    with azurite_server(home) as server:
        store = open_store(server.settings)
        server.process.kill()
        server.process.wait()
        with pytest.raises(StorageUnavailableError):
            put(store, "raw/b")


def test_no_such_bucket(s3: StoreServer) -> None:
    with pytest.raises(ConfigurationError, match="no bucket absent"):
        open_store(s3.settings.model_copy(update={"aws_s3_bucket": "absent"}))


def test_refused_credentials(home: Path) -> None:
    with moto_server(home, INITIAL_NO_AUTH_ACTION_COUNT="0") as server, pytest.raises(ConfigurationError) as raised:
        open_store(server.settings)
    assert "refuses these credentials" in str(raised.value)


def test_azure_without_container_or_with_another_key(azure: StoreServer) -> None:
    with pytest.raises(ConfigurationError, match="no container absent"):
        open_store(azure.settings.model_copy(update={"azure_container": "absent"}))
    account = azure.settings.azure_storage_connection_string
    assert account
    for broken in (account.get_secret_value().replace("Eby8", "AAAA"), "no connection string"):
        with pytest.raises(ConfigurationError):
            open_store(azure.settings.model_copy(update={"azure_storage_connection_string": type(account)(broken)}))


@pytest.mark.parametrize("provider", ["aws", "azure"])
def test_store_that_is_not_named(provider: str) -> None:
    with pytest.raises(ConfigurationError):
        open_store(Settings(_env_file=None, storage_provider=provider))


def test_second_store_must_be_another() -> None:
    with pytest.raises(ValueError, match="STORAGE_SECONDARY names the store itself"):
        Settings(_env_file=None, storage_provider="aws", storage_secondary="aws")
    with pytest.raises(ConfigurationError, match="no folder is named"):
        open_store(Settings(_env_file=None, storage_secondary="local"))


@pytest.fixture
def mirrored(tmp_path: Path) -> MirroredStore:
    """Two folders as one store."""
    settings = Settings(
        _env_file=None,
        storage_path=tmp_path / "one",
        storage_secondary="local",
        storage_secondary_path=tmp_path / "two",
    )
    store = open_store(settings)
    assert isinstance(store, MirroredStore)
    return store


def test_original_gets_a_copy(mirrored: MirroredStore) -> None:
    put(mirrored, "raw/a.csv", b"one")
    put(mirrored, "models/m.skops", b"two")
    assert read(mirrored.secondary, "raw/a.csv") == b"one"
    assert mirrored.secondary.head("models/m.skops") is None
    mirrored.primary.delete("raw/a.csv")
    assert read(mirrored, "raw/a.csv") == b"one"
    mirrored.delete("raw/a.csv")
    with pytest.raises(NotFoundError):
        mirrored.get("raw/a.csv")


def test_upload_succeeds_while_the_second_store_is_away(mirrored: MirroredStore, tmp_path: Path) -> None:
    (tmp_path / "two").touch()
    put(mirrored, "raw/a.csv", b"one")
    assert read(mirrored, "raw/a.csv") == b"one"
    with pytest.raises(NotFoundError):
        mirrored.get("raw/b.csv")
