"""How large a request's body may be, enforced while it arrives."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware that ends a request with 413 once its body passes its limit.

    It stands inside the application's error handling, which tells the error.

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

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if max(arrived, _declared_length(scope)) > limit:
                # FastAPI lets this exception through where it parses the body, and no other.
                raise HTTPException(413, f"The body is larger than {limit:,} bytes.")
            return message

        await self.app(scope, counted, send)


def _declared_length(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0
