"""What the OpenAPI document says of errors: one example for each status that a route may answer with."""

from typing import Any

from ingest_api.problems import Problem

EXAMPLES = {
    400: ("request.bad_json", "The body is no JSON: unexpected end of data.", "Send JSON (RFC 8259) in UTF-8."),
    401: ("auth.missing_token", "The request bears no access token.", "POST /api/v1/auth/token gives one."),
    403: ("auth.wrong_role", "tablet-17 has the role device, which may not do this.", "Roles that may: office, admin."),
    404: ("ingestion.not_found", "There is no ingestion 'ing_1'.", "Use the ingestion_id of the receipt."),
    413: ("request.too_large", "The body is larger than 1,048,576 bytes.", "Send it in several requests."),
    414: ("request.address_too_long", "An address may have 8,192 bytes.", ""),
    415: ("request.wrong_content_type", "The body comes as text/plain.", "Set the header Content-Type."),
    422: ("survey.no_household_id", "household_id is blank.", ""),
    429: ("rate.too_many_requests", "tablet-17 sends more than 1,200 requests a minute.", "Wait, then go on."),
    431: ("request.headers_too_large", "A request may have 100 headers of 32,768 bytes in all.", ""),
    500: ("internal.error", "Something went wrong here; the survey was not stored. It stands in the log.", ""),
    503: ("database.unavailable", "PostgreSQL does not answer.", ""),
}
DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "Nobody knows who is asking.",
    403: "The client's role is another.",
    404: "There is no such thing.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of a kind that the route does not read.",
    422: "The content cannot be kept; the problem's code says why.",
    429: "Too many requests; Retry-After says when to go on.",
    431: "The headers are too large.",
    500: "An error of ours.",
    503: "Try again later; Retry-After says when.",
}


def _describe(status: int) -> dict[str, Any]:
    code, detail, remedy = EXAMPLES[status]
    title = "Try again later" if status in (429, 503) else "Not accepted"
    example = Problem(title=title, status=status, code=code, detail=detail, remedy=remedy).model_dump()
    content = {"application/problem+json": {"schema": Problem.model_json_schema(), "example": example}}
    return {"description": DESCRIPTIONS[status], "content": content}


PROBLEMS: dict[int | str, dict[str, Any]] = {status: _describe(status) for status in EXAMPLES}
