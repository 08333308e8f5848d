"""The verdicts of the local dbt_expectations package, one case after the other, on a real server.

A scratch dbt project takes the package in as `local:`, builds one model per data set of
`dbt_expectations_cases/datasets.yml` and runs every case of the other files there, all in one build.
"""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from warehouse.embedded import EmbeddedServer
from warehouse.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "dbt_project" / "packages" / "dbt_expectations"
CASES_FOLDER = Path(__file__).parent / "dbt_expectations_cases"
DATASETS: dict[str, dict[str, Any]] = yaml.safe_load((CASES_FOLDER / "datasets.yml").read_text())
STRICT = '{"error": ["Deprecations", "InvalidMacroAnnotation"]}'
PROFILE = {
    "type": "postgres",
    "host": "{{ env_var('DB_HOST') }}",
    "port": "{{ env_var('DB_PORT') | int }}",
    "dbname": "{{ env_var('DB_NAME') }}",
    "user": "{{ env_var('DB_USER') }}",
    "password": "{{ env_var('DB_PASSWORD') }}",
    "schema": "cases",
    "threads": 4,
}

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("dbt_expectations")]


@dataclass(frozen=True)
class Case:
    """One use of one test; `verdict` is `pass`, `fail <failing rows>` or `error`."""

    test: str
    case: str
    at: str
    verdict: str
    arguments: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    message: str = ""

    @property
    def name(self) -> str:
        """What dbt calls it."""
        return f"{self.test}__{self.case}"

    def as_data_test(self) -> dict[str, Any]:
        """The entry under `data_tests:`."""
        entry = {"name": self.name, "arguments": self.arguments, "config": self.config}
        return {f"dbt_expectations.{self.test}": {key: value for key, value in entry.items() if value}}


@dataclass(frozen=True)
class Build:
    """What dbt made of the scratch project."""

    results: dict[str, dict[str, Any]]
    macros: list[dict[str, Any]]


def read_cases() -> list[Case]:
    """Every case of every file but the data sets."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(CASES_FOLDER.glob("*.yml"))]
    return [
        Case(test=test, **case)
        for file in files
        if file != DATASETS
        for test, cases in file.items()
        for case in cases
    ]


CASES = read_cases()


@pytest.fixture(scope="module")
def build(test_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """One `dbt build` of all cases, in a database of its own."""
    arguments = test_server.connection_arguments()
    name = sql.Identifier(f"kyalo_{secrets.token_hex(6)}")
    with psycopg.connect(**arguments, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        try:
            project = write_project(tmp_path_factory.mktemp("dbt_expectations"))
            yield run_dbt(project, arguments | {"dbname": name.as_string().strip('"')})
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case, build: Build) -> None:
    """The verdict, and the number of failing rows, are those of the public package."""
    result = build.results[case.name]
    verdict = f"fail {result['failures']}" if result["status"] == "fail" else result["status"]
    assert verdict == case.verdict, result["message"]
    assert case.message in (result["message"] or "")


def test_every_test_has_every_kind_of_case(build: Build) -> None:
    """Each test has cases that pass, fail, meet NULL, an empty table and, where it can, groups."""
    gaps = {
        f"{macro['name']}: {kind}"
        for macro in build.macros
        if macro["name"].startswith("test_")
        for kind in kinds_needed(macro)
        if not any(case.case.startswith(kind) for case in CASES if f"test_{case.test}" == macro["name"])
    }
    assert gaps == set()


def test_every_macro_and_argument_is_described(build: Build) -> None:
    """dbt checked the arguments' names and types; here every description is there."""
    silent = {macro["name"] for macro in build.macros if not macro["description"]}
    silent |= {
        f"{macro['name']}.{argument['name']}"
        for macro in build.macros
        for argument in macro["arguments"]
        if not argument["description"]
    }
    assert silent == set()


def test_readme_lists_exactly_the_tests_there_are(build: Build) -> None:
    """The table of the README has one row per test."""
    listed = re.findall(r"^\| `(\w+)` \|", (PACKAGE / "README.md").read_text(), re.MULTILINE)
    there = [macro["name"].removeprefix("test_") for macro in build.macros if macro["name"].startswith("test_")]
    assert sorted(listed) == sorted(there)


def kinds_needed(macro: dict[str, Any]) -> list[str]:
    """The first words of case names that a test needs; a test of the catalog never sees a value."""
    arguments = {argument["name"] for argument in macro["arguments"]}
    reads_rows = arguments & {"row_condition", "value_set"}
    kinds = ["pass", "fail", "empty"]
    kinds += ["null"] if reads_rows and not macro["name"].startswith("test_expect_table_row_count_to") else []
    return kinds + (["grouped"] if arguments & {"group_by", "group_by_columns"} else [])


def write_project(folder: Path) -> Path:
    """The scratch project: its configuration, a model per data set, the cases as their data tests."""
    project = {
        "name": "cases",
        "profile": "cases",
        "flags": {"validate_macro_args": True, "send_anonymous_usage_stats": False},
        "models": {"+materialized": "table"},
    }
    profiles = {"cases": {"target": "cases", "outputs": {"cases": PROFILE}}}
    files = {
        "dbt_project.yml": project,
        "profiles.yml": profiles,
        "packages.yml": {"packages": [{"local": str(PACKAGE)}]},
        "models/models.yml": {"models": [describe_model(name) for name in DATASETS]},
    }
    (folder / "models").mkdir()
    for path, content in files.items():
        (folder / path).write_text(yaml.safe_dump(content, sort_keys=False))
    for name, dataset in DATASETS.items():
        (folder / "models" / f"{name}.sql").write_text(select_rows(**dataset))
    return folder


def describe_model(name: str) -> dict[str, Any]:
    """The YAML of one model: the cases on the table, then those on each column."""
    columns: dict[str, list[Case]] = {}
    for case in CASES:
        table, _, column = case.at.partition(".")
        if table == name:
            columns.setdefault(column, []).append(case)
    tests = {column: [case.as_data_test() for case in cases] for column, cases in columns.items()}
    return {
        "name": name,
        "data_tests": tests.pop("", []),
        "columns": [{"name": column, "data_tests": entries} for column, entries in tests.items()],
    }


def select_rows(columns: dict[str, str], rows: list[list[Any]], materialized: str = "table") -> str:
    """A model that selects these rows, typed; a cell that begins with = is an expression."""
    casts = [f"cast(column{position} as {kind}) as {name}" for position, (name, kind) in enumerate(columns.items(), 1)]
    tuples = [f"({', '.join(map(literal, row))})" for row in rows or [[None] * len(columns)]]
    return (
        f"{{{{ config(materialized='{materialized}') }}}}\n"
        f"select {', '.join(casts)}\nfrom (values {', '.join(tuples)}) as cells\nwhere {bool(rows)}"
    )


def literal(value: object) -> str:
    """A cell as SQL text."""
    text = str(value)
    if text.startswith("="):
        return f"cast({text[1:]} as text)"
    return "null" if value is None else "'" + text.replace("'", "''") + "'"


def run_dbt(project: Path, arguments: dict[str, str | int]) -> Build:
    """Install the package, build, and read what dbt wrote."""
    names = {"DB_HOST": "host", "DB_PORT": "port", "DB_NAME": "dbname", "DB_USER": "user", "DB_PASSWORD": "password"}
    environment = os.environ | {variable: str(arguments[name]) for variable, name in names.items()}
    output = ""
    for command in (["deps"], ["--warn-error-options", STRICT, "build"]):
        dbt = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *command]
        finished = subprocess.run(dbt, cwd=project, env=environment, capture_output=True, text=True, check=False)
        output += finished.stdout + finished.stderr
    results = project / "target" / "run_results.json"
    assert results.exists(), output
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    return Build(
        results={row["unique_id"].split(".")[2]: row for row in json.loads(results.read_text())["results"]},
        macros=[macro for macro in manifest["macros"].values() if macro["package_name"] == "dbt_expectations"],
    )
