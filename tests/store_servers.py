"""Servers of objects for tests: moto in place of S3, Azurite in place of Azure Blob, each a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.certificates import Authority
from warehouse.embedded.server import free_port
from warehouse.settings import PROJECT_ROOT, Settings
from warehouse.stores.s3 import client_of

AZURITE = PROJECT_ROOT / "tests" / "servers" / "node_modules" / ".bin" / "azurite-blob"
BUCKET = "kyalo-test"
START_SECONDS = 30
# The account that Azurite documents; it opens nothing else.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class StoreServer:
    """A running server of objects.

    Attributes:
        process: to be killed when the server shall be away.
        settings: the settings that name its bucket or container.
    """

    process: subprocess.Popen[bytes]
    settings: Settings


@contextmanager
def moto_server(home: Path, authority: Authority | None = None, **environment: str) -> Iterator[StoreServer]:
    """An S3 with one bucket, that speaks https where an authority vouches for it."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    if authority:
        command += ["--ssl-cert", str(authority.certificate), "--ssl-key", str(authority.key)]
    with _serving(command, port, environment) as process:
        settings = Settings(
            _env_file=None,
            kyalo_home=home,
            storage_provider="aws",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - moto takes any
            aws_s3_bucket=BUCKET,
            s3_endpoint_url=f"{'https' if authority else 'http'}://127.0.0.1:{port}",
            s3_ca_bundle=authority.bundle if authority else None,
        )
        if not environment:
            client_of(settings).create_bucket(Bucket=BUCKET)
        yield StoreServer(process, settings)


@contextmanager
def azurite_server(home: Path, authority: Authority | None = None) -> Iterator[StoreServer]:
    """An Azure Blob service with one container, that speaks https where an authority vouches for it."""
    if shutil.which("node") is None:
        pytest.skip("Azurite needs Node.js, and there is none")
    if not AZURITE.exists():
        pytest.skip("Azurite is not installed: run `npm ci` in tests/servers (`make test` does)")
    port = free_port()
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    if authority:
        options += ["--cert", str(authority.certificate), "--key", str(authority.key)]
    scheme, bundle = ("https", authority.bundle) if authority else ("http", None)
    with _serving([str(AZURITE), "--blobPort", str(port), *options], port, {}) as process:
        account = (
            f"DefaultEndpointsProtocol={scheme};AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={scheme}://127.0.0.1:{port}/{ACCOUNT};"
        )
        with BlobServiceClient.from_connection_string(
            account, connection_verify=str(bundle) if bundle else True
        ) as service:
            service.create_container(BUCKET)
        settings = Settings(
            _env_file=None,
            kyalo_home=home,
            storage_provider="azure",
            azure_storage_connection_string=account,
            azure_container=BUCKET,
            azure_ca_bundle=bundle,
        )
        yield StoreServer(process, settings)


@contextmanager
def _serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        _wait_until_it_answers(port)
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")
