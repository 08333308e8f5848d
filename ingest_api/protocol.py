"""HTTP/1.1 as the API's server speaks it: a request comes to its end, and an unreadable one gets a problem."""

import asyncio
import json
import math

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0  # from its first byte to its last
BODY_SECONDS = 60.0  # from one part to the next
WATCH_SECONDS = 5.0


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request does not end: the server itself would collect it, or wait for it, for ever.

    One timer looks after a connection now and then, since one for each request would cost every survey its price.

    Give its dotted name to uvicorn's option `http`.
    """

    _head_bytes = 0
    _in_head = False
    _deadline = math.inf
    _watcher: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has called; it has something to say."""
        super().connection_made(transport)
        self._expect_within(HEAD_SECONDS)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._watcher:
            self._watcher.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what arrived, and count it while it belongs to a head."""
        super().data_received(data)
        if self._deadline == math.inf and self.cycle and self.cycle.response_complete:
            self._expect_within(HEAD_SECONDS)  # empty lines before a head are none of it
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "request.headers_too_large", f"A head may have {HEAD_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        self._expect_within(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._in_head = False
        self._expect_within(BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body has come."""
        self._expect_within(BODY_SECONDS)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole: now the client waits for us."""
        self._deadline = math.inf
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "request.bad_http", msg)

    def _expect_within(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds

    def _watch(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # it is we who do not read
            self._deadline = max(self._deadline, now + BODY_SECONDS)
        if now > self._deadline:
            self.transport.abort()
        else:
            self._watcher = self.loop.call_later(WATCH_SECONDS, self._watch)

    def _refuse(self, status: int, code: str, detail: str) -> None:
        problem = {"title": "Not accepted", "status": status, "code": code, "detail": detail, "remedy": ""}
        body = json.dumps(problem).encode()
        head = b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
