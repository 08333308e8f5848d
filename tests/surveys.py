"""Surveys as a device sends them, without the way over HTTP."""

from typing import Any

import orjson

from ingest_api.receipts import SurveyReceipt
from ingest_api.senders import Sender
from ingest_api.surveys import land_surveys, read_survey
from warehouse.contract import load_contract
from warehouse.database import Database

FORM = "household_survey"


def send_survey(
    database: Database, household_id: str, answers: dict[str, Any], *, key: str | None = None, body: str | None = None
) -> SurveyReceipt:
    """Store one survey in a transaction of its own."""
    body = body or orjson.dumps({"household_id": household_id, "survey_data": answers}).decode()
    survey = read_survey(FORM, household_id, answers, body=body, sender=Sender("tablet-1", idempotency_key=key))
    with database.transaction() as connection:
        (receipt,) = land_surveys(connection, load_contract(FORM), [survey])
    return receipt
