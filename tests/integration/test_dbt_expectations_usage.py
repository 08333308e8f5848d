"""The project asks nothing of `dbt_expectations` that the public package would not understand."""

from pathlib import Path

import pytest
import yaml

from tests.dbt_graph import DbtGraph, Node

CASES_FOLDER = Path(__file__).parent / "dbt_expectations_cases"
PUBLIC_ARGUMENTS: dict[str, list[str]] = yaml.safe_load((CASES_FOLDER / "public_arguments.yml").read_text())
LAYERS = {"staging", "validated", "features", "marts"}

pytestmark = pytest.mark.xdist_group("dbt_project")


@pytest.fixture(scope="module")
def expectations(dbt_graph: DbtGraph) -> list[Node]:
    """The project's data tests that come from the package."""
    tests = dbt_graph.tests.values()
    return [test for test in tests if test.get("test_metadata", {}).get("namespace") == "dbt_expectations"]


def test_only_tests_of_the_public_package_are_used(expectations: list[Node]) -> None:
    """Every name is one of the public package's."""
    assert {test["test_metadata"]["name"] for test in expectations} - set(PUBLIC_ARGUMENTS) == set()


def test_only_arguments_of_the_public_package_are_used(expectations: list[Node]) -> None:
    """Every argument is one that the public package's test takes."""
    unknown = {
        f"{test['name']}: {argument}"
        for test in expectations
        for argument in test["test_metadata"]["kwargs"]
        if argument not in {"model", "column_name", *PUBLIC_ARGUMENTS[test["test_metadata"]["name"]]}
    }
    assert unknown == set()


def test_every_layer_is_tested_with_expectations(expectations: list[Node]) -> None:
    """Staging, validated, features and marts all use the package."""
    assert {Path(test["original_file_path"]).parts[1] for test in expectations} >= LAYERS
