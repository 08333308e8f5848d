"""JSON texts without a household's surveys: what stays becomes JSON lines, each where it stood."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from ingest_api.json_values import Documents, Number, answer_text
from ingest_api.readers.csv_lines import Lines
from ingest_api.readers.json_stream import JsonStream
from ingest_api.requests import ANSWERS
from orchestration.erasure.household import Household
from orchestration.erasure.resent_rows import ResentRows
from orchestration.erasure.rest import JSON_LINES, Rest
from warehouse.contract import Contract
from warehouse.errors import UnreadableFileError

Whose = Household | ResentRows  # whose surveys are taken out
MARGIN = "\ufeff \t\r\n"


def rest_of_documents(whose: Whose, contract: Contract, source: BinaryIO, target: BinaryIO) -> Rest:
    """Write the surveys of a JSON text that are to stay.

    What stands behind a place where the text is no JSON was never read, and is not kept.
    """
    rest = Rest(suffix=JSON_LINES)
    for number, document in enumerate(_surveys(source), start=1):
        is_its = number in whose.numbers if isinstance(whose, ResentRows) else is_survey_of(whose, contract, document)
        rest.count(number, is_its=is_its)
        target.write(b"\n" if is_its else write_document(document) + b"\n")
    return rest


def rest_of_lines(whose: Whose, contract: Contract, source: BinaryIO, target: BinaryIO) -> Rest:
    """Write the lines of a text of JSON lines, blank where those stood that are to go."""
    rest, decoder = Rest(), Documents()
    source.seek(0)
    lines = Lines(source)
    for line in lines:
        is_its = _is_line_of(whose, contract, decoder, lines.number, line)
        if line.strip(MARGIN):
            rest.count(lines.number, is_its=is_its)
        target.write(b"\n" if is_its else line.encode("utf-8", "replace"))
    return rest


def is_survey_of(household: Household, contract: Contract, document: Any) -> bool:
    """Whether a JSON document names the household in the field that says whom it is about."""
    nested = document.get(ANSWERS) if isinstance(document, dict) else None
    return any(
        name == contract.identifier and household.is_it(_text(value))
        for part in (document, nested)
        if isinstance(part, dict)
        for value, name in zip(part.values(), contract.resolve(part), strict=True)
    )


def write_document(document: Any) -> bytes:
    """A document as one line of JSON; numbers are as they came."""
    return orjson.dumps(_plain(document))


def _surveys(source: BinaryIO) -> Iterator[Any]:
    try:
        yield from JsonStream(source, Documents()).surveys()
    except UnreadableFileError:
        return


def _is_line_of(whose: Whose, contract: Contract, decoder: Documents, number: int, line: str) -> bool:
    if isinstance(whose, ResentRows):
        return number in whose.numbers
    try:
        return is_survey_of(whose, contract, decoder.decode(line.strip(MARGIN)))
    except (ValueError, RecursionError):
        return whose.is_told_by(line)


def _text(value: Any) -> str | None:
    try:
        return answer_text(value)
    except RecursionError:
        return None


def _plain(value: Any) -> Any:
    """A value that orjson writes as it was read."""
    if isinstance(value, Number):
        return orjson.Fragment(str(value))
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    return value
