"""The OpenRosa routes: what ODK Collect and KoboCollect call, with a password or with a token in the address."""

import io
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from ingest_api.auth.access import BASIC_CHALLENGE, identify_device
from ingest_api.auth.clients import Client
from ingest_api.documentation import NAME_IN_ADDRESS, problems
from ingest_api.openrosa.attachments import ArrivingFile, arriving_file
from ingest_api.openrosa.documentation import (
    ADDRESS_ERRORS,
    EXAMPLE_FORM,
    EXAMPLE_FORM_NAME,
    EXAMPLE_LIST,
    EXAMPLE_MANIFEST,
    NAMED_FORM,
    PASSWORD_ERRORS,
    SUBMISSION,
    SUBMISSION_BODY,
    XML_PART,
    either,
    gives,
    told,
)
from ingest_api.openrosa.documents import (
    HEADERS,
    SUBMISSION_HEADERS,
    XmlResponse,
    document,
    form_list,
    manifest,
    message,
)
from ingest_api.openrosa.submissions import InstanceReceipt, receive_instance
from ingest_api.openrosa.xforms import blank_form
from ingest_api.problems import problem_of
from ingest_api.senders import Sender
from warehouse.contract import list_forms, load_contract
from warehouse.errors import KyaloError, RefusedSurveyError
from warehouse.settings import Settings

INCOMPLETE_MARK = "*isIncomplete*"  # a phone's note that more requests follow; the set of files tells it better
MOST_FILES = 110  # phones send at most 101
MOST_FIELDS = 100
LONGEST_DEVICE = 255
CHALLENGE = {"WWW-Authenticate": BASIC_CHALLENGE}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenRosaRoute(APIRoute):
    """A route that tells errors as phones understand them."""

    def get_route_handler(self) -> Handler:
        """The route's function, its errors answered as an OpenRosaResponse."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except KyaloError as error:
                problem, headers = problem_of(request, error)
                return _tell(f"{problem.detail} {problem.remedy}".strip(), problem.status, headers)
            except HTTPException as error:
                return _tell(str(error.detail), error.status_code, dict(error.headers or {}))
            except psycopg.DataError as error:
                return _tell(f"A value cannot be kept: {str(error).splitlines()[0]}.", 422, {})

        return answer


doors = APIRouter(route_class=OpenRosaRoute, tags=["openrosa"])
Device = Annotated[Client, Depends(identify_device)]
FormName = Annotated[str, Path(description="Name of the form.", examples=[EXAMPLE_FORM_NAME])]
FormID = Annotated[str | None, Query(description="Only this form.", examples=[EXAMPLE_FORM_NAME])]


@doors.get(
    "/formList",
    response_class=XmlResponse,
    summary="List the forms",
    responses=gives(200, "The forms that can be downloaded.", "xforms", EXAMPLE_LIST),
)
def list_blank_forms(request: Request, device: Device, formID: FormID = None) -> Response:  # noqa: ARG001, N803
    """The forms that a phone can download."""
    forms = [blank_form(form) for form in list_forms() if formID in (None, form)]
    return document(form_list(forms, _address(request)))


@doors.get(
    "/forms/{form}/manifest",
    response_class=XmlResponse,
    summary="List the media of a form",
    responses=gives(200, "There are none.", "manifest", EXAMPLE_MANIFEST) | NAMED_FORM,
)
def get_manifest(form: FormName, device: Device) -> Response:  # noqa: ARG001
    """The media of a form: none."""
    load_contract(form)
    return document(manifest())


@doors.get(
    "/forms/{form}.xml",
    response_class=XmlResponse,
    summary="Download a form",
    responses=gives(200, "The form as an XForm.", "html", EXAMPLE_FORM) | NAMED_FORM,
)
def get_blank_form(form: FormName, device: Device) -> Response:  # noqa: ARG001
    """The form itself, made from its contract."""
    return XmlResponse(blank_form(form).xml)


@doors.head(
    "/submission",
    status_code=204,
    response_class=Response,
    summary="Ask how much one request may hold",
    response_description="Its headers say it.",
)
def greet_device(device: Device) -> Response:  # noqa: ARG001
    """How much one request may hold; phones ask before they send."""
    return Response(status_code=204, headers={**HEADERS, **SUBMISSION_HEADERS})


@doors.post(
    "/submission",
    status_code=201,
    response_class=XmlResponse,
    summary="Send a filled form and its files",
    responses=SUBMISSION,
    openapi_extra=SUBMISSION_BODY,
)
async def submit_instance(request: Request, device: Device) -> Response:
    """Store a filled form and its files; the answer comes after they are durable. Sending them again is harmless."""
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "A submission comes as multipart/form-data.")
    settings: Settings = request.app.state.database.settings
    largest = settings.max_survey_bytes
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=largest) as form:
        receipt = await run_in_threadpool(_store, request, form, device, largest)
    return message(receipt.message, "submit_success", 201 if receipt.is_news else 202)


def take_token(token: Annotated[str, Path(description="The device's token.", examples=["the-token"])]) -> None:
    """Name the token in the address; `identify_device` reads it."""


router = APIRouter()
router.include_router(doors, prefix="/openrosa", responses=told(PASSWORD_ERRORS))
router.include_router(
    doors,
    prefix="/openrosa/key/{token}",
    responses=either(told(ADDRESS_ERRORS), problems(NAME_IN_ADDRESS)),
    dependencies=[Depends(take_token)],
    generate_unique_id_function=lambda route: f"{route.name}_by_address",
)


def _store(request: Request, form: FormData, client: Client, largest: int) -> InstanceReceipt:
    xml = _read_xml(form, largest)
    files = [file for name, part in form.multi_items() if (file := _file(name, part))]
    device = request.query_params.get("deviceID", "").replace("\0", "")[:LONGEST_DEVICE]
    sender = Sender(client.name, device or None)
    return receive_instance(request.app.state.database, xml, files, sender)


def _read_xml(form: FormData, largest: int) -> str:
    parts = form.getlist(XML_PART)
    if len(parts) != 1:
        message = f"A submission has one part {XML_PART}, this one has {len(parts)}."
        raise RefusedSurveyError(message, code="openrosa.no_xml")
    (part,) = parts
    if isinstance(part, str):
        return part
    if (part.size or 0) > largest:
        raise HTTPException(413, f"The submission's XML is larger than {largest:,} bytes.")
    try:
        return part.file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The submission's XML is not UTF-8 (byte {error.start:,})."
        raise RefusedSurveyError(message, code="openrosa.bad_xml") from error


def _file(name: str, part: UploadFile | str) -> ArrivingFile | None:
    """A part as an attachment, also one that no file's name says it is; None for the XML and the protocol's note."""
    if name in (XML_PART, INCOMPLETE_MARK):
        return None
    if isinstance(part, str):
        return arriving_file(name, "text/plain", io.BytesIO(part.encode("utf-8", "replace")))
    return arriving_file(part.filename or name, part.content_type or "application/octet-stream", part.file)


def _address(request: Request) -> str:
    """The absolute address that the phone used, up to the list of forms."""
    return str(request.url.replace(query="")).removesuffix("/formList").rstrip("?")


def _tell(text: str, status: int, headers: dict[str, str]) -> Response:
    # Phones know passwords only, whatever other way in an error may name.
    return message(text, "error", status, headers | CHALLENGE if status == 401 else headers)
