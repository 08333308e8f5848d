"""dbt, run in a child process of its own, one invocation at a time."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from orchestration.context import Warehouse
from warehouse.embedded import EmbeddedServer
from warehouse.errors import BuildError, ProcessLostError

LOCK = "kyalo.dbt"
LOGGING = ("--quiet", "--log-level-file", "info")  # a log of everything costs a fifth of the time
NEEDS_TLS = {"require", "verify-ca", "verify-full"}
GOOD = {"success", "pass", "warn", "skipped", "no-op"}


@dataclass(frozen=True)
class Node:
    """One model or test that dbt ran.

    Attributes:
        unique_id: as dbt identifies it.
        rows_affected: rows that a model wrote, where the database tells.
        failures: rows that a test found.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    message: str | None
    rows_affected: int | None
    failures: int | None


def dbt_environment(warehouse: Warehouse) -> dict[str, str]:
    """The environment in which any dbt command finds project, profile and database."""
    settings = warehouse.settings
    return {
        **os.environ,
        **warehouse.database.environment(),
        "DBT_PROJECT_DIR": str(settings.dbt_project_dir),
        "DBT_PROFILES_DIR": str(settings.project_root / "profiles"),
        "DBT_TARGET_PATH": str(settings.home / "dbt" / "target"),
        "DBT_LOG_PATH": str(settings.home / "dbt" / "logs"),
        "DBT_PACKAGES_PATH": str(settings.home / "dbt" / "packages"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def client_environment(warehouse: Warehouse) -> dict[str, str]:
    """The environment in which PostgreSQL's own programs find the database: Kyalo's first, which cannot speak TLS."""
    settings, database = warehouse.settings, warehouse.database.environment()
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGDATABASE": "NAME", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    folders = [str(EmbeddedServer(settings.home).programs), os.environ.get("PATH", os.defpath)]
    needs_tls = settings.db_sslmode in NEEDS_TLS and not settings.is_embedded
    return {
        **{variable: database[f"DB_{name}"] for variable, name in names.items()},
        **{variable: value for variable, value in database.items() if variable.startswith("PGSSL")},
        "PATH": os.pathsep.join(reversed(folders) if needs_tls else folders),
    }


class Dbt:
    """A warm dbt for the length of a `with` block.

    Args:
        warehouse: what it works on.
        application_name: what its connections are called in the database.

    Attributes:
        results: what the newest invocation said of every model and test, also when it failed.

    Raises:
        BusyError: at an invocation, when another process builds at the same time.
        ProcessLostError: at an invocation, when the child was killed; the next invocation starts another.
    """

    def __init__(self, warehouse: Warehouse, *, application_name: str = "kyalo dbt") -> None:
        self.results: list[Node] = []
        self._warehouse = warehouse
        self._application_name = application_name
        self._log_file: Path = warehouse.settings.home / "dbt" / "dbt.log"

    def __enter__(self) -> Self:
        """Start the child."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self._child = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self._end()

    @property
    def manifest(self) -> Path:
        """What dbt wrote at its last invocation: every node, with the SQL of those that it compiled."""
        return self._warehouse.settings.home / "dbt" / "target" / "manifest.json"

    def build(self, *arguments: str) -> list[Node]:
        """Run `dbt build` and return what it ran.

        Raises:
            BuildError: a model could not be made or a test failed; the message names the first ones.
        """
        self.install_packages()
        return self._invoke("build", *arguments)

    def compile(self, *arguments: str) -> dict[str, Any]:
        """Run `dbt compile` and return its manifest, which holds the SQL of the models that were selected."""
        self._compile(*arguments)
        return dict(json.loads(self.manifest.read_text()))

    def compile_features(self) -> Path:
        """Compile the feature mart and all that it is made of, and return the manifest that holds their SQL."""
        self._compile("--indirect-selection", "empty", "--select", "+fct_household_features")
        return self.manifest

    def docs(self) -> Path:
        """Write the documentation of the published tables as one self-contained page and return it."""
        self.install_packages()
        # Tests are told with their models; their SQL could not be written before there is a table to test.
        self._invoke("docs", "generate", "--static", "--target", "published", "--exclude", "resource_type:test")
        return self._warehouse.settings.home / "dbt" / "target" / "static_index.html"

    def install_packages(self) -> None:
        """Link the project's local packages, unless they are linked."""
        if not has_packages(self._warehouse):
            self._invoke("deps")

    def _compile(self, *arguments: str) -> None:
        self.install_packages()
        self._invoke("compile", *arguments)

    def _start(self) -> subprocess.Popen[str]:
        with self._log_file.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "orchestration.dbt_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**dbt_environment(self._warehouse), "DBT_APPLICATION_NAME": self._application_name},
                cwd=self._warehouse.settings.project_root,
                text=True,
            )

    def _end(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # it was killed
            _pipe(self._child.stdin).close()
        self._child.wait()
        _pipe(self._child.stdout).close()

    def _invoke(self, *arguments: str) -> list[Node]:
        self.results = []
        with self._warehouse.database.lock(LOCK):
            success, problem, self.results = self._ask([*LOGGING, *arguments])
        if not success:
            raise self._failure(problem, self.results)
        return self.results

    def _ask(self, arguments: list[str]) -> tuple[bool, str | None, list[Node]]:
        if self._child.poll() is not None:
            self._end()
            self._child = self._start()
        commands, answers = _pipe(self._child.stdin), _pipe(self._child.stdout)
        line = ""
        with contextlib.suppress(BrokenPipeError):  # it is killed just now
            commands.write(json.dumps(arguments) + "\n")
            commands.flush()
            line = answers.readline()
        if not line:
            self._child.wait()
            raise ProcessLostError(
                "dbt ended in the middle of its work.", remedy=f"See {self._log_file}, then run again."
            )
        answer = json.loads(line)
        return answer["success"], answer["problem"], [Node(**node) for node in answer["nodes"]]

    def _failure(self, problem: str | None, nodes: list[Node]) -> BuildError:
        bad = [node for node in nodes if node.status not in GOOD]
        told = [f"{node.name}: {' '.join((node.message or node.status).split())}" for node in bad[:5]]
        return BuildError(
            f"dbt stopped: {'; '.join(told) or problem or 'no reason given'}.",
            remedy=f"Tables downstream keep their last state. See {self._log_file}.",
            failed=[node.name for node in bad],
        )


def has_packages(warehouse: Warehouse) -> bool:
    """Whether the project's local packages are linked, and to where the project is now."""
    return (warehouse.settings.home / "dbt" / "packages" / "dbt_expectations" / "dbt_project.yml").exists()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101 - the child is opened with pipes
    return pipe
