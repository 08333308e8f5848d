"""The route that gives access tokens to registered clients."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from ingest_api.documentation import EVERY_ROUTE, JSON_BODY, problems
from ingest_api.examples import Example
from ingest_api.json_bodies import read_json
from warehouse.errors import RefusedRequestError

FORM_TYPE = "application/x-www-form-urlencoded"


EXAMPLE_SIGN_IN: Example = {"client_id": "kanungu-office", "client_secret": "what was shown once"}
EXAMPLE_TOKEN: Example = {"access_token": "eyJhbGciOiJIUzI1NiIs...", "token_type": "Bearer", "expires_in": 3600}


class SignIn(BaseModel):
    """The name and secret of a registered client, as OAuth 2 names them (client credentials)."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE_SIGN_IN]})

    client_id: Annotated[str, Field(min_length=1, max_length=100, description="The client's name.")]
    client_secret: Annotated[str, Field(min_length=1, max_length=1000, description="Its secret.")]
    grant_type: Literal["client_credentials"] = "client_credentials"


class AccessToken(BaseModel):
    """A token to send as `Authorization: Bearer TOKEN`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TOKEN]})

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind, not a token
    expires_in: Annotated[int, Field(description="Seconds that it holds.")]


BODY = {
    "required": True,
    "content": {
        kind: {"schema": {"$ref": "#/components/schemas/SignIn"}, "example": EXAMPLE_SIGN_IN}
        for kind in ("application/json", FORM_TYPE)
    },
}
ERRORS = problems(
    EVERY_ROUTE,
    JSON_BODY,
    {
        400: ("auth.bad_request",),
        401: ("auth.bad_credentials",),
        429: ("rate.too_many_failures", "rate.too_many_requests"),
        503: ("auth.busy",),
    },
)
router = APIRouter(tags=["auth"])


@router.post("/api/v1/auth/token", summary="Get an access token", responses=ERRORS, openapi_extra={"requestBody": BODY})
async def give_token(request: Request, response: Response) -> AccessToken:
    """Give an access token to a registered client."""
    credentials = _read_credentials(request, await request.body())
    doorkeeper = request.app.state.clients
    client = await run_in_threadpool(
        doorkeeper.by_secret, request.scope, credentials.client_id, credentials.client_secret
    )
    response.headers["Cache-Control"] = "no-store"
    return AccessToken(access_token=doorkeeper.issue(client), expires_in=doorkeeper.token_seconds)


def _read_credentials(request: Request, body: bytes) -> SignIn:
    try:
        if request.headers.get("content-type", "").lower().startswith(FORM_TYPE):
            return SignIn.model_validate(dict(parse_qsl(body.decode())))
        return SignIn.model_validate(read_json(body))
    except (ValidationError, ValueError) as error:
        raise RefusedRequestError(
            "The body names no client_id and client_secret.",
            code="auth.bad_request",
            remedy='Send {"client_id": NAME, "client_secret": SECRET}, as JSON or as a form.',
        ) from error
