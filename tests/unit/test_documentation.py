"""The OpenAPI document is whole: each operation has examples that hold, and lists the errors that it can give."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ingest_api.documentation import TAGS
from ingest_api.problems import HTTP_CODES
from orchestration.serving import create_app
from warehouse import errors
from warehouse.error_codes import MEANINGS
from warehouse.settings import PROJECT_ROOT, Settings

PROBLEM_TYPE = "application/problem+json"
NO_BODY = {"204", "304"}
PACKAGES = ("ingest_api", "ml", "orchestration", "warehouse")
REFUSALS_BY_CONTENT = ("file.", "openrosa.", "survey.")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return create_app(Settings(_env_file=None)).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation, and what it is called."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body that is sent or answered: where, its type, and what is said of it."""
    for name, operation in operations(document):
        for kind, body in operation.get("requestBody", {"content": {}})["content"].items():
            yield f"{name} body", kind, body
        for status, response in operation["responses"].items():
            for kind, body in response.get("content", {}).items():
                yield f"{name} {status}", kind, body


def examples_of(document: dict[str, Any], body: dict[str, Any]) -> list[Any]:
    """The examples of a body: its own, or those of the schema that it refers to."""
    if "example" in body:
        return [body["example"]]
    if "examples" in body:
        return [example["value"] for example in body["examples"].values()]
    name = body["schema"].get("$ref", "").rpartition("/")[2]
    return list(document["components"]["schemas"].get(name, body["schema"]).get("examples", []))


def has_example(described: dict[str, Any]) -> bool:
    return bool(described.get("example") or described.get("examples"))


def problems(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every example of a problem, and where it stands."""
    for name, kind, body in contents(document):
        if kind == PROBLEM_TYPE:
            yield from ((name, example) for example in examples_of(document, body))


def documented_codes(document: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Every code that an error is documented with, whatever form it is told in."""
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            for body in response.get("content", {}).values():
                yield from ((int(status), code) for code in body.get("examples", {}))


def test_every_operation_has_a_name_that_reads_well(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in TAGS}
    found = dict(operations(document))
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names) >= 13
    assert [name for name in names if not name.replace("_", "").isalpha() or "api" in name] == []
    for operation in found.values():
        assert operation["summary"]
        assert operation["description"]
        assert known.issuperset(operation["tags"])
        assert len(operation["tags"]) == 1


def test_every_parameter_has_an_example(document: dict[str, Any]) -> None:
    lacking = [
        (name, parameter["name"])
        for name, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description") or not (has_example(parameter) or has_example(parameter["schema"]))
    ]
    assert lacking == []


def test_every_body_has_examples_that_its_schema_allows(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    for name, kind, body in contents(document):
        examples = examples_of(document, body)
        assert examples, f"{name} has no example as {kind}"
        validator = Draft202012Validator({**body["schema"], **components} if "xml" not in kind else {"type": "string"})
        assert [error.message for example in examples for error in validator.iter_errors(example)] == [], name


def test_every_response_has_a_body_where_it_can(document: dict[str, Any]) -> None:
    lacking = [
        (name, status)
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if bool(response.get("content")) == (status in NO_BODY)
    ]
    assert lacking == []


def test_every_problem_bears_its_status_and_a_listed_code(document: dict[str, Any]) -> None:
    found = list(problems(document))
    assert {problem["status"] for _, problem in found} >= {400, 401, 403, 404, 413, 414, 415, 422, 429, 431, 500, 503}
    for name, problem in found:
        assert name.endswith(f" {problem['status']}")
        assert problem["code"] in MEANINGS


def test_operations_list_no_error_that_they_cannot_give(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        statuses = operation["responses"].keys()
        has_body = "requestBody" in operation
        assert ("415" in statuses) == has_body, name
        assert ("401" in statuses) == (bool(operation["security"]) or name.endswith("/token")), name
        assert ("429" in statuses) == (name not in ("GET /health", "GET /ready", "GET /metrics")), name
        assert ("404" in statuses) <= (has_body or "{" in name), name
        assert {"413", "414", "431", "500", "503"} <= statuses, name


def test_ways_to_sign_in_are_declared(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer", "basic"}
    used = {way for _, operation in operations(document) for ways in operation["security"] for way in ways}
    assert used == set(schemes)
    by_address = dict(operations(document))["POST /openrosa/key/{token}/submission"]
    assert by_address["security"] == []
    assert "token" in {parameter["name"] for parameter in by_address["parameters"]}


def test_documented_statuses_are_those_of_the_source(document: dict[str, Any]) -> None:
    given = statuses_of_codes()
    for status, code in set(documented_codes(document)):
        expected = {422} if code.startswith(REFUSALS_BY_CONTENT) else given[code]
        assert status in expected, code


def statuses_of_codes() -> dict[str, set[int]]:
    """The statuses that the source gives each code: by an error's class, by a function that makes one, or beside it."""
    classes = {name: value for name, value in vars(errors).items() if hasattr(value, "http_status")}
    found: dict[str, set[int]] = defaultdict(set)
    for error in classes.values():
        found[error.code].add(error.http_status)
    for status, code in HTTP_CODES.items():
        found[code].add(status)
    paths = [path for package in PACKAGES for path in (PROJECT_ROOT / package).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id in classes:
            classes[node.name] = classes[node.returns.id]
    for node in nodes:
        if isinstance(node, ast.Call):
            note_call(node, classes, found)
    return found


def note_call(call: ast.Call, classes: dict[str, Any], found: dict[str, set[int]]) -> None:
    constants = [part.value for part in (*call.args, *(word.value for word in call.keywords)) if is_constant(part)]
    codes = [value for value in constants if value in MEANINGS]
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    statuses = [classes[name].http_status] if name in classes else [value for value in constants if type(value) is int]
    for code in codes:
        found[code].update(statuses)


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | int)
