"""Amazon S3, or any server that speaks its language, as object store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Self, cast

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

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
REMEDY = "Check the network, the bucket and the credentials; what was sent can be sent again."
CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
ABSENT = {"404", "NoSuchKey"}
REFUSED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
RANGE_BYTES = 64 * 1024**2  # what is fetched again when a connection breaks
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 30, 3
# One part at a time: an upload of any size costs the memory of one part. What is fetched goes to disk as it comes.
IN_PARTS = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
IN_RANGES = TransferConfig(multipart_threshold=RANGE_BYTES, multipart_chunksize=RANGE_BYTES, use_threads=False)


class S3Store:
    """A bucket as object store.

    Args:
        client: boto3's client of the service.
        bucket: the bucket's name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The bucket that the settings name.

        Raises:
            ConfigurationError: none is named, there is no such bucket, or the credentials are refused.
        """
        if not settings.aws_s3_bucket:
            raise misconfigured("The store is aws, but no bucket is named", "Set AWS_S3_BUCKET.")
        try:
            store = cls(client_of(settings), settings.aws_s3_bucket)
        except (BotoCoreError, ValueError) as error:
            raise misconfigured(f"S3 cannot be used: {error}", "Check S3_ENDPOINT_URL and AWS_REGION.") from error
        store.check()
        return store

    def check(self) -> None:
        """See that the bucket can be used; a server that is away is only noted.

        Raises:
            ConfigurationError: there is no such bucket, or the credentials are refused.
        """
        try:
            self.client.head_bucket(Bucket=self.bucket)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise misconfigured("S3 was given no credentials", f"Set {CREDENTIALS}.") from error
        except ClientError as error:
            if _code(error) in ABSENT:
                remedy = "Create it, or correct AWS_S3_BUCKET or AWS_REGION."
                raise misconfigured(f"There is no bucket {self.bucket}", remedy) from error
            if _code(error) in REFUSED:
                remedy = f"Check {CREDENTIALS} and the bucket's policy."
                raise misconfigured(f"The bucket {self.bucket} refuses these credentials", remedy) from error
            logger.warning("the object store does not answer", problem=_code(error))
        except BotoCoreError as error:
            logger.warning("the object store does not answer", problem=type(error).__name__)

    def put(self, key: str, source: BinaryIO, content_type: str) -> StoredObject:
        """Keep all that is left of `source` under `key`; more than 8 MiB goes in parts."""
        with self._telling(f"{check_key(key)} could not be written to the object store", key):
            sha256, size = checksum_of(source)
            about = {"ContentType": content_type, "Metadata": {"sha256": sha256}, "ChecksumAlgorithm": "SHA256"}
            if size <= PART_BYTES:
                self.client.put_object(Bucket=self.bucket, Key=key, Body=source.read(), **about)
            else:
                self.client.upload_fileobj(source, self.bucket, key, ExtraArgs=about, Config=IN_PARTS)
        return StoredObject(key, size, sha256, content_type)

    def get(self, key: str) -> BinaryIO:
        """Open an object for reading; a large one is fetched into a temporary file."""
        with self._telling(f"{check_key(key)} could not be read from the object store", key):
            spool = cast(BinaryIO, PrivateFile(PART_BYTES))
            try:
                self.client.download_fileobj(self.bucket, key, spool, Config=IN_RANGES)
            except BaseException:
                spool.close()
                raise
        spool.seek(0)
        return spool

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; its checksum is the one that was taken when it was written."""
        with self._telling(f"{check_key(key)} could not be read from the object store", key):
            try:
                facts = self.client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if _code(error) in ABSENT:
                    return None
                raise
        sha256 = facts["Metadata"].get("sha256")
        return StoredObject(key, facts["ContentLength"], sha256, facts.get("ContentType"), facts["LastModified"])

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key starts with `prefix`, in order of key."""
        with self._telling("The object store could not be listed", prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for facts in page.get("Contents", []):
                    if is_key(facts["Key"]):
                        yield StoredObject(facts["Key"], facts["Size"], None, None, facts["LastModified"])

    def delete(self, key: str) -> None:
        """Remove an object."""
        with self._telling(f"{check_key(key)} could not be removed from the object store", key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def drafts(self, before: datetime, *, remove: bool = False) -> Sequence[str]:
        """Uploads in parts that were begun before a moment and never completed."""
        found = []
        with self._telling("The object store could not be searched for drafts", ""):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
            for upload in (upload for page in pages for upload in page.get("Uploads", [])):
                if upload["Initiated"] < before:
                    found.append(upload["Key"])
                    if remove:
                        self.client.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
        return sorted(found)

    @contextmanager
    def _telling(self, doing: str, key: str) -> Iterator[None]:
        """Turn what boto3, the server or the source says into the store's errors."""
        try:
            yield
        except ClientError as error:
            if _code(error) in ABSENT:
                raise not_found(key) from error
            raise unavailable(doing, _code(error), REMEDY) from error
        except (BotoCoreError, Boto3Error) as error:
            raise unavailable(doing, type(error).__name__, REMEDY) from error
        except OSError as error:
            raise unavailable(doing, error.strerror or error, REMEDY) from error


def client_of(settings: Settings) -> Any:
    """The driver of the service that the settings name: patient with short troubles, never for long."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    endpoint = settings.s3_endpoint_url
    return boto3.client(
        "s3",
        region_name=settings.aws_region,
        endpoint_url=endpoint,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        aws_session_token=token.get_secret_value() if token else None,
        verify=str(settings.s3_ca_bundle) if settings.s3_ca_bundle else None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Servers other than Amazon's seldom have a name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
