"""The ordinary user that runs the server when Kyalo itself runs as root.

PostgreSQL refuses to run as root, and an ordinary user may not be able to enter the folders that root
works in. Kyalo never opens those folders: what the server needs is put under `SYSTEM_FOLDER` instead.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import ConfigurationError
from warehouse.locks import open_locked

ACCOUNT_NAME = "kyalo"
SYSTEM_FOLDER = Path("/var/lib/kyalo")


@dataclass(frozen=True)
class Account:
    """An ordinary user of this machine that PostgreSQL's programs run as."""

    user_id: int
    group_id: int

    def run(self, command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, from the root folder, and return what it printed."""
        return run_program(command, user=self.user_id, group=self.group_id, extra_groups=[], **options)

    def can(self, access: str, path: Path) -> bool:
        """Whether this account has `access` (a flag of test(1), such as x) to a path."""
        return self.run(["/bin/sh", "-c", f'test -{access} "$1"', "sh", path]).returncode == 0


def run_program(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs detached from the caller's terminal and pipes."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.STDOUT)
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run(  # noqa: S603 - the commands are ours, no shell reads them
        [str(word) for word in command],
        start_new_session=True,
        cwd="/",
        env=_plain_environment(os.environ),
        text=True,
        errors="replace",
        check=False,
        **options,
    )


def system_folder(name: str) -> Path:
    """A folder under `SYSTEM_FOLDER` that belongs to root and that every account can pass through."""
    folder = SYSTEM_FOLDER / name
    for made in (SYSTEM_FOLDER, folder):
        made.mkdir(exist_ok=True)
        made.chmod(0o711)
    return folder


def server_account(data_folder: Path) -> Account | None:
    """The account to run the server as: None for the caller's own, which will do unless it is root's."""
    if os.geteuid() != 0:
        return None
    if data_folder.exists() and (owner := data_folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _find_entry() or _create_once()
    return Account(entry.pw_uid, entry.pw_gid)


def _find_entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        return None


def _create_once() -> pwd.struct_passwd:
    """Create the user unless another process does: of two useradd at once the later gives the user another number."""
    lock = open_locked(system_folder("accounts") / "lock")
    try:
        return _find_entry() or _create_entry()
    finally:
        os.close(lock)


def _create_entry() -> pwd.struct_passwd:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    said = ""
    if Path(useradd).exists():
        options = ["--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin"]
        said = run_program([useradd, *options, ACCOUNT_NAME]).stdout.strip()
    if entry := _find_entry():
        return entry
    raise ConfigurationError(
        f"PostgreSQL refuses to run as root, and user {ACCOUNT_NAME} could not be made: {said or 'no useradd here'}.",
        code="embedded.no_account",
        remedy=f"Create a system user {ACCOUNT_NAME}, run Kyalo as an ordinary user, or set DB_HOST.",
    )


def _plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without PG* variables, which would redirect PostgreSQL's programs."""
    return {name: value for name, value in environment.items() if not name.startswith("PG")}
