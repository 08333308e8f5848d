"""The route that gives access tokens to registered clients."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from ingest_api.json_bodies import read_json
from warehouse.errors import RefusedRequestError

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 10


class SignIn(BaseModel):
    """The name and secret of a registered client, as OAuth 2 names them (client credentials)."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={"examples": [{"client_id": "kanungu-office", "client_secret": "what was shown once"}]},
    )

    client_id: Annotated[str, Field(max_length=100, description="The client's name.")]
    client_secret: Annotated[str, Field(max_length=1000, description="Its secret.")]
    grant_type: Literal["client_credentials"] = "client_credentials"


class AccessToken(BaseModel):
    """A token to send as `Authorization: Bearer TOKEN`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind, not a token
    expires_in: Annotated[int, Field(description="Seconds that it holds.", examples=[3600])]


BODY = {
    "required": True,
    "content": {kind: {"schema": SignIn.model_json_schema()} for kind in ("application/json", FORM_TYPE)},
}
router = APIRouter()


@router.post("/api/v1/auth/token", openapi_extra={"requestBody": BODY})
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
            return SignIn.model_validate(dict(parse_qsl(body.decode(), max_num_fields=MOST_FIELDS)))
        return SignIn.model_validate(read_json(body))
    except (ValidationError, ValueError) as error:
        raise RefusedRequestError(
            "The body names no client_id and client_secret.",
            code="auth.bad_request",
            remedy='Send {"client_id": NAME, "client_secret": SECRET}, as JSON or as a form.',
        ) from error
