"""Shapes of the API's requests and answers."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from ingest_api import landing, receipts
from ingest_api.ledger import Entry, Rejected
from ingest_api.personal import describe_findings
from ingest_api.receipts import Outcome, Receipt
from ingest_api.records import LONGEST_NAME
from ingest_api.requests import ANSWERS
from ingest_api.reveal import Revealed
from warehouse.contract import list_forms, load_contract

EXAMPLE_SURVEY: dict[str, JsonValue] = {
    "household_id": "HH12345",
    "survey_data": {
        "household_size": 6,
        "total_income": 25000,
        "has_electricity": True,
        "agricultural_land": 2.5,
        "education_level": "primary",
        "district": "Kitgum",
    },
}


def describe_survey() -> dict[str, Any]:
    """The JSON Schema of one survey in a body: what it is about, and its answers."""
    return {"anyOf": [_describe_survey(form) for form in list_forms()], "examples": [EXAMPLE_SURVEY]}


def _describe_survey(form: str) -> dict[str, Any]:
    identifier = load_contract(form).identifier
    return {
        "title": form,
        "type": "object",
        "required": [identifier, ANSWERS],
        "properties": {
            identifier: {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_NAME,
                "description": "What it is about.",
            },
            ANSWERS: {
                "type": "object",
                "description": f"Field name to answer; GET /api/v1/forms/{form} gives the names.",
            },
        },
        "additionalProperties": False,
    }


FEW = 5  # households: a number of fewer tells of one of them
OUTCOMES = {
    "stored": "Survey data received and queued for processing",
    "duplicate": "Survey data is stored already; sending it again changed nothing",
    "conflict": "Other survey data is stored under this identity; this one is kept for review",
}


class SurveyReceipt(BaseModel):
    """The answer to one survey: it is stored."""

    status: Literal["success"] = "success"
    ingestion_id: str
    outcome: Outcome = Field(description="Stored, a duplicate of a stored one, or in conflict with it.")
    message: str
    estimated_processing_time: str

    @staticmethod
    def describe(receipt: receipts.SurveyReceipt, estimate: str) -> dict[str, str]:
        """The answer for a receipt, as plain data: thousands are made in a second."""
        return {
            "status": "success",
            "ingestion_id": receipt.ingestion_id,
            "outcome": receipt.outcome,
            "message": OUTCOMES[receipt.outcome],
            "estimated_processing_time": estimate,
        }


class FileInfo(BaseModel):
    """What was received."""

    filename: str
    size_bytes: int
    estimated_records: int


class FileReceipt(BaseModel):
    """The answer to a file: its bytes are stored, its rows follow."""

    status: Literal["success"] = "success"
    ingestion_id: str
    file_info: FileInfo
    message: str
    duplicate_of: str | None = Field(None, description="Earlier ingestion of the very same bytes, if there was one.")
    estimated_processing_time: str

    @classmethod
    def of(cls, receipt: Receipt, estimate: str) -> "FileReceipt":
        """The answer for a receipt."""
        duplicate = f"Duplicate of {receipt.duplicate_of}: its rows are stored once."
        return cls(
            ingestion_id=receipt.ingestion_id,
            file_info=FileInfo(
                filename=receipt.filename or "",
                size_bytes=receipt.size_bytes,
                estimated_records=receipt.estimated_rows,
            ),
            message=duplicate if receipt.duplicate_of else "File received and queued for processing",
            duplicate_of=receipt.duplicate_of,
            estimated_processing_time=estimate,
        )


class Progress(BaseModel):
    """How far an ingestion is."""

    total_records: int
    landed_records: int = Field(description="Rows read so far; grows while a file is landed.")
    processed_records: int
    valid_records: int
    failed_records: int
    held_records: int = Field(description="Records that break no rule, and wait with their batch for a reviewer.")
    processing_time_seconds: float | None


class Balance(BaseModel):
    """What became of every row: received = stored + duplicate + rejected + conflict."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    conflict: int


class PersonalField(BaseModel):
    """A field that held personal data and that the contract does not mark; it was encrypted as if it did."""

    field: str
    kind: str
    rows: int


class RevealedHousehold(BaseModel):
    """Who a household is: the personal answers of everything that was sent about it, the newest first."""

    household_id: str
    submissions: list["PersonalAnswers"]


class PersonalAnswers(BaseModel):
    """The personal answers of one submission, as they were sent."""

    form: str
    submission_id: str
    ingestion_id: str
    received_at: datetime
    answers: dict[str, str]

    @classmethod
    def of(cls, revealed: Revealed) -> "PersonalAnswers":
        """The answers that were opened."""
        return cls(
            form=revealed.form,
            submission_id=revealed.submission_key,
            ingestion_id=revealed.ingestion_id,
            received_at=revealed.received_at,
            answers=revealed.answers,
        )


class BatchReceipt(BaseModel):
    """The answer to a batch of surveys: those that can be kept are stored."""

    status: Literal["success"] = "success"
    ingestion_id: str
    balance: Balance
    rejected_rows: list["RejectedRow"]
    unknown_fields: dict[str, int]
    personal_fields: list[PersonalField]
    duplicate_of: str | None

    @classmethod
    def of(cls, receipt: Receipt, rejected: list[Rejected]) -> "BatchReceipt":
        """The answer for a receipt whose rows are landed."""
        balance = receipt.balance or landing.Balance()
        return cls(
            ingestion_id=receipt.ingestion_id,
            balance=Balance(
                received=balance.received,
                stored=balance.stored,
                duplicate=balance.duplicate,
                rejected=balance.rejected,
                conflict=balance.conflict,
            ),
            rejected_rows=[RejectedRow(**asdict(row)) for row in rejected],
            unknown_fields=dict(balance.unknown_fields),
            personal_fields=list(map(PersonalField.model_validate, describe_findings(balance.findings))),
            duplicate_of=receipt.duplicate_of,
        )


class Results(BaseModel):
    """What the pipeline made of the stored surveys."""

    predictions_generated: int
    vulnerable_households: int
    quality_score: float = Field(
        description="Share of valid records in per cent; `marts.fct_batch_quality` has another score, of checks passed."
    )


class RejectedRow(BaseModel):
    """A row that could not be kept: line of the file, reason."""

    row_number: int
    reason_code: str
    message: str


class IngestionStatus(BaseModel):
    """All that is known of an ingestion."""

    ingestion_id: str
    status: Literal["queued", "processing", "completed", "refused", "failed"]
    progress: Progress
    results: Results | None
    balance: Balance
    duplicate_of: str | None
    rejected_rows: list[RejectedRow]
    unknown_fields: dict[str, int]
    personal_fields: list[PersonalField]
    notices: list[str]
    error_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, entry: Entry, rejected: list[Rejected]) -> "IngestionStatus":
        """The status that a ledger entry tells."""
        return cls(
            ingestion_id=entry.ingestion_id,
            status=entry.state,
            progress=_progress(entry),
            results=_results(entry),
            balance=Balance(
                received=entry.received_rows,
                stored=entry.stored_rows,
                duplicate=entry.duplicate_rows,
                rejected=entry.rejected_rows,
                conflict=entry.conflict_rows,
            ),
            duplicate_of=entry.duplicate_of,
            rejected_rows=[RejectedRow(**asdict(row)) for row in rejected],
            unknown_fields=entry.unknown_fields,
            personal_fields=list(map(PersonalField.model_validate, entry.personal_fields)),
            notices=[*entry.notices, *_gate_notices(entry)],
            error_code=entry.error_code,
            error_message=entry.error_message,
        )

    def without_few(self) -> "IngestionStatus":
        """The same for who may not tell households apart: without results that tell of fewer than five."""
        if self.results is None:
            return self
        vulnerable, households = self.results.vulnerable_households, self.results.predictions_generated
        tells_few = households < FEW or any(0 < some < FEW for some in (vulnerable, households - vulnerable))
        return self.model_copy(update={"results": None}) if tells_few else self


def _progress(entry: Entry) -> Progress:
    outcome = entry.outcome
    valid = outcome.released_submissions + outcome.superseded_submissions if outcome else 0
    quarantined = outcome.quarantined_submissions if outcome else 0
    failed = entry.rejected_rows + entry.conflict_rows + quarantined
    return Progress(
        total_records=entry.received_rows or max(entry.estimated_rows, entry.landed_rows),
        landed_records=entry.received_rows or entry.landed_rows,
        processed_records=valid + failed + (outcome.held_submissions if outcome else 0) + entry.duplicate_rows,
        valid_records=valid,
        failed_records=failed,
        held_records=entry.held_submissions,
        processing_time_seconds=round(entry.load_seconds, 3) if entry.load_seconds is not None else None,
    )


def _gate_notices(entry: Entry) -> list[str]:
    if not entry.stopped or not entry.held_submissions:
        return []
    if entry.stopped.status != "held":
        return [f"{entry.stopped.status} by a reviewer; the next run does what was decided"]
    return [f"held by a quality gate; a reviewer decides: `kyalo quarantine list --batch {entry.ingestion_id}`"]


def _results(entry: Entry) -> Results | None:
    if entry.outcome is None:
        return None
    progress = _progress(entry)
    judged = progress.valid_records + progress.failed_records + progress.held_records
    return Results(
        predictions_generated=entry.outcome.predicted_households,
        vulnerable_households=entry.outcome.vulnerable_households,
        quality_score=round(100 * progress.valid_records / judged, 1) if judged else 0.0,
    )
