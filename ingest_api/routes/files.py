"""The route that takes files of surveys."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic.json_schema import SkipJsonSchema

from ingest_api.auth.access import FILE_SENDERS, Client, check
from ingest_api.documentation import BODY, EVERY_ROUTE, ROLE, SENDER, TOKEN, UNKNOWN_FORM, problems
from ingest_api.receiving import receive_file
from ingest_api.requests import FORM, sender_of
from ingest_api.schemas import FileReceipt
from warehouse.audit import note

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
FileType = Literal["csv", "excel", "json", "jsonl", "parquet"]


UNREADABLE = (
    "damaged",
    "empty",
    "encrypted",
    "expands_too_much",
    "invalid_json",
    "line_too_long",
    "nested_archive",
    "no_identifier",
    "no_rows",
    "no_sheet",
    "not_csv",
    "survey_too_large",
    "too_deep",
    "too_large",
    "too_many_columns",
    "too_many_members",
    "unknown_format",
    "unknown_header",
    "wrong_type",
)
REFUSALS = {
    400: ("request.bad_form",),
    422: ("request.invalid", *(f"file.{reason}" for reason in UNREADABLE)),
    503: ("storage.unavailable",),
}
EXAMPLE_FILE = "HouseHoldID,District,HouseholdSize\nHH12345,Kitgum,6\n"
EXAMPLE_BODY = {"requestBody": {"content": {"multipart/form-data": {"example": {"file": EXAMPLE_FILE, "form": FORM}}}}}
ERRORS = problems(EVERY_ROUTE, TOKEN, ROLE, UNKNOWN_FORM, SENDER, BODY, REFUSALS)


class GuardedRoute(APIRoute):
    """A route that knows who is asking before it reads the body; the framework reads a form before all else."""

    def get_route_handler(self) -> Handler:
        """The route's function, called for senders of files only."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request.state.client = check(request, FILE_SENDERS)
            return await handle(request)

        return answer


def sender_of_file(request: Request) -> Client:
    """The client that the route has let in."""
    client: Client = request.state.client
    return client


router = APIRouter(route_class=GuardedRoute, tags=["files"])


@router.post("/api/v1/upload/file", summary="Send a file of surveys", responses=ERRORS, openapi_extra=EXAMPLE_BODY)
def upload_file(
    request: Request,
    client: Annotated[Client, Depends(sender_of_file)],
    file: Annotated[UploadFile, File(description="The survey file, as it is, gzipped, or several in a zip file.")],
    file_type: Annotated[
        FileType | SkipJsonSchema[None],
        Form(description="Its format; told by its content when omitted."),
    ] = None,
    form: Annotated[str, Form(description="The form that its rows are of.")] = FORM,
    sheet: Annotated[
        str | SkipJsonSchema[None],
        Form(description="Sheet of a workbook; the first one when omitted or blank.", examples=[""]),
    ] = None,
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
    note(subject=receipt.ingestion_id)
    return FileReceipt.of(receipt, request.app.state.processing_time.text)
