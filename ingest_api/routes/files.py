"""The route that takes files of surveys."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile

from ingest_api.auth.access import FILE_SENDERS, Client, allow
from ingest_api.receiving import receive_file
from ingest_api.requests import sender_of
from ingest_api.schemas import FileReceipt

router = APIRouter()
FileType = Literal["csv", "excel", "json", "jsonl", "parquet"]


@router.post("/api/v1/upload/file")
def upload_file(
    request: Request,
    client: Annotated[Client, Depends(allow(*FILE_SENDERS))],
    file: Annotated[UploadFile, File(description="The survey file, as it is, gzipped, or several in a zip file.")],
    file_type: Annotated[FileType | None, Form(description="Its format; told by its content when omitted.")] = None,
    form: Annotated[str, Form(description="The form that its rows are of.")] = "household_survey",
    sheet: Annotated[str | None, Form(description="Sheet of a workbook; the first one when omitted.")] = None,
) -> FileReceipt:
    """Store a file of surveys; the answer comes after its bytes are durable, its rows are landed afterwards."""
    receipt = receive_file(
        request.app.state.database,
        request.app.state.store,
        file.file,
        form=form,
        filename=file.filename or "unnamed",
        source="api",
        sender=sender_of(request, client),
        file_type=file_type,
        sheet=sheet,
    )
    return FileReceipt.of(receipt, request.app.state.processing_time.text)
