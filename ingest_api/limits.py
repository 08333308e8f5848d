"""How large a request's body may be, enforced while it arrives."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_api.problems import Problem, answer


class BodyTooLargeError(Exception):
    """The body that arrives has passed its limit."""


class BodyLimit:
    """ASGI middleware that answers 413 once a body passes its limit.

    Args:
        app: what it protects.
        file_path: the route that takes files.
        file_bytes: limit there; multipart framing may add a little.
        other_bytes: limit everywhere else.
    """

    def __init__(self, app: ASGIApp, *, file_path: str, file_bytes: int, other_bytes: int) -> None:
        self.app = app
        self.file_path = file_path
        self.file_bytes = file_bytes
        self.other_bytes = other_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.file_bytes if scope["path"] == self.file_path else self.other_bytes
        arrived = 0
        answered = False

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise BodyTooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            if _declared_length(scope) > limit:
                raise BodyTooLargeError
            await self.app(scope, counted, noted)
        except BodyTooLargeError:
            if not answered:
                await _too_large(limit)(scope, receive, send)


def _too_large(limit: int) -> ASGIApp:
    detail = f"The body is larger than {limit:,} bytes."
    return answer(Problem(title="Too large", status=413, code="request.too_large", detail=detail, remedy="Split it."))


def _declared_length(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0
