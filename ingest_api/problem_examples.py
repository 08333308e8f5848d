"""One example of each problem that the API answers with, by its status and its code."""

from typing import NamedTuple

from ingest_api.problems import Problem
from warehouse.error_codes import MEANINGS

TITLES = {429: "Try again later", 500: "Internal error", 503: "Try again later"}


class Told(NamedTuple):
    """What a client is told of a problem beside its code."""

    detail: str
    remedy: str = ""


# Any other is told as its meaning: so are all errors of the server, whose details are for its operator.
TOLD = {
    "auth.bad_request": Told(
        "The body names no client_id and client_secret.",
        'Send {"client_id": NAME, "client_secret": SECRET}, as JSON or as a form.',
    ),
    "auth.missing_token": Told(
        "The request bears no access token.",
        "POST /api/v1/auth/token gives one; send it as `Authorization: Bearer TOKEN`.",
    ),
    "auth.token_expired": Told("The token has expired.", "POST /api/v1/auth/token gives a new one."),
    "auth.bad_url_token": Told(
        "The address of the server holds no valid token.",
        "Ask for a new address: `kyalo clients rotate NAME --url-token`.",
    ),
    "auth.wrong_role": Told("tablet-17 has the role device, which may not do this.", "Roles that may: office, admin."),
    "batch.too_many": Told("The body holds more than 10,000 surveys.", "Send them in several bodies, or as a file."),
    "contract.unknown_form": Told("There is no form 'census'.", "Known forms: household_survey, quarterly_report."),
    "file.unknown_header": Told(
        "Nothing in the first line of 14 characters is a field of the form household_survey.",
        "The first line must name the fields.",
    ),
    "internal.error": Told("Something went wrong here; the survey was not stored. It stands in the log."),
    "ingestion.not_found": Told("There is no ingestion 'ing_1'.", "Use the ingestion_id of the receipt."),
    "openrosa.bad_xml": Told("The submission is no XML: no element found: line 1, column 0."),
    "rate.too_many_failures": Told(
        "Too many sign-ins have failed.",
        "Check the name and the secret, then try again after the seconds that Retry-After names.",
    ),
    "rate.too_many_requests": Told(
        "tablet-17 sends faster than 1,200 requests a minute.",
        "Wait for the seconds that Retry-After names; send several surveys in one batch.",
    ),
    "request.address_too_long": Told("An address may have 8,192 bytes."),
    "request.bad_header": Told(
        "A name in the headers has 300 characters; 255 printable ones are allowed.",
        "Shorten Idempotency-Key or X-Device-ID.",
    ),
    "request.bad_json": Told(
        "The body is no JSON: unexpected end of data: line 1 column 2 (char 1).", "Send JSON (RFC 8259) in UTF-8."
    ),
    "request.headers_too_large": Told("A request may have 100 headers of 32,768 bytes in all."),
    "request.invalid": Told("body.file: Field required"),
    "request.too_large": Told("The body is larger than 1,048,576 bytes."),
    "request.wrong_content_encoding": Told("Bodies are taken as they are; a file may itself be gzipped."),
    "request.wrong_content_type": Told(
        "The body comes as text/plain; /api/v1/upload/survey-data reads application/json.",
        "Set the header Content-Type.",
    ),
    "review.already_decided": Told(
        "Submission content:0123456789abcdef0123456789abcdef was released by kanungu-office at 2026-11-23 09:30: The"
        " enumerator confirmed it by phone.",
        "Reopen it to decide otherwise.",
    ),
    "review.bad_value": Told("household_size takes a whole number, which 'many' is not."),
    "review.unknown_field": Told(
        "The form household_survey has no field 'colour' to correct.",
        "GET /api/v1/forms/household_survey names its fields.",
    ),
}


def example_of(status: int, code: str) -> Problem:
    """A problem as a client may meet it."""
    told = TOLD.get(code) or Told(MEANINGS[code])
    title = TITLES.get(status, "Not accepted")
    return Problem(title=title, status=status, code=code, detail=told.detail, remedy=told.remedy)
