"""One PostgreSQL data folder: made once, configured at each start, started and stopped."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from warehouse.embedded.account import Account, run_program
from warehouse.embedded.tuning import server_settings
from warehouse.errors import DatabaseUnavailableError

ROLE = "kyalo"
HOST = "127.0.0.1"
MACHINE_SETTINGS = "kyalo.conf"
START_SECONDS = 600  # crash recovery after a big load can take minutes
STALE_LOCK_SECONDS = 20  # a killed postmaster keeps its process entry until it is reaped
ACCEPTING, STARTING_UP, NO_ANSWER = 0, 1, 2  # pg_isready's exit codes
INITDB_OPTIONS = [
    f"--username={ROLE}",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=scram-sha-256",
    "--auth-host=scram-sha-256",
    "--data-checksums",
]


@dataclass(frozen=True)
class Cluster:
    """A data folder and the programs and account that serve it."""

    folder: Path
    installation: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def log_file(self) -> Path:
        """What the server says; started anew with the server, the one before is kept."""
        return self.folder / "server.log"

    def create(self, password: str, *, keep_open: int) -> None:
        """Make the data folder with one superuser and scram passwords; whole or not at all.

        Args:
            password: the superuser's.
            keep_open: descriptor of the caller's lock, held by initdb too, so that a caller killed
                half-way does not let a second one in while initdb still works.
        """
        draft = self.folder / "data.draft"
        secret = self.folder / "password.draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._write(secret, password)
        done = self._run("initdb", *INITDB_OPTIONS, f"--pwfile={secret}", "-D", draft, pass_fds=(keep_open,))
        secret.unlink()
        self._demand(done, "made")
        configuration = (draft / "postgresql.conf").read_text()
        self._write(draft / "postgresql.conf", f"{configuration}\ninclude '{MACHINE_SETTINGS}'\n")
        draft.rename(self.data)

    def start(self, *, port: int, socket_folder: Path) -> bool:
        """Start the server and wait until it answers; False when the port was taken."""
        settings = server_settings(self.data, port=port, socket_folder=socket_folder)
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        self._write(self.data / MACHINE_SETTINGS, lines)
        deadline = time.monotonic() + STALE_LOCK_SECONDS
        while True:
            done, said = self._try_start()
            if done.returncode == 0:
                return True
            if "Address already in use" in said:
                return False
            ready = self._run("pg_isready", "-h", HOST, "-p", str(port)).returncode if _has_rival(said) else NO_ANSWER
            if ready == ACCEPTING:
                return True
            if ready != STARTING_UP and (not _has_rival(said) or time.monotonic() > deadline):
                self._demand(done, "started", said)
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the server, ending its connections; nothing to do when it does not run."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-D", self.data)

    def _try_start(self) -> tuple[CompletedProcess[str], str]:
        log = self.log_file
        if log.exists():
            log.rename(log.with_suffix(".log.before"))
        done = self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", self.data, "-l", log)
        return done, log.read_text(errors="replace") if log.exists() else done.stdout

    def _write(self, path: Path, text: str) -> None:
        """Write a file as the account itself: root follows no link that the account may have laid."""
        command: list[str | Path] = ["/bin/sh", "-c", 'umask 077; cat > "$1"', "sh", path]
        run = self.account.run if self.account else run_program
        self._demand(run(command, input=text), "written to")

    def _run(self, program: str, *arguments: str | Path, **options: Any) -> CompletedProcess[str]:
        command = [self.installation / "bin" / program, *arguments]
        return self.account.run(command, **options) if self.account else run_program(command, **options)

    def _demand(self, done: CompletedProcess[str], verb: str, log: str = "") -> None:
        if done.returncode != 0:
            raise DatabaseUnavailableError(
                f"The embedded PostgreSQL in {self.folder} could not be {verb}: {(log or done.stdout).strip()[-2000:]}",
                code="embedded.not_started",
                remedy=f"See {self.log_file}, or set DB_HOST to use another server.",
            )


def _has_rival(said: str) -> bool:
    """Whether another postmaster is in the way: one that starts up, or was killed and has not quite gone."""
    return "lock file" in said or "pre-existing shared memory" in said
