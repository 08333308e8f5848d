"""What the OpenAPI document says beside the routes' signatures: their errors, and how to sign in."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from ingest_api.examples import EXAMPLES
from ingest_api.limits import HEALTH_PATH, METRICS_PATH, READY_PATH
from ingest_api.problem_examples import example_of
from ingest_api.problems import Problem
from warehouse.error_codes import MEANINGS

Codes = Mapping[int, tuple[str, ...]]
Responses = dict[int | str, dict[str, Any]]
Wording = Callable[[Problem], Any]
PROBLEM_TYPE = "application/problem+json"
PROBLEM = {"$ref": "#/components/schemas/Problem"}

DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "Nobody knows who is asking.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing.",
    409: "It contradicts what there is.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of a kind that the route does not read.",
    422: "The content cannot be kept; the problem's code says why.",
    429: "Too many requests; Retry-After says when to go on.",
    431: "The headers are too large.",
    500: "An error of ours.",
    503: "Try again later; Retry-After says when.",
}
CHALLENGE = {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}}
WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
HEADERS = {401: CHALLENGE, 429: WAIT, 503: WAIT}

EVERY_ROUTE: Codes = {
    413: ("request.too_large",),
    414: ("request.address_too_long",),
    431: ("request.headers_too_large",),
    500: ("internal.error",),
    503: ("database.unavailable",),
}
TOKEN: Codes = {
    401: ("auth.missing_token", "auth.bad_token", "auth.token_expired", "auth.revoked"),
    429: ("rate.too_many_requests",),
}
ROLE: Codes = {403: ("auth.wrong_role",)}
NAME_IN_ADDRESS: Codes = {400: ("request.bad_address",)}
UNKNOWN_FORM: Codes = {404: ("contract.unknown_form",)}
SENDER: Codes = {400: ("request.bad_header",)}
BODY: Codes = {415: ("request.wrong_content_type", "request.wrong_content_encoding")}
JSON_BODY: Codes = {
    400: (
        "request.bad_json",
        "request.number_out_of_range",
        "request.too_deep",
        "request.too_many_parts",
    ),
    **BODY,
}

TAGS = [
    {"name": "surveys", "description": "Send single surveys, or thousands in one request. Sending again is harmless."},
    {"name": "files", "description": "Send files of surveys."},
    {"name": "predictions", "description": "Ask the champions about households at once."},
    {"name": "status", "description": "What became of an upload, and whether the API is well."},
    {"name": "households", "description": "Who a household is: what is personal and encrypted. For administrators."},
    {"name": "quarantine", "description": "Look at what a rule keeps out, and decide about it. For offices."},
    {"name": "forms", "description": "Which forms there are, and what may stand in them."},
    {"name": "auth", "description": "Access tokens for registered clients."},
    {
        "name": "openrosa",
        "description": "For ODK Collect and KoboCollect: the server's address is `/openrosa`, with the client's name "
        "and secret as username and password, or `/openrosa/key/TOKEN` with none.",
    },
]
SCHEMES = {
    "access_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From POST /api/v1/auth/token.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "A client's name and secret, for phones; over https only.",
    },
    "metrics_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "METRICS_TOKEN of the settings; where it is not set, a private network needs none.",
    },
}
BY_TOKEN: list[dict[str, list[str]]] = [{"access_token": []}]
BY_METRICS_TOKEN: list[dict[str, list[str]]] = [{}, {"metrics_token": []}]
BY_PASSWORD: list[dict[str, list[str]]] = [{"password": []}, *BY_TOKEN]
FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")  # of errors that are told as problems here
OPEN = (HEALTH_PATH, READY_PATH, "/api/v1/auth/", "/openrosa/key/")


def problems(*groups: Codes) -> Responses:
    """The errors of a route, with an example of each code that it may answer with."""
    return errors_as(PROBLEM_TYPE, Problem.model_dump, *groups, schema=PROBLEM)


def errors_as(media_type: str, wording: Wording, *groups: Codes, schema: dict[str, Any]) -> Responses:
    """The errors of a route that tells them in a way of its own.

    Args:
        media_type: what its errors are.
        wording: the body that tells a problem.
        groups: statuses, and the codes that come with them.
        schema: of the body.
    """
    responses: Responses = {}
    for status in sorted({status for group in groups for status in group}):
        codes = dict.fromkeys(code for group in groups for code in group.get(status, ()))
        examples = {code: {"summary": MEANINGS[code], "value": wording(example_of(status, code))} for code in codes}
        responses[status] = {
            "description": DESCRIPTIONS[status],
            "content": {media_type: {"schema": schema, "examples": examples}},
        }
        if status in HEADERS:
            responses[status]["headers"] = HEADERS[status]
    return responses


def complete_document(app: FastAPI, schemas: Mapping[str, Any]) -> None:
    """Let the app's OpenAPI document say how to sign in, and hold the schemas that its routes refer to by name.

    Args:
        app: the application, its routes included.
        schemas: those of bodies that no route's signature names.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            _complete(generate(), schemas)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    components = document["components"]
    components["securitySchemes"] = SCHEMES
    components["schemas"] |= {"Problem": Problem.model_json_schema(), **schemas}
    for name, example in EXAMPLES.items():
        components["schemas"][name]["examples"] = [example]
    for name in FRAMEWORK_SCHEMAS:
        components["schemas"].pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = _ways_in(path)
            operation["responses"] = _tidy(operation["responses"])


def _ways_in(path: str) -> list[dict[str, list[str]]]:
    if path.startswith(OPEN):
        return []
    if path == METRICS_PATH:
        return BY_METRICS_TOKEN
    return BY_PASSWORD if path.startswith("/openrosa/") else BY_TOKEN


def _tidy(responses: dict[str, Any]) -> dict[str, Any]:
    """Responses by status, without the 422 that FastAPI lists wherever there is a parameter: routes name theirs."""
    return {
        status: response
        for status, response in sorted(responses.items())
        if status != "422" or "application/json" not in response["content"]
    }
