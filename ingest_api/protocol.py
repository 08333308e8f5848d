"""HTTP/1.1 as the API's server speaks it: a head has an end, and an unreadable request gets a problem."""

import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request head does not end; the parser itself would collect it for ever.

    Give its dotted name to uvicorn's option `http`.
    """

    _head_bytes = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Read what arrived, and count it while it belongs to a head."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "request.headers_too_large", f"A head may have {HEAD_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "request.bad_http", msg)

    def _refuse(self, status: int, code: str, detail: str) -> None:
        problem = {"title": "Not accepted", "status": status, "code": code, "detail": detail, "remedy": ""}
        body = json.dumps(problem).encode()
        head = b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
