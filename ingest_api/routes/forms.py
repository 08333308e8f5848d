"""Routes that tell an app which forms there are and what may stand in them."""

import hashlib
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import BaseModel

from ingest_api.auth.access import EVERYBODY, allow
from ingest_api.documentation import EVERY_ROUTE, NAME_IN_ADDRESS, TOKEN, UNKNOWN_FORM, problems
from ingest_api.forms import FormDescription, FormList, describe_form, describe_forms

JSON_TYPE = "application/json"
Known = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="ETag of the answer that the client has already.",
        max_length=1_000,
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]

ERRORS = problems(EVERY_ROUTE, TOKEN, {422: ("request.invalid",)})
router = APIRouter(
    tags=["forms"],
    dependencies=[Depends(allow(*EVERYBODY))],
    responses={304: {"description": "The client's copy is the current one."}, **ERRORS},
)


@router.get("/api/v1/forms", response_model=FormList, summary="List the forms", operation_id="list_forms")
def list_known_forms(if_none_match: Known = None) -> Response:
    """Every form that surveys can be sent of, with its version."""
    return _answer(*_encode(None), if_none_match)


@router.get(
    "/api/v1/forms/{form}",
    response_model=FormDescription,
    summary="Describe a form",
    responses=problems(UNKNOWN_FORM, NAME_IN_ADDRESS),
)
def get_form(
    form: Annotated[str, Path(description="Name of the form.", examples=["household_survey"])],
    if_none_match: Known = None,
) -> Response:
    """The fields of a form and the JSON Schema of its surveys, so that an app can check before it sends."""
    return _answer(*_encode(form), if_none_match)


@cache
def _encode(form: str | None) -> tuple[bytes, str]:
    """A form's description (the list of all for None) as JSON, and its ETag."""
    described: BaseModel = describe_forms() if form is None else describe_form(form)
    body = described.model_dump_json(by_alias=True).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _answer(body: bytes, etag: str, known: str | None) -> Response:
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    tags = {tag.strip().removeprefix("W/") for tag in (known or "").split(",")}
    if tags & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON_TYPE, headers=headers)
