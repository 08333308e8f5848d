"""Answers that are JSON: the keys in them are headers of their own."""

from collections.abc import Iterator
from typing import Any

from ingest_api.json_values import Documents, answer_text

BLANKS = " \t\r\n"
BEGINNINGS = ("[", "{")
DOCUMENTS = Documents()


def document_in(answer: str) -> list[Any] | dict[str, Any] | None:
    """The list or object that an answer is as JSON."""
    if not answer.lstrip(BLANKS).startswith(BEGINNINGS):
        return None
    try:
        document: list[Any] | dict[str, Any] = DOCUMENTS.decode(answer)
    except (ValueError, RecursionError):
        return None
    return document


def parts_of(header: str, document: list[Any] | dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The answers in a document that stands under a header, each with the name that stands nearest to it."""
    waiting: list[tuple[str, Any]] = [(header, document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
            yield "", "\n".join(value)
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
            yield name, " ".join(text for item in value if (text := _text(item)))  # a number may be parted
        elif text := _text(value):
            within = document_in(text)
            waiting += [] if within is None else [(name, within)]
            yield name, text


def _text(value: Any) -> str | None:
    return None if isinstance(value, dict | list) else answer_text(value)
