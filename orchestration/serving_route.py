"""The route that answers for households at once."""

import time
from typing import Any, get_args

import orjson
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from ingest_api.auth.access import EVERYBODY, check
from ingest_api.documentation import EVERY_ROUTE, JSON_BODY, ROLE, TOKEN, Codes, problems
from ingest_api.limits import PREDICTION_PATH
from ingest_api.schemas import RejectedRow
from ml.online import Predictor
from ml.tracks import Track
from orchestration.serving_shapes import EXAMPLE_ANSWERS, EXAMPLE_HOUSEHOLDS, PredictionAnswers
from orchestration.serving_surveys import MOST_HOUSEHOLDS, read_surveys
from warehouse.audit import note
from warehouse.contract import IDENTIFIER
from warehouse.crypto.keys import load_key_ring
from warehouse.errors import RefusedRequestError

JSON = "application/json"
SCREENING: Track = "screening"
SURVEY = {
    "title": "household",
    "type": "object",
    "description": "Fields of household_survey side by side, under any name that an upload may give them, or under "
    "`survey_data`; GET /api/v1/forms/household_survey lists them.",
}
REQUEST: dict[str, Any] = {
    "parameters": [
        {
            "name": "track",
            "in": "query",
            "description": "Which champion is asked: screening predicts from what a visitor sees, assessment adds up "
            "the income module.",
            "schema": {"type": "string", "enum": list(get_args(Track)), "default": SCREENING},
            "example": SCREENING,
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "anyOf": [SURVEY, {"type": "array", "items": SURVEY, "minItems": 1, "maxItems": MOST_HOUSEHOLDS}]
                },
                "example": EXAMPLE_HOUSEHOLDS,
            }
        },
    },
}
REFUSED: Codes = {
    400: ("request.bad_track",),
    404: ("ml.no_feature_mart", "ml.no_model"),
    409: ("ml.other_feature_set",),
    422: (
        "batch.too_many",
        "survey.bad_text",
        "survey.cell_too_large",
        "survey.name_too_long",
        "survey.no_consent",
        "survey.no_household_id",
        "survey.no_income_module",
        "survey.not_a_survey",
        "survey.nul_byte",
        "survey.too_deep",
        "survey.too_many_fields",
        "survey.two_households",
    ),
}

router = APIRouter(tags=["predictions"])


@router.post(
    PREDICTION_PATH,
    response_model=PredictionAnswers,
    summary="Ask about households",
    responses={
        200: {"content": {JSON: {"example": EXAMPLE_ANSWERS}}},
        **problems(EVERY_ROUTE, TOKEN, ROLE, JSON_BODY, REFUSED),
    },
    openapi_extra=REQUEST,
)
async def predict(request: Request) -> Response:
    """Answer for one household or up to 1,000; what is answered is on record when the answer comes.

    Nothing is stored as a survey. The features are made by the SQL of the feature mart, so that the same answers get
    the same prediction as in the warehouse. A list's household that cannot be read costs the others nothing: it is
    listed with its reason, and so is one that does not consent, as it says now or said when it was last asked.
    """
    started = time.perf_counter()
    client = check(request, EVERYBODY)
    track = _track_of(request)
    body = await request.body()
    predictor: Predictor = request.app.state.predictor
    keys = load_key_ring(request.app.state.database.settings)

    def answer() -> bytes:
        asked = read_surveys(keys, body)
        asked.leave_out(predictor.refusing([each[IDENTIFIER] for each in asked.answers.values()]))
        surveys = list(asked.answers.values())
        told = predictor.predict(track, surveys, client=client.name, started=started)
        rejected = [
            RejectedRow(row_number=row.number, reason_code=row.code, message=row.message).model_dump()
            for row in sorted(asked.rejected)
        ]
        note(records=len(surveys), households=[each[IDENTIFIER] for each in surveys])
        return orjson.dumps({**told, "rejected_rows": rejected, "unknown_fields": asked.unknown_fields})

    return Response(await run_in_threadpool(answer), media_type=JSON)


def _track_of(request: Request) -> Track:
    asked = request.query_params.get("track", SCREENING)
    for track in get_args(Track):
        if asked == track:
            return track  # type: ignore[no-any-return]
    raise RefusedRequestError(
        f"There is no track {asked!r}.", code="request.bad_track", remedy=f"Tracks are {', '.join(get_args(Track))}."
    )
