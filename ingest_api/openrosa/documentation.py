"""What the OpenAPI document says of the OpenRosa routes: the answers of the API in XML, for phones."""

from typing import Any
from xml.sax.saxutils import escape

from ingest_api.documentation import (
    EVERY_ROUTE,
    NAME_IN_ADDRESS,
    ROLE,
    TOKEN,
    UNKNOWN_FORM,
    Codes,
    Responses,
    errors_as,
    problems,
)
from ingest_api.openrosa.documents import XML_TYPE
from ingest_api.problems import Problem

XML_PART = "xml_submission_file"
RESPONSE = "OpenRosaResponse"
EXAMPLE_INSTANCE = (
    '<data id="household_survey" version="1"><household_id>HH12345</household_id>'
    "<household_size>6</household_size>"
    "<meta><instanceID>uuid:6f1c2a34-58b7-4a0e-9d2b-7f6f0a1c9e11</instanceID></meta></data>"
)
EXAMPLE_LIST = (
    '<xforms xmlns="http://openrosa.org/xforms/xformsList"><xform><formID>household_survey</formID>'
    "<name>Household survey</name><version>1</version><hash>md5:9e107d9d372bb6826bd81d3542a419d6</hash>"
    "<downloadUrl>https://surveys.example.org/openrosa/forms/household_survey.xml</downloadUrl></xform></xforms>"
)
EXAMPLE_MANIFEST = '<manifest xmlns="http://openrosa.org/xforms/xformsManifest" />'
EXAMPLE_FORM = (
    '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head>'
    '<h:title>Household survey</h:title><model><instance><data id="household_survey" version="1">'
    "<household_id /></data></instance></model></h:head><h:body>...</h:body></h:html>"
)
EXAMPLE_FORM_NAME = "household_survey"
MESSAGE = (
    '<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message nature="{}">{}</message></OpenRosaResponse>'
)
SUBMISSION_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [XML_PART],
                    "properties": {XML_PART: {"type": "string", "format": "binary", "description": "The filled form."}},
                    "additionalProperties": {"type": "string", "format": "binary", "description": "A file of it."},
                },
                "encoding": {XML_PART: {"contentType": XML_TYPE}},
                "example": {XML_PART: EXAMPLE_INSTANCE},
            }
        },
    }
}
PASSWORD_ERRORS: Codes = {
    401: ("auth.missing_credentials", "auth.bad_credentials", "auth.needs_tls", *TOKEN[401][1:]),
    **ROLE,
    429: ("rate.too_many_requests", "rate.too_many_failures"),
    503: ("database.unavailable", "auth.busy"),
}
ADDRESS_ERRORS: Codes = {
    403: ("auth.bad_url_token", *ROLE[403]),
    429: ("rate.too_many_requests", "rate.too_many_failures"),
    503: ("database.unavailable",),
}
REFUSED_SUBMISSION: Codes = {
    **UNKNOWN_FORM,
    400: ("request.bad_form",),
    413: ("request.too_large",),
    415: ("request.wrong_content_type",),
    422: (
        "openrosa.bad_xml",
        "openrosa.forbidden_xml",
        "openrosa.long_instance_id",
        "openrosa.no_form",
        "openrosa.no_instance_id",
        "openrosa.no_xml",
        "openrosa.xml_too_large",
        "survey.cell_too_large",
        "survey.name_too_long",
        "survey.too_many_fields",
        "survey.two_households",
    ),
}


def _message_of(problem: Problem) -> str:
    return MESSAGE.format("error", escape(f"{problem.detail} {problem.remedy}".strip()))


def _document(root: str) -> dict[str, Any]:
    return {"type": "object", "xml": {"name": root}}


def told(*groups: Codes) -> Responses:
    """Errors that the routes tell phones, as they understand them."""
    return errors_as(XML_TYPE, _message_of, *groups, schema=_document(RESPONSE))


def gives(status: int, description: str, root: str, example: str) -> Responses:
    """A success, and the document that comes with it."""
    content = {XML_TYPE: {"schema": _document(root), "example": example}}
    return {status: {"description": description, "content": content}}


def success(status: int, description: str, text: str) -> Responses:
    """A success that a phone shows."""
    return gives(status, description, RESPONSE, MESSAGE.format("submit_success", text))


def either(*ways: Responses) -> Responses:
    """Answers of which some come in another form, told before the route is asked."""
    joined: Responses = {}
    for responses in ways:
        for status, response in responses.items():
            known: dict[str, Any] = joined.get(status, {"content": {}})
            joined[status] = {**response, "content": {**known["content"], **response["content"]}}
    return joined


NAMED_FORM = either(told(UNKNOWN_FORM), problems(NAME_IN_ADDRESS))
SUBMISSION = either(
    success(201, "The survey, or a file of it, is stored.", "The survey is stored (ing_20261123_000004)."),
    success(202, "There was nothing new in it.", "The survey was stored already."),
    told(REFUSED_SUBMISSION),
    problems(NAME_IN_ADDRESS, {413: EVERY_ROUTE[413], 415: ("request.wrong_content_encoding",)}),
)
