"""JSON bodies of requests: read fast, refused with a reason, and never nested without end."""

from collections.abc import Collection
from typing import Any

import orjson

from ingest_api.json_values import NESTING, Documents
from warehouse.errors import RefusedRequestError

MOST_PARTS = 10_000
DOCUMENTS = Documents()


def read_json(body: bytes) -> Any:
    """The value of a JSON body; numbers that would lose digits come as the text that was sent.

    Raises:
        RefusedRequestError: it is no JSON, holds a number or a character that nothing can hold, or is nested too
            deeply for a survey.
    """
    parts = body.count(b"[") + body.count(b"{")
    if parts > MOST_PARTS:
        raise RefusedRequestError(
            f"The body holds more than {MOST_PARTS:,} lists and objects.",
            code="request.too_many_parts",
            remedy="Send many surveys as a batch or a file.",
        )
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(error) from error
    if parts > NESTING:
        _check_nesting(value)
    # What is written again as it came was read to the letter; the slow way keeps 1.10 as 1.10.
    return value if orjson.dumps(value) == body else DOCUMENTS.decode(body.decode())


def _check_nesting(value: Any) -> None:
    level = [value]
    for _ in range(NESTING):
        level = [child for item in level if isinstance(item, list | dict) for child in _children(item)]
        if not level:
            return
    if any(isinstance(item, list | dict) for item in level):
        raise _too_deep()


def _children(item: list[Any] | dict[str, Any]) -> Collection[Any]:
    return item.values() if isinstance(item, dict) else item


def _refusal(error: orjson.JSONDecodeError) -> RefusedRequestError:
    if "depth limit" in error.msg:
        return _too_deep()
    if "infinity" in error.msg:
        return RefusedRequestError(
            f"The body holds a number that is too large: {error}.",
            code="request.number_out_of_range",
            remedy="Send it as text.",
        )
    return RefusedRequestError(
        f"The body is no JSON: {error}.", code="request.bad_json", remedy="Send JSON (RFC 8259) in UTF-8."
    )


def _too_deep() -> RefusedRequestError:
    return RefusedRequestError(
        f"The body is nested in more than {NESTING} levels.",
        code="request.too_deep",
        remedy="Send the answers of a group under names of their own.",
    )
