"""A submission with other answers, made to stand in the place of a quarantined one."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import uuid4

import orjson

from ingest_api.json_values import answer_text
from ingest_api.layouts import SUBMISSION_ID
from ingest_api.personal import STAND_IN
from ingest_api.records import Rejection
from ingest_api.requests import ANSWERS
from ingest_api.review import answers_of
from ingest_api.senders import Sender
from ingest_api.surveys import JSON_TYPE, ArrivingSurvey, Original, document_layout, seal_survey
from warehouse.contract import Contract, Field
from warehouse.crypto.keys import KeyRing
from warehouse.errors import ConflictError, RefusedSurveyError

CONSENT = "consent"
NO = ("0", "0.0", "false", "f", "no", "n")
BOOLEANS = ("1", "1.0", "true", "t", "yes", "y", *NO)
# What staging casts (macros/cast_field.sql), and how to say it.
PATTERNS = {
    "integer": re.compile(r"[+-]?[0-9]{1,9}([.]0*)?"),
    "numeric": re.compile(r"[+-]?([0-9]{1,30}([.][0-9]{0,60})?|[.][0-9]{1,60})([eE][+-]?[0-9]{1,2})?"),
    "boolean": re.compile("|".join(map(re.escape, BOOLEANS)), re.IGNORECASE),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?"),
    "multi-code": re.compile(r"[0-9]+([.]0+)?(\s+[0-9]+([.]0+)?)*"),
}
EXPECTED = {
    "integer": "a whole number",
    "numeric": "a number",
    "boolean": "yes or no",
    "date": "a date as 2026-11-23",
    "multi-code": "codes parted by spaces",
}
WHOLE = re.compile(r"[.]0+(?=\s|$)")


def correcting_survey(
    keys: KeyRing,
    contract: Contract,
    row: Mapping[str, Any],
    personal: Mapping[str, str],
    changes: Mapping[str, Any],
    *,
    source: str,
    sender: Sender,
) -> ArrivingSurvey:
    """The survey that corrects a stored one, under a name of its own.

    Args:
        keys: what is personal is encrypted with.
        contract: of its form.
        row: the stored one, as its raw table has it.
        personal: its personal answers.
        changes: field (canonical, or any header that the contract knows) to its new answer; blank or None clears it.
        source: the door through which it comes.
        sender: who sends it.

    Raises:
        RefusedSurveyError: a field is unknown, a value is not of its field's type, or nothing is changed.
        ConflictError: its personal answers are kept no more.
    """
    changed = _read_changes(contract, changes)
    stored = answers_of(contract, dict(row)) | dict(personal)
    if all(text.strip() == (stored.get(name) or "").strip() for name, text in changed.items()):
        raise RefusedSurveyError("The correction changes no answer.", code="review.nothing_changed")
    kept = {name: text for name, text in stored.items() if _field_of(contract, name) not in {SUBMISSION_ID, *changed}}
    if not personal and any(text.startswith(STAND_IN) for text in kept.values()):
        raise ConflictError(  # their stand-ins would be taken for answers, and get others
            "The personal answers of the submission were deleted, their time being over.",
            code="review.personal_deleted",
            remedy="Give them anew with the correction, or release or discard the submission as it is.",
        )
    answers = kept | {name: text for name, text in changed.items() if text.strip()}
    submission = document_layout(contract.form).submission(1, answers, key=f"correction:{uuid4()}")
    if isinstance(submission, Rejection):
        raise RefusedSurveyError(submission.message, code=submission.code.replace("row.", "survey."))
    body = orjson.dumps({contract.identifier: answers[contract.identifier], ANSWERS: answers}).decode()
    corrects = submission._replace(deprecates=row["submission_key"])  # as it is stored, not as a sender would name it
    return seal_survey(keys, contract.form, corrects, Original(body, JSON_TYPE, source, sender))


def is_refusal(answer: str | None) -> bool:
    """Whether an answer to the question of consent says no."""
    return (answer or "").strip().casefold() in NO


def is_answer(field: Field, text: str) -> bool:
    """Whether staging takes a text for a value of the field."""
    plain = WHOLE.sub("", text)
    if plain in field.missing_codes:
        return True
    if field.type in PATTERNS and not PATTERNS[field.type].fullmatch(text):
        return False
    if field.type == "date":
        return _is_date(text[:10])
    parts = plain.split() if field.type == "multi-code" else [plain]
    return not field.codes or all(part in field.codes for part in parts)


def _read_changes(contract: Contract, changes: Mapping[str, Any]) -> dict[str, str]:
    """The new answers by canonical name, as raw keeps them; blank where one is cleared."""
    fields = {field.name: field for field in contract.fields if field.name != SUBMISSION_ID}
    read = {}
    for header, answer in changes.items():
        name = _field_of(contract, header)
        if name not in fields:
            raise RefusedSurveyError(
                f"The form {contract.form} has no field {header!r} to correct.",
                code="review.unknown_field",
                remedy=f"GET /api/v1/forms/{contract.form} names its fields.",
            )
        text = answer_text(answer) or ""
        if text.strip() and not is_answer(fields[name], text.strip()):
            raise RefusedSurveyError(
                f"{name} takes {_expected(fields[name])}, which {text[:50]!r} is not.", code="review.bad_value"
            )
        read[name] = text
    return read


def _field_of(contract: Contract, header: str) -> str | None:
    (name,) = contract.resolve([header])
    return name


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _expected(field: Field) -> str:
    if field.codes:
        listed = ", ".join(field.codes)
        return f"some of {listed}" if field.type == "multi-code" else f"one of {listed}"
    return EXPECTED[field.type]
