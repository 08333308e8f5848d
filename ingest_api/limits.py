"""What no honest request exceeds: sizes of head and body, and what a route can read at all."""

from starlette import formparsers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_api.problems import Problem, answer
from warehouse.crypto.spool import PrivateFile
from warehouse.errors import BusyError
from warehouse.settings import Settings

SURVEY_PATH = "/api/v1/upload/survey-data"
BATCH_PATH = "/api/v1/upload/surveys"
FILE_PATH = "/api/v1/upload/file"
PREDICTION_PATH = "/api/v1/predict"
TOKEN_PATH = "/api/v1/auth/token"  # noqa: S105 - a path
OPENROSA = "/openrosa/"
HEALTH_PATH = "/health"
READY_PATH = "/ready"
METRICS_PATH = "/metrics"
PROBES = (HEALTH_PATH, READY_PATH, METRICS_PATH)  # asked every few seconds by machines that have no account

MOST_HEADERS = 100
HEADER_BYTES = 32 * 1024
ADDRESS_BYTES = 8 * 1024
TOKEN_BYTES = 8 * 1024
PREDICTION_BYTES = 8 * 1024 * 1024
BATCHES_BYTES = 256 * 1024 * 1024
SPOOL_BYTES = 64 * 1024
AT_ONCE = (401, 403, 429, 503)  # answers that do not wait for the body's end
FORM_LIMITS = {"max_files": 1, "max_fields": 10, "max_part_size": 64 * 1024}
READABLE: dict[str, tuple[str, ...]] = {
    SURVEY_PATH: ("application/json",),
    BATCH_PATH: ("application/json", "application/jsonl", "application/x-ndjson"),
    FILE_PATH: ("multipart/form-data",),
    PREDICTION_PATH: ("application/json",),
    TOKEN_PATH: ("application/json", "application/x-www-form-urlencoded"),
}

# A larger part goes to a file, which must hold nothing in clear; the framework offers no other way to say either.
MultiPartParser.spool_max_size = SPOOL_BYTES
formparsers.SpooledTemporaryFile = PrivateFile  # type: ignore[attr-defined, assignment]


class RequestLimits:
    """ASGI middleware that refuses what is larger than its limit, or what the route cannot read.

    A declared length is judged before anything is read. A body without one is counted while it arrives, also where
    the route does not care for it.

    Args:
        app: what it protects.
        settings: the limits of bodies.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._other_bytes = settings.max_survey_bytes
        self._openrosa_bytes = settings.max_file_bytes
        self._bytes = {
            FILE_PATH: settings.max_file_bytes,
            BATCH_PATH: settings.max_batch_bytes,
            PREDICTION_PATH: PREDICTION_BYTES,
            TOKEN_PATH: TOKEN_BYTES,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        limit = self._limit(scope["path"])
        problem = _find_head_problem(scope) or _find_body_problem(scope, headers, limit)
        if problem:
            await answer(problem)(scope, receive, send)
        elif b"transfer-encoding" in headers:
            body = CountedBody(limit, scope, receive, send)
            await self.app(scope, body.read, body.answer)
        else:
            await self.app(scope, receive, send)

    def _limit(self, path: str) -> int:
        if path.startswith(OPENROSA):
            return self._openrosa_bytes
        return self._bytes.get(path, self._other_bytes)


class BatchMemory:
    """ASGI middleware that bounds the memory that batches hold while they arrive and are stored, all taken together.

    Args:
        app: what it protects.
        settings: the limit of one batch, which always finds room in an idle process.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._most = max(BATCHES_BYTES, settings.max_batch_bytes)
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its body counts from its arrival to the answer."""
        if scope["type"] != "http" or scope["path"] != BATCH_PATH:
            await self.app(scope, receive, send)
            return
        held = 0

        async def read() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            if self._held + size > self._most:
                raise BusyError("Too many batches are arriving at once.", code="batch.busy", remedy="Send it again.")
            self._held += size
            held += size
            return message

        try:
            await self.app(scope, read, send)
        finally:
            self._held -= held


class CountedBody:
    """A body that arrives in chunks, with no length declared."""

    def __init__(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._limit = limit
        self._scope = scope
        self._receive = receive
        self._send = send
        self._arrived = 0
        self._ended = False
        self._answered = False
        self._refused = False

    async def read(self) -> Message:
        """The next part, for the application.

        Raises:
            HTTPException: the body has passed its limit; FastAPI lets no other exception through where it reads.
        """
        message = await self._count()
        if self._arrived > self._limit:
            raise HTTPException(413, _too_large(self._limit).detail)
        return message

    async def answer(self, message: Message) -> None:
        """Pass the application's answer on, once the whole body has come and kept its limit."""
        while not (self._answered or self._ended or self._arrived > self._limit or message["status"] in AT_ONCE):
            await self._count()
        if not self._answered:
            self._answered = True
            self._refused = self._arrived > self._limit and message["status"] != 413
            if self._refused:
                await answer(_too_large(self._limit))(self._scope, self._receive, self._send)
        if not self._refused:
            await self._send(message)

    async def _count(self) -> Message:
        message = await self._receive()
        self._arrived += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        return message


def _find_head_problem(scope: Scope) -> Problem | None:
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum([len(name) + len(value) for name, value in headers]) > HEADER_BYTES:
        detail = f"A request may have {MOST_HEADERS} headers of {HEADER_BYTES:,} bytes in all."
        return _problem(431, "request.headers_too_large", detail)
    if len(scope["raw_path"]) + len(scope["query_string"]) > ADDRESS_BYTES:
        return _problem(414, "request.address_too_long", f"An address may have {ADDRESS_BYTES:,} bytes.")
    if "\0" in scope["path"]:
        return _problem(400, "request.bad_address", "The address holds a NUL character.")
    return None


def _find_body_problem(scope: Scope, headers: dict[bytes, bytes], limit: int) -> Problem | None:
    declared = headers.get(b"content-length")
    if declared and int(declared) > limit:
        return _too_large(limit)
    if scope["method"] != "POST":
        return None
    if b"content-encoding" in headers and headers[b"content-encoding"] != b"identity":
        detail = "Bodies are taken as they are; a file may itself be gzipped."
        return _problem(415, "request.wrong_content_encoding", detail)
    readable = READABLE.get(scope["path"])
    if readable is None:
        return None
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    if kind in readable:
        return None
    detail = f"The body comes as {kind or 'no known type'}; {scope['path']} reads {' or '.join(readable)}."
    return _problem(415, "request.wrong_content_type", detail, "Set the header Content-Type.")


def _too_large(limit: int) -> Problem:
    return _problem(413, "request.too_large", f"The body is larger than {limit:,} bytes.")


def _problem(status: int, code: str, detail: str, remedy: str = "") -> Problem:
    return Problem(title="Not accepted", status=status, code=code, detail=detail, remedy=remedy)
