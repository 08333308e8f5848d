"""Where originals and models are kept: a small protocol, and a folder, S3 or Azure Blob behind it."""

from warehouse.settings import Provider, Settings
from warehouse.stores.archived import archived_key, check_original, is_whole, open_original, original_checksum, pack
from warehouse.stores.encrypted import EncryptedStore
from warehouse.stores.local import LocalStore
from warehouse.stores.mirrored import MirroredStore, single_stores
from warehouse.stores.protocol import (
    EXPORTED_ROWS,
    ORIGINALS,
    UNKNOWN_TYPE,
    ObjectStore,
    StoredObject,
    checksum_of,
    misconfigured,
    stated_checksum,
    type_of,
)

__all__ = [
    "EXPORTED_ROWS",
    "ORIGINALS",
    "UNKNOWN_TYPE",
    "EncryptedStore",
    "LocalStore",
    "MirroredStore",
    "ObjectStore",
    "StoredObject",
    "archived_key",
    "check_original",
    "checksum_of",
    "is_whole",
    "open_original",
    "open_store",
    "original_checksum",
    "pack",
    "single_stores",
    "stated_checksum",
    "type_of",
]


def open_store(settings: Settings) -> ObjectStore:
    """The store that the settings name, with its second store where there is one; originals are encrypted in both.

    A store that does not answer now is opened all the same: it may be back when it is needed.

    Raises:
        ConfigurationError: a setting is missing, the credentials are refused, or there is no such bucket or container.
    """
    primary = _encrypted(_open(settings.storage_provider, settings), settings)
    if settings.storage_secondary is None:
        return primary
    second = _open(settings.storage_secondary, settings, is_second=True)
    return MirroredStore(primary, _encrypted(second, settings))


def _encrypted(store: ObjectStore, settings: Settings) -> ObjectStore:
    return EncryptedStore(store, settings)


def _open(provider: Provider, settings: Settings, *, is_second: bool = False) -> ObjectStore:
    if provider == "aws":
        from warehouse.stores.s3 import S3Store  # a driver costs 0.2 to 0.4 s: only who uses it pays

        return S3Store.open(settings)
    if provider == "azure":
        from warehouse.stores.azure import AzureStore

        return AzureStore.open(settings)
    folder = settings.second_store_folder if is_second else settings.store_folder
    if folder is None:
        remedy = "Set STORAGE_SECONDARY_PATH, best to a folder on another disk."
        raise misconfigured("STORAGE_SECONDARY is local, but no folder is named", remedy)
    return LocalStore.open(folder)
