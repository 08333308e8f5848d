"""What the OpenAPI document says of the OpenRosa routes."""

from typing import Any

XML_PART = "xml_submission_file"
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
                "encoding": {XML_PART: {"contentType": "text/xml"}},
            }
        },
    }
}
ANSWER = (
    '<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message nature="{}">{}</message></OpenRosaResponse>'
)
ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {"text/xml": {"example": ANSWER.format(nature, text)}}}
    for status, description, nature, text in (
        (202, "There was nothing new in it.", "submit_success", "The survey was stored already."),
        (400, "The body cannot be read.", "error", "Invalid multipart data."),
        (401, "Nobody knows who is asking.", "error", "Sign in with the client's name and secret."),
        (403, "The address holds no valid token, or the role is another.", "error", "Ask for a new address."),
        (404, "There is no such form.", "error", "There is no form 'census'."),
        (413, "The body, or its XML, is too large.", "error", "The submission's XML is larger than 1,048,576 bytes."),
        (415, "The body is no form.", "error", "A submission comes as multipart/form-data."),
        (422, "The survey cannot be kept.", "error", "The submission is no XML: no element found: line 1, column 0."),
        (429, "Too many requests; Retry-After says when to go on.", "error", "Wait, then go on."),
        (503, "Try again later; Retry-After says when.", "error", "PostgreSQL does not answer."),
    )
}
