"""Azure Blob Storage as object store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO, Self, cast

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ContentSettings, LinearRetry

from warehouse.crypto.spool import PrivateFile
from warehouse.logs import get_logger
from warehouse.settings import Settings
from warehouse.stores.protocol import (
    PART_BYTES,
    StoredObject,
    check_key,
    checksum_of,
    is_key,
    misconfigured,
    not_found,
    unavailable,
)

logger = get_logger(__name__)
REMEDY = "Check the network, the container and the connection string; what was sent can be sent again."
CONNECT_SECONDS, READ_SECONDS, RETRIES = 3, 30, 2
REFUSED = 403


class AzureStore:
    """A container as object store.

    Args:
        container: the service's client of it.
    """

    def __init__(self, container: ContainerClient) -> None:
        self.container = container

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The container that the settings name.

        Raises:
            ConfigurationError: none is named, there is no such container, or the account is refused.
        """
        account = settings.azure_storage_connection_string
        if account is None or not settings.azure_container:
            remedy = "Set AZURE_STORAGE_CONNECTION_STRING and AZURE_CONTAINER."
            raise misconfigured("The store is azure, but no account or no container is named", remedy)
        try:
            container = ContainerClient.from_connection_string(
                account.get_secret_value(),
                settings.azure_container,
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                connection_verify=str(settings.azure_ca_bundle) if settings.azure_ca_bundle else True,
                retry_policy=LinearRetry(backoff=1, retry_total=RETRIES, random_jitter_range=0),
                max_single_put_size=PART_BYTES,
                max_block_size=PART_BYTES,
                max_single_get_size=PART_BYTES,
                max_chunk_get_size=PART_BYTES,
            )
        except ValueError as error:
            remedy = "Copy AZURE_STORAGE_CONNECTION_STRING anew from the account."
            raise misconfigured("The connection string of the account cannot be read", remedy) from error
        store = cls(container)
        store.check()
        return store

    def check(self) -> None:
        """See that the container can be used; a service that is away is only noted.

        Raises:
            ConfigurationError: there is no such container, or the account is refused.
        """
        name = self.container.container_name
        try:
            self.container.get_container_properties()
        except ResourceNotFoundError as error:
            raise misconfigured(f"There is no container {name}", "Create it, or correct AZURE_CONTAINER.") from error
        except ClientAuthenticationError as error:
            raise misconfigured(f"The container {name} refuses this account", "Check the connection string.") from error
        except AzureError as error:
            if isinstance(error, HttpResponseError) and error.status_code == REFUSED:
                raise misconfigured(
                    f"The container {name} refuses this account", "Check the connection string."
                ) from error
            logger.warning("the object store does not answer", problem=type(error).__name__)

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep all that is left of `source` under `key`; more than 8 MiB goes in blocks."""
        with _telling(f"{check_key(key)} could not be written to the object store", key):
            sha256, size = checksum_of(source)
            self.container.upload_blob(
                key,
                source,
                length=size,
                overwrite=True,
                validate_content=True,
                content_settings=ContentSettings(content_type=content_type),
                metadata={"sha256": sha256},
            )
        return StoredObject(key, size, sha256, content_type)

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading; a large one is fetched into a temporary file."""
        with _telling(f"{check_key(key)} could not be read from the object store", key):
            spool = cast(BinaryIO, PrivateFile(PART_BYTES))
            try:
                self.container.download_blob(key).readinto(spool)
            except BaseException:
                spool.close()
                raise
        spool.seek(0)
        return spool

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; its checksum is the one that was taken when it was written."""
        with _telling(f"{check_key(key)} could not be read from the object store", key):
            try:
                facts = self.container.get_blob_client(key).get_blob_properties()
            except ResourceNotFoundError as error:
                if _is_container_gone(error):
                    raise
                return None
        sha256 = facts.metadata.get("sha256")
        return StoredObject(key, facts.size, sha256, facts.content_settings.content_type, facts.last_modified)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""
        with _telling("The object store could not be listed", prefix):
            for facts in self.container.list_blobs(name_starts_with=prefix):
                if is_key(facts.name):
                    kind = facts.content_settings.content_type
                    yield StoredObject(facts.name, facts.size, None, kind, facts.last_modified)

    def delete(self, key: str) -> None:
        """Remove an object."""
        with _telling(f"{check_key(key)} could not be removed from the object store", key):
            try:
                self.container.delete_blob(key)
            except ResourceNotFoundError as error:
                if _is_container_gone(error):
                    raise

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:  # noqa: ARG002 - the service's own work
        """None: the service drops blocks that were never committed after a week by itself."""
        return []


@contextmanager
def _telling(doing: str, key: str) -> Iterator[None]:
    """Turn what the service or the source says into the store's errors."""
    try:
        yield
    except ResourceNotFoundError as error:
        if _is_container_gone(error):
            raise unavailable(doing, "the container is gone", REMEDY) from error
        raise not_found(key) from error
    except HttpResponseError as error:
        raise unavailable(doing, _code(error) or error.reason, REMEDY) from error
    except AzureError as error:
        raise unavailable(doing, type(error).__name__, REMEDY) from error
    except OSError as error:
        raise unavailable(doing, error.strerror or error, REMEDY) from error


def _is_container_gone(error: ResourceNotFoundError) -> bool:
    return _code(error) == "ContainerNotFound"


def _code(error: HttpResponseError) -> str | None:
    """What the service calls the error; the driver sets it on the errors that it knows."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code)) if code else None
