"""What a request tells beside its surveys: who sent it, and of which household it is."""

from typing import Any

from fastapi import Request

from ingest_api.auth.access import Client
from ingest_api.json_bodies import read_json
from ingest_api.personal import hide_number
from ingest_api.records import LONGEST_NAME
from ingest_api.senders import Sender
from warehouse.contract import Contract
from warehouse.crypto.keys import load_key_ring
from warehouse.errors import RefusedRequestError, RefusedSurveyError

ANSWERS = "survey_data"
FORM = "household_survey"


def form_of(request: Request) -> str:
    """The form that a request's surveys are of: the query's `form`, else the household survey."""
    return request.query_params.get("form", FORM) if request.scope["query_string"] else FORM


def sender_of(request: Request, client: Client) -> Sender:
    """Who sent a request, as the ledger keeps it.

    Raises:
        RefusedRequestError: a name in its headers is too long or no text.
    """
    keys = load_key_ring(request.app.state.database.settings)
    names = [_name(request.headers.get(header)) for header in ("x-device-id", "idempotency-key")]
    return Sender(client.name, *(name and hide_number(keys, name) for name in names))


def survey_request(contract: Contract, body: bytes) -> tuple[str, dict[str, Any]]:
    """What a survey is about and its answers, from a body `{"household_id": ..., "survey_data": {...}}`.

    Raises:
        RefusedRequestError: the body is no JSON.
        RefusedSurveyError: it is of another shape.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise _misshapen("it is no JSON object", contract)
    identifier, answers = document.get(contract.identifier), document.get(ANSWERS)
    # Read to the letter, a number is a kind of text.
    if type(identifier) is not str or not 1 <= len(identifier) <= LONGEST_NAME:
        raise _misshapen(f"{contract.identifier} is no text of 1 to {LONGEST_NAME} characters", contract)
    if not isinstance(answers, dict):
        raise _misshapen(f"{ANSWERS} is no JSON object", contract)
    if len(document) > 2:
        unknown = ", ".join(sorted(name[:50] for name in document if name not in (contract.identifier, ANSWERS))[:5])
        raise _misshapen(f"beside the two it holds {unknown!r}", contract)
    return identifier, answers


def _misshapen(reason: str, contract: Contract) -> RefusedSurveyError:
    return RefusedSurveyError(
        f"The body is no survey: {reason}.",
        code="survey.not_a_survey",
        remedy=f'Send {{"{contract.identifier}": "...", "{ANSWERS}": {{field: answer}}}}.',
    )


def _name(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if len(value) > LONGEST_NAME or not value.isprintable():
        raise RefusedRequestError(
            f"A name in the headers has {len(value)} characters; {LONGEST_NAME} printable ones are allowed.",
            code="request.bad_header",
            remedy="Shorten Idempotency-Key or X-Device-ID.",
        )
    return value.strip()
