"""JSON as surveys need it: numbers to the letter, no answer lost to a repeated key, and no nesting without end."""

import json
from typing import Any

import orjson

NESTING = 20


LARGEST = 2**63


class Number(str):
    """A number as it was written: 1.10 stays 1.10, and a million digits cost nothing."""

    __slots__ = ()


class Documents:
    """Decodes JSON objects, and counts those that name a field twice.

    Attributes:
        repeated: how many objects have two values under one key; the second is kept under `KEY#2`.
    """

    def __init__(self) -> None:
        self.repeated = 0
        decoder = json.JSONDecoder(
            object_pairs_hook=self.collect,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refuse_constant,
        )
        self.raw_decode = decoder.raw_decode
        self.decode = decoder.decode

    def collect(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object of these keys and values."""
        document = dict(pairs)
        if len(document) == len(pairs):
            return document
        self.repeated += 1
        document, seen = {}, dict[str, int]()
        for key, value in pairs:
            seen[key] = seen.get(key, 0) + 1
            document[key if seen[key] == 1 else f"{key}#{seen[key]}"] = value
        return document


def answer_text(value: Any) -> str | None:
    """An answer as raw keeps it: text and numbers as they are, lists and objects as JSON, nothing for null.

    Raises:
        RecursionError: it is nested too deeply.
    """
    if value is None or type(value) is str:
        return value
    if type(value) is float or type(value) is int:
        return orjson.dumps(value).decode() if -LARGEST < value < LARGEST else str(value)
    return str(value) if isinstance(value, Number) else _json_text(value, NESTING)


def _json_text(value: Any, levels: int) -> str:
    if levels == 0:
        raise RecursionError
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(_json_text(item, levels - 1) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_quote(key)}:{_json_text(item, levels - 1)}' for key, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _quote(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
