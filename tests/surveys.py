"""Surveys as a device or an office sends them, without the way over HTTP."""

import io
from typing import Any

import orjson

from ingest_api.layouts import DocumentLayout
from ingest_api.loading import land_next
from ingest_api.receipts import SurveyReceipt
from ingest_api.receiving import receive_file
from ingest_api.records import Submission
from ingest_api.senders import Sender
from ingest_api.surveys import Original, land_surveys, read_survey, seal_survey
from orchestration.context import Warehouse
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database

FORM = "household_survey"


def send_survey(
    database: Database, household_id: str, answers: dict[str, Any], *, key: str | None = None, body: str | None = None
) -> SurveyReceipt:
    """Store one survey in a transaction of its own."""
    body = body or orjson.dumps({"household_id": household_id, "survey_data": answers}).decode()
    keys, sender = load_key_ring(database.settings), Sender("tablet-1", idempotency_key=key)
    survey = read_survey(keys, FORM, household_id, answers, body=body, sender=sender)
    with database.transaction() as connection:
        (receipt,) = land_surveys(connection, load_contract(FORM), [survey])
    return receipt


def correct_survey(database: Database, key: str, deprecates: str, answers: dict[str, Any]) -> None:
    """Store a survey that stands in the place of an earlier one, as a phone sends an edit."""
    contract = load_contract(FORM)
    submission = DocumentLayout(contract).submission(1, answers, key=key, deprecates=deprecates)
    assert isinstance(submission, Submission)
    original = Original("{}", "application/json", "openrosa", Sender("tablet-1"))
    survey = seal_survey(load_key_ring(database.settings), FORM, submission, original)
    with database.transaction() as connection:
        land_surveys(connection, contract, [survey])


def load_text(warehouse: Warehouse, text: str, filename: str = "surveys.csv") -> str:
    """Receive and land a CSV file; its ingestion."""
    content = io.BytesIO(text.encode())
    receipt = receive_file(
        warehouse.database,
        warehouse.store,
        content,
        form=FORM,
        filename=filename,
        source="cli",
        sender=Sender("office"),
    )
    assert land_next(warehouse.database, warehouse.store) == receipt.ingestion_id
    return receipt.ingestion_id
