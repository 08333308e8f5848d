"""The API's routes: thin, each calls one function of receiving or the ledger."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Header, Request, UploadFile
from pydantic import BaseModel

from ingest_api.ledger import estimate_processing_time, get_entry, list_rejected
from ingest_api.problems import Problem
from ingest_api.receiving import receive_file, receive_survey
from ingest_api.schemas import FileReceipt, IngestionStatus, SurveyReceipt, SurveyRequest
from warehouse.database import Database
from warehouse.storage import ObjectStore

FORM = "household_survey"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "The request cannot be read.",
        404: "There is no such thing.",
        413: "The body is too large.",
        422: "The content cannot be kept; the problem's code says why.",
        503: "Try again later.",
    }.items()
}

router = APIRouter(responses=PROBLEMS)


class Health(BaseModel):
    """Whether the API can store a survey now."""

    status: Literal["healthy"] = "healthy"


@router.post("/api/v1/upload/survey-data")
def upload_survey(
    survey: SurveyRequest,
    request: Request,
    idempotency_key: Annotated[str | None, Header(max_length=255, description="The client's name for it.")] = None,
) -> SurveyReceipt:
    """Store one survey; the answer comes after it is durable. Sending it again is harmless."""
    database = _database(request)
    receipt = receive_survey(
        database, form=FORM, household_id=survey.household_id, answers=survey.survey_data, key=idempotency_key
    )
    return SurveyReceipt.of(receipt, estimate_processing_time(database))


@router.post("/api/v1/upload/file")
def upload_file(
    request: Request,
    file: Annotated[UploadFile, File(description="The survey file.")],
    file_type: Annotated[Literal["csv"], Form(description="Its format.")] = "csv",
) -> FileReceipt:
    """Store a file of surveys; the answer comes after its bytes are durable, its rows are landed afterwards."""
    database = _database(request)
    name = file.filename or f"unnamed.{file_type}"
    receipt = receive_file(database, _store(request), file.file, form=FORM, filename=name, source="api")
    return FileReceipt.of(receipt, estimate_processing_time(database))


@router.get("/api/v1/status/{ingestion_id}")
def get_status(ingestion_id: str, request: Request) -> IngestionStatus:
    """How far an upload is, what became of its rows, and which of them were rejected and why."""
    database = _database(request)
    return IngestionStatus.of(get_entry(database, ingestion_id), list_rejected(database, ingestion_id))


@router.get("/health")
def get_health(request: Request) -> Health:
    """Whether a survey could be stored now: 503 when not."""
    with _database(request).transaction() as connection:
        connection.execute("select 1")
    return Health()


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _store(request: Request) -> ObjectStore:
    store: ObjectStore = request.app.state.store
    return store
