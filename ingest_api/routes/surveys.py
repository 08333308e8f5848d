"""Routes that take surveys: one, or a batch of them."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from ingest_api.auth.access import SURVEY_SENDERS, check
from ingest_api.documentation import BODY, EVERY_ROUTE, JSON_BODY, ROLE, SENDER, TOKEN, UNKNOWN_FORM, Codes, problems
from ingest_api.group_commit import SurveyWriter
from ingest_api.ledger import list_rejected
from ingest_api.personal import hide_number
from ingest_api.receiving import MOST_TOGETHER, receive_batch
from ingest_api.records import LONGEST_NAME
from ingest_api.requests import FORM, form_of, sender_of, survey_request
from ingest_api.schemas import EXAMPLE_SURVEY, BatchReceipt, SurveyReceipt
from ingest_api.surveys import read_survey
from warehouse.audit import note
from warehouse.contract import IDENTIFIER, list_forms, load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database

JSON = "application/json"
JSON_LINES = "application/jsonl"
SURVEY = {"$ref": "#/components/schemas/Survey"}
FLAT = {"title": "flat", "type": "object", "description": "The same fields side by side."}
NAME = {"type": "string", "maxLength": LONGEST_NAME}
PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "form",
        "in": "query",
        "description": "The form that the surveys are of.",
        "schema": {"type": "string", "enum": list_forms(), "default": FORM},
        "example": FORM,
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The client's name for the request; the identity of a single survey.",
        "schema": NAME,
        "examples": {
            "none": {"summary": "None: the content decides whether it is the same survey.", "value": ""},
            "own": {"summary": "The device's own name for it.", "value": "tablet-17/2026-11-23/0042"},
        },
    },
    {
        "name": "X-Device-ID",
        "in": "header",
        "description": "The device that took the survey.",
        "schema": NAME,
        "example": "tablet-17",
    },
]
SURVEY_BODY = {
    "parameters": PARAMETERS,
    "requestBody": {"required": True, "content": {JSON: {"schema": SURVEY, "example": EXAMPLE_SURVEY}}},
}
BATCH_BODY = {
    "parameters": PARAMETERS,
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "array",
                    "items": {"anyOf": [SURVEY, FLAT]},
                    "minItems": 1,
                    "maxItems": MOST_TOGETHER,
                },
                "example": [EXAMPLE_SURVEY],
            },
            JSON_LINES: {
                "schema": {"type": "string", "description": "One survey a line."},
                "example": orjson.dumps(EXAMPLE_SURVEY).decode() + "\n",
            },
        },
    },
}
SENT: tuple[Codes, ...] = (EVERY_ROUTE, TOKEN, ROLE, UNKNOWN_FORM, SENDER)
REFUSED_SURVEY = {
    422: (
        "survey.cell_too_large",
        "survey.name_too_long",
        "survey.no_household_id",
        "survey.no_identifier",
        "survey.not_a_survey",
        "survey.nul_byte",
        "survey.too_many_fields",
        "survey.two_households",
    )
}
REFUSED_BATCH = {
    422: (
        "batch.too_many",
        "file.empty",
        "file.invalid_json",
        "file.no_identifier",
        "file.no_rows",
        "file.survey_too_large",
        "file.too_deep",
    ),
    503: ("batch.busy", "busy"),
}

router = APIRouter(tags=["surveys"])


@router.post(
    "/api/v1/upload/survey-data",
    response_model=SurveyReceipt,
    summary="Send one survey",
    responses=problems(*SENT, JSON_BODY, REFUSED_SURVEY),
    openapi_extra=SURVEY_BODY,
)
async def upload_survey(request: Request) -> Response:
    """Store one survey; the answer comes after it is durable. Sending it again is harmless."""
    client = check(request, SURVEY_SENDERS)
    form = form_of(request)
    contract = load_contract(form)
    sender = sender_of(request, client)
    body = await request.body()
    identifier, answers = survey_request(contract, body)
    keys = load_key_ring(request.app.state.database.settings)
    survey = read_survey(keys, form, identifier, answers, body=body.decode(), sender=sender)
    note(households=[hide_number(keys, identifier)] if contract.identifier == IDENTIFIER else [])
    writer: SurveyWriter = request.app.state.writer
    receipt = await writer.write(contract, survey)
    told = SurveyReceipt.describe(receipt, request.app.state.processing_time.text)
    return Response(orjson.dumps(told), media_type=JSON)


@router.post(
    "/api/v1/upload/surveys",
    response_model=BatchReceipt,
    summary="Send many surveys",
    responses=problems(*SENT, BODY, REFUSED_BATCH),
    openapi_extra=BATCH_BODY,
)
async def upload_surveys(request: Request) -> Response:
    """Store up to 10,000 surveys, a JSON array or JSON lines; the answer comes after they are durable.

    A survey that cannot be kept costs the others nothing: it is counted, and listed with its reason.
    """
    client = check(request, SURVEY_SENDERS)
    json_lines = request.headers["content-type"].partition(";")[0].strip().lower() != JSON
    form, sender = form_of(request), sender_of(request, client)
    body = await request.body()

    def store() -> BatchReceipt:
        database: Database = request.app.state.database
        receipt = receive_batch(database, body, form=form, sender=sender, json_lines=json_lines)
        note(subject=receipt.ingestion_id)
        return BatchReceipt.of(receipt, list_rejected(database, receipt.ingestion_id, MOST_TOGETHER))

    return Response((await run_in_threadpool(store)).model_dump_json(), media_type=JSON)
