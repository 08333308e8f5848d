"""The verdicts of the local dbt_expectations package, one case after the other, on a real server.

A scratch dbt project takes the package in as `local:`, builds one model per data set of
`dbt_expectations_cases/datasets.yml` and runs every case of the other files there, all in one build.
With the folders of the public package and of its dbt_date in DBT_EXPECTATIONS_PACKAGES, the same cases
are put to that one instead; `public` says what it answers where the two differ.
"""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from warehouse.address import Address
from warehouse.embedded import EmbeddedServer
from warehouse.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "dbt_project" / "packages" / "dbt_expectations"
CASES_FOLDER = Path(__file__).parent / "dbt_expectations_cases"
PUBLIC_PACKAGES = os.environ.get("DBT_EXPECTATIONS_PACKAGES", "").split(os.pathsep)
IS_PUBLIC = bool(PUBLIC_PACKAGES[0])
DATASETS: dict[str, dict[str, Any]] = yaml.safe_load((CASES_FOLDER / "datasets.yml").read_text())
PUBLIC_ARGUMENTS: dict[str, list[str]] = yaml.safe_load((CASES_FOLDER / "public_arguments.yml").read_text())
# Both steps in one child: importing dbt takes longer than installing the package.
DBT = """
from dbt.cli.main import dbtRunner
dbtRunner().invoke(["--no-use-colors", "deps"])
strict = '{"error": %s}'
dbtRunner().invoke(["--no-use-colors", "--warn-error-options", strict, "build"])
""" % ("[]" if IS_PUBLIC else '["Deprecations", "InvalidMacroAnnotation"]')
PROFILE = {
    "type": "postgres",
    "host": "{{ env_var('CASES_HOST') }}",
    "port": "{{ env_var('CASES_PORT') | int }}",
    "dbname": "{{ env_var('CASES_DBNAME') }}",
    "user": "{{ env_var('CASES_USER') }}",
    "password": "{{ env_var('CASES_PASSWORD') }}",
    "schema": "cases",
    "threads": 2,
}

only_ours = pytest.mark.skipif(IS_PUBLIC, reason="asks about our own package")
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("dbt_expectations")]


@dataclass(frozen=True)
class Case:
    """One use of one test; `verdict` is `pass`, `fail <failing rows>` or `error`.

    `public` is the public package's verdict where it is another one.
    """

    test: str
    case: str
    at: str
    verdict: str
    arguments: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    public: str = ""

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

    address: Address
    results: dict[str, dict[str, Any]]
    macros: list[dict[str, Any]]


def read_cases() -> list[Case]:
    """Every case of every file; for the public package, those that it can be asked."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(CASES_FOLDER.glob("*.yml"))]
    tests = [test for file in files if file not in (DATASETS, PUBLIC_ARGUMENTS) for test in file.items()]
    cases = [Case(test=test, **case) for test, entries in tests for case in entries]
    return [as_public(case) for case in cases if case.verdict != "error"] if IS_PUBLIC else cases


def as_public(case: Case) -> Case:
    """The case as the public package takes it: its verdict, no message, no argument of ours."""
    known = PUBLIC_ARGUMENTS[case.test]
    arguments = {name: value for name, value in case.arguments.items() if name in known}
    return replace(case, arguments=arguments, verdict=case.public or case.verdict, message="")


CASES = read_cases()
SHOWN_ROWS = {
    "expect_column_values_to_be_between__fail_with_context": [{"id": 4, "age": 40, "expression": False}],
    "expect_column_sum_to_be_between__grouped_fail": [
        {"col_1": "north", "measured_value": 30, "expression": False},
    ],
    "expect_column_values_to_be_unique__null_beside_a_repeated_value": [{"code": "a", "n_records": 2}],
}


@pytest.fixture(scope="module")
def build(test_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """One `dbt build` of all cases, in a database of its own."""
    server = test_server.address()
    own = Address(**{**server, "dbname": f"kyalo_{secrets.token_hex(6)}"})
    name = sql.Identifier(own["dbname"])
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        try:
            yield run_dbt(write_project(tmp_path_factory.mktemp("dbt_expectations")), own)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case, build: Build) -> None:
    """The verdict, and the number of failing rows, are those that the case names."""
    result = build.results[case.name]
    verdict = f"fail {result['failures']}" if result["status"] == "fail" else result["status"]
    assert verdict == case.verdict, result["message"]
    assert case.message in (result["message"] or "")


@only_ours
@pytest.mark.parametrize(("name", "rows"), SHOWN_ROWS.items())
def test_failing_rows_show_what_is_wrong(name: str, rows: list[dict[str, object]], build: Build) -> None:
    """A failing row carries its context columns, its group and the aggregate that was measured."""
    query: LiteralString = build.results[name]["compiled_code"]
    with psycopg.connect(**build.address, row_factory=dict_row) as connection:
        assert connection.execute(query).fetchall() == rows


@only_ours
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


@only_ours
def test_every_macro_and_argument_is_described(build: Build) -> None:
    """Names and types were checked by dbt; here, that nothing is left without a word."""
    silent = {macro["name"] for macro in build.macros if not macro["description"]}
    silent |= {
        f"{macro['name']}.{argument['name']}"
        for macro in build.macros
        for argument in macro["arguments"]
        if not argument["description"]
    }
    assert silent == set()


@only_ours
def test_every_test_takes_what_the_public_package_takes(build: Build) -> None:
    """A test of the public package is there, with all of its arguments under their names."""
    ours = {macro["name"]: {argument["name"] for argument in macro["arguments"]} for macro in build.macros}
    missing = {
        f"{test}: {argument}"
        for test, arguments in PUBLIC_ARGUMENTS.items()
        for argument in arguments
        if argument not in ours.get(f"test_{test}", set())
    }
    assert missing == set()


@only_ours
def test_a_difference_from_the_public_package_is_one() -> None:
    """No case names, as the public package's verdict, the one that ours gives."""
    assert [case.name for case in CASES if case.public == case.verdict] == []


@only_ours
def test_readme_lists_exactly_the_tests_there_are(build: Build) -> None:
    """The table of the README has one row per test."""
    listed = re.findall(r"^\| `(\w+)` \|", (PACKAGE / "README.md").read_text(), re.MULTILINE)
    there = [macro["name"] for macro in build.macros if macro["name"].startswith("test_")]
    assert sorted(f"test_{name}" for name in listed) == sorted(there)


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
        "vars": {"dbt_date:time_zone": "UTC"} if IS_PUBLIC else {},
    }
    profiles = {"cases": {"target": "cases", "outputs": {"cases": PROFILE}}}
    files = {
        "dbt_project.yml": project,
        "profiles.yml": profiles,
        "packages.yml": {"packages": [{"local": path} for path in (PUBLIC_PACKAGES if IS_PUBLIC else [str(PACKAGE)])]},
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
    typed = enumerate(columns.items(), 1)
    casts = [f"cast(column{position} as {kind}) as {name}" for position, (name, kind) in typed]
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


def run_dbt(project: Path, address: Address) -> Build:
    """Install the package, build, and read what dbt wrote."""
    environment = os.environ | {f"CASES_{name.upper()}": str(value) for name, value in address.items()}
    command = [sys.executable, "-c", DBT]
    finished = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    results = project / "target" / "run_results.json"
    assert results.exists(), finished.stdout + finished.stderr
    macros = json.loads((project / "target" / "manifest.json").read_text())["macros"].values()
    return Build(
        address=address,
        results={row["unique_id"].split(".")[2]: row for row in json.loads(results.read_text())["results"]},
        macros=[macro for macro in macros if macro["package_name"] == "dbt_expectations"],
    )
