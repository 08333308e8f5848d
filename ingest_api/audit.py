"""The door's part of the audit: every request is entered in the log before it is answered."""

import asyncio
import csv
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from ingest_api.limits import PROBES
from ingest_api.personal import hide_number
from ingest_api.problems import Problem, answer
from ingest_api.request_log import route_template
from warehouse.audit import Chain, Draft, begin
from warehouse.audit.entries import Door, Result
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.database import Database
from warehouse.error_codes import MEANINGS
from warehouse.errors import KyaloError
from warehouse.logs import get_logger

logger = get_logger(__name__)
MOST_TOGETHER = 500
SAFE = ("GET", "HEAD", "OPTIONS")
UNAVAILABLE = "audit.unavailable"
# What tells nothing of anybody: documentation, the way to the dashboard, what machines ask every few seconds.
UNRECORDED = (*PROBES, "/openapi.json", "/docs", "/docs/", "/static-offline-docs/", "/dashboard")
SECRETS_IN_ADDRESSES = ("token",)
Actions = Mapping[tuple[str, str], str]


def read_actions(path: Path) -> Actions:
    """What routes are called in the log, by method and address.

    Args:
        path: the list: method, path, action.
    """
    with path.open(newline="") as file:
        return {(row["method"], row["path"]): row["action"] for row in csv.DictReader(file)}


def actions_of_api() -> Actions:
    """The same of the API, whose addresses for phones may hold a token."""
    listed = read_actions(Path(__file__).with_name("audited_routes.csv"))
    by_token = {
        (method, path.replace("/openrosa/", "/openrosa/key/{token}/")): action
        for (method, path), action in listed.items()
        if path.startswith("/openrosa/")
    }
    return {**listed, **by_token}


class AuditWriter:
    """Enters requests in the log, as many at a time as have come while the last were written.

    Args:
        database: where the log is, as a role that may add to it; closed with this.
        door: what stands in each entry as the door.
    """

    def __init__(self, database: Database, door: Door) -> None:
        self.chain = Chain(database.settings, door)
        self.keys = load_key_ring(database.settings)
        self.is_failing = False
        self._door = door
        self._database = database
        self._arriving: SimpleQueue[tuple[dict[str, object], Future[None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_groups, name="kyalo-audit", daemon=True)
        self._thread.start()

    async def write(self, draft: Draft, result: Result, http_status: int | None) -> None:
        """Enter what a draft tells; durable when this returns.

        Raises:
            KyaloError: it could not be entered.
        """
        entered: Future[None] = Future()
        self._arriving.put((draft.entry(result, http_status), entered))
        draft.is_written = True
        await asyncio.wrap_future(entered)

    def check(self) -> None:
        """Raise where nothing could be entered now: try it, and take it back."""
        with self._database.connection() as connection, connection.transaction(force_rollback=True):
            self.chain.append(connection, [Draft(self._door, None).entry("begun")])
        self.is_failing = False

    def close(self) -> None:
        """Enter what has arrived, then stop."""
        self._arriving.put(None)
        self._thread.join()
        self._database.close()

    def _write_groups(self) -> None:
        while (first := self._arriving.get()) is not None:
            group, is_last = [first], False
            while len(group) < MOST_TOGETHER and not is_last:
                try:
                    waiting = self._arriving.get_nowait()
                except Empty:
                    break
                is_last = waiting is None
                group += [waiting] if waiting else []
            self._write_together(group)
            if is_last:
                return

    def _write_together(self, group: Sequence[tuple[dict[str, object], "Future[None]"]]) -> None:
        try:
            with self._database.transaction() as connection:
                self.chain.append(connection, [entry for entry, _ in group])
        except Exception as error:
            self.is_failing = True
            logger.exception("the audit cannot be written", entries=len(group))
            for _, entered in group:
                entered.set_exception(error)
            return
        self.is_failing = False
        for _, entered in group:
            entered.set_result(None)


class Audit:
    """ASGI middleware that enters each request in the log before its answer goes out; without an entry there is none.

    While nothing can be entered, what would change something is refused before it is tried.

    Args:
        app: what answers.
        door: what stands in each entry as the door.
        actions: what routes are called in the log, by method and address.
        unrecorded: the addresses that show nothing of anybody; those that end with a slash are beginnings of such.
    """

    def __init__(self, app: ASGIApp, *, door: Door, actions: Actions, unrecorded: Collection[str]) -> None:
        self.app = app
        self._door = door
        self._actions = actions
        self._exact = frozenset(unrecorded)
        self._beginnings = tuple(path for path in unrecorded if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back once it is entered."""
        if scope["type"] != "http" or scope["path"] in self._exact or scope["path"].startswith(self._beginnings):
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        draft = begin(Draft(self._door, client[0] if client else None))
        draft.request_id = get_contextvars().get("request_id")
        draft.action = self._actions.get((scope["method"], scope["path"]), draft.action)
        writer: AuditWriter = scope["app"].state.audit
        if writer.is_failing and scope["method"] not in SAFE and (code := await _find_problem(writer)):
            await _refuse(code, scope, receive, send)
            return
        await self._answer(writer, draft, scope, receive, send)

    async def _answer(self, writer: AuditWriter, draft: Draft, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; hold the head of the answer back until it is entered."""
        problem: str | None = None

        async def enter(message: Message) -> None:
            nonlocal problem
            if message["type"] == "http.response.start" and not draft.is_written:
                problem = await self._enter(writer, draft, scope, message["status"])
                if problem:
                    await _refuse(problem, scope, receive, send)
            if not problem:
                await send(message)

        try:
            await self.app(scope, receive, enter)
        except Exception:
            if not draft.is_written:
                draft.code = draft.code or "internal.error"
                await self._enter(writer, draft, scope, 500)
            raise
        if not draft.is_written:  # the client left before there was an answer
            await self._enter(writer, draft, scope, None)

    async def _enter(self, writer: AuditWriter, draft: Draft, scope: Scope, status: int | None) -> str | None:
        """Enter a request; the code of what stood against it."""
        describe(draft, scope, self._actions, writer.keys)
        try:
            await writer.write(draft, _result(status, draft.code), status)
        except Exception as error:  # noqa: BLE001 - it is told where it was tried
            return _code(error)
        return None


def describe(draft: Draft, scope: Scope, actions: Actions, keys: KeyRing) -> None:
    """Tell a draft what the request turned out to be: the route, and what it is about, numbers of people hidden."""
    route = route_template(scope)
    draft.action = actions.get((scope["method"], route or ""), draft.action)
    if draft.subject is None:
        named = [str(value) for name, value in scope.get("path_params", {}).items() if name not in SECRETS_IN_ADDRESSES]
        draft.subject = "/".join(named) or None
    draft.subject = draft.subject and hide_number(keys, draft.subject)


def _result(status: int | None, code: str | None) -> Result:
    if status is None or status >= 500:
        return "failed"
    return "refused" if status >= 400 or code else "allowed"


async def _find_problem(writer: AuditWriter) -> str | None:
    """The code of what keeps entries out now."""
    try:
        await asyncio.to_thread(writer.check)
    except Exception as error:  # noqa: BLE001 - the log of the process has it from the one who failed first
        return _code(error)
    return None


def _code(error: Exception) -> str:
    return error.error_code if isinstance(error, KyaloError) else UNAVAILABLE


async def _refuse(code: str, scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(title="Try again later", status=503, code=code, detail=MEANINGS[code])
    await answer(problem, {"Retry-After": "5"})(scope, receive, send)
