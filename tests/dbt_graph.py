"""The dbt project as its manifest tells it, for tests that read and do not build."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from warehouse.contract import describe_columns
from warehouse.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "dbt_project"
NOWHERE = {"DB_HOST": "nowhere", "DB_PORT": "1", "DB_NAME": "none", "DB_USER": "none", "DB_PASSWORD": "none"}
Node = dict[str, Any]


@dataclass(frozen=True)
class DbtGraph:
    """The nodes of the project itself; those of its packages are left out.

    Attributes:
        manifest: what `dbt parse` writes.
    """

    manifest: dict[str, Any]

    @cached_property
    def models(self) -> dict[str, Node]:
        """Every model, by its identifier."""
        return self._nodes("model")

    @cached_property
    def tests(self) -> dict[str, Node]:
        """Every data test, by its identifier."""
        return self._nodes("test")

    @cached_property
    def sources(self) -> dict[str, Node]:
        """Every table of a source, by its identifier."""
        return dict(self.manifest["sources"])

    @cached_property
    def exposures(self) -> dict[str, Node]:
        """Every exposure, by its identifier."""
        return dict(self.manifest["exposures"])

    @cached_property
    def children(self) -> dict[str, set[str]]:
        """The models and exposures that read each model and each source."""
        found: dict[str, set[str]] = {name: set() for name in [*self.models, *self.sources]}
        for name, node in {**self.models, **self.exposures}.items():
            for parent in node["depends_on"]["nodes"]:
                found[parent].add(name)
        return found

    @cached_property
    def contract_fields(self) -> set[str]:
        """The columns of all raw tables: their names are the contracts', not the project's."""
        return {name for columns in describe_columns().values() for name in columns}

    @property
    def public_models(self) -> list[Node]:
        """The models that others may rely on."""
        return [model for model in self.models.values() if model["access"] == "public"]

    def parents(self, model: str, kind: str) -> list[str]:
        """What a model reads: its parents of a kind, `model` or `source`."""
        return [name for name in self.models[model]["depends_on"]["nodes"] if name.startswith(f"{kind}.")]

    def tests_of(self, model: str) -> list[Node]:
        """The data tests of a model."""
        return [test for test in self.tests.values() if test.get("attached_node") == model]

    def described_columns(self) -> Iterator[tuple[str, Node]]:
        """Every column that the YAML lists, of models and of sources, and where."""
        for node in [*self.models.values(), *self.sources.values()]:
            for column in node["columns"].values():
                yield f"{node['name']}.{column['name']}", column

    def _nodes(self, kind: str) -> dict[str, Node]:
        return {
            name: node
            for name, node in self.manifest["nodes"].items()
            if node["resource_type"] == kind and node["package_name"] == "kyalo"
        }


def layer(node: Node) -> str:
    """The folder of `models` that a node lies in."""
    return Path(node["original_file_path"]).parts[1]


def parse_project(folder: Path) -> DbtGraph:
    """The project as dbt reads it; any warning of dbt's is an error.

    Raises:
        AssertionError: dbt cannot read it, or has something to say.
    """
    packages = folder / "packages"
    packages.mkdir()
    for package in (PROJECT / "packages").iterdir():
        (packages / package.name).symlink_to(package)
    environment = {
        **os.environ,
        **NOWHERE,
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT_ROOT / "profiles"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_PACKAGES_PATH": str(packages),
    }
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "--warn-error", "parse"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return DbtGraph(json.loads((folder / "target" / "manifest.json").read_text()))
