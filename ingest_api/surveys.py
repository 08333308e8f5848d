"""Single surveys: what they are made of, and many of them stored in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import orjson
import psycopg

from ingest_api.landing import conflict_content, copy_lines, copy_raw, personal_row, raw_row
from ingest_api.layouts import DocumentLayout
from ingest_api.personal import Sealer, describe_findings, keyed_digest
from ingest_api.receipts import SurveyReceipt
from ingest_api.records import Rejection, Submission, csv_line
from ingest_api.senders import Sender
from warehouse.contract import Contract, load_contract
from warehouse.crypto.keys import KeyRing
from warehouse.database import queries
from warehouse.errors import BusyError, RefusedSurveyError

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class ArrivingSurvey:
    """One survey that is ready to be stored: nothing of it is personal but as a token.

    Attributes:
        personal: the token of its personal answers, None where it has none.
        key_id: the name of the key of both tokens.
        findings: personal data that the contract does not mark, as the ledger keeps it.
        body: the token of its original.
        size_bytes: of the original.
        sha256: a keyed digest of the original.
    """

    submission: Submission
    personal: str | None
    key_id: str
    findings: list[dict[str, str | int]]
    body: str
    size_bytes: int
    sha256: str
    content_type: str
    source: str
    sender: Sender


@dataclass(frozen=True, slots=True)
class Original:
    """What a survey came as."""

    body: str
    content_type: str
    source: str
    sender: Sender


@cache
def document_layout(form: str) -> DocumentLayout:
    """The layout of a form's documents; it remembers the names that it has resolved."""
    return DocumentLayout(load_contract(form))


@lru_cache(16)
def document_sealer(keys: KeyRing, form: str) -> Sealer:
    """What takes the personal answers out of a form's documents."""
    return Sealer(keys, form, load_contract(form).names)


def seal_survey(keys: KeyRing, form: str, submission: Submission, original: Original) -> ArrivingSurvey:
    """A survey as it will be stored, its personal answers and its original encrypted."""
    sealed = document_sealer(keys, form).seal([submission])
    body = original.body.encode()
    return ArrivingSurvey(
        submission=sealed.submissions[0],
        personal=sealed.tokens.get(submission.number),
        key_id=keys.current_id,
        findings=describe_findings(Counter(sealed.findings.get(submission.number, ()))),
        body=keys.seal(body).decode(),
        size_bytes=len(body),
        sha256=keyed_digest(keys, body),
        content_type=original.content_type,
        source=original.source,
        sender=original.sender,
    )


def renew_survey(keys: KeyRing, survey: ArrivingSurvey) -> ArrivingSurvey:
    """A survey under the newest key, also where it came before that was made.

    Raises:
        BusyError: its own key was dropped meanwhile.
    """
    if survey.key_id == keys.current_id:
        return survey
    if survey.key_id not in keys.ids:
        raise BusyError("The keys were changed while the survey waited.", remedy="Send it again.")
    personal = survey.personal and keys.renew(survey.personal).decode()
    return replace(survey, personal=personal, key_id=keys.current_id, body=keys.renew(survey.body).decode())


def read_survey(
    keys: KeyRing, form: str, household_id: str, answers: dict[str, Any], *, body: str, sender: Sender
) -> ArrivingSurvey:
    """One survey as it will be stored.

    Args:
        keys: what is personal is encrypted with.
        form: its form.
        household_id: the household it is about.
        answers: name of the field (canonical, or any header that the contract knows) to value.
        body: the request's body.
        sender: who sent it; its idempotency key names a survey that bears no name of its own.

    Raises:
        RefusedSurveyError: it cannot be kept.
    """
    identifier = load_contract(form).identifier
    stated = answers.get(identifier, household_id)
    if str(stated).strip() != household_id.strip():
        message = "The survey names two households."
        raise RefusedSurveyError(message, code="survey.two_households", remedy=f"Send one {identifier}.")
    named = {identifier: household_id, **answers} | {identifier: household_id}
    request_key = f"client:{sender.client}:{sender.idempotency_key}" if sender.idempotency_key else ""
    checked = document_layout(form).submission(1, named, request_key=request_key)
    if isinstance(checked, Rejection):
        raise RefusedSurveyError(checked.message, code=checked.code.replace("row.", "survey."))
    return seal_survey(keys, form, checked, Original(body, JSON_TYPE, "api", sender))


def land_surveys(
    connection: psycopg.Connection, contract: Contract, surveys: Sequence[ArrivingSurvey]
) -> list[SurveyReceipt]:
    """Store surveys of one form, each an ingestion of its own; the receipts, in their order.

    They are written in the caller's transaction and durable when it is committed. A twin in another transaction
    is waited for; the same identity with other content is kept as a conflict.
    """
    statements = queries("ingestion")
    facts = [_facts(position, survey) for position, survey in enumerate(surveys)]
    values = {"surveys": orjson.dumps(facts).decode(), "form": contract.form, "form_version": contract.version}
    receipts = [SurveyReceipt(*row[1:]) for row in connection.execute(statements["insert_surveys"], values)]
    names = contract.names
    rows: list[str] = []
    conflicts: list[str] = []
    personal: list[str] = []
    for survey, receipt in zip(surveys, receipts, strict=True):
        if receipt.outcome == "stored":
            rows.append(raw_row(contract, receipt.ingestion_id, survey.source, receipt.received_at, survey.submission))
        elif receipt.outcome == "conflict":
            conflicts.append(_conflict_row(contract, receipt, survey.submission))
        if survey.personal and receipt.outcome != "duplicate":
            personal.append(
                personal_row(receipt.ingestion_id, survey.submission.number, survey.key_id, survey.personal)
            )
    copy_lines(connection, copy_raw(contract.form, names), rows)
    copy_lines(connection, statements["copy_conflicts"], conflicts)
    copy_lines(connection, statements["copy_personal"], personal)
    return receipts


def _facts(position: int, survey: ArrivingSurvey) -> dict[str, Any]:
    submission, sender = survey.submission, survey.sender
    return {
        "position": position,
        "identity": submission.identity,
        "content_hash": submission.content_hash,
        "source": survey.source,
        "content_type": survey.content_type,
        "body": survey.body,
        "size_bytes": survey.size_bytes,
        "sha256": survey.sha256,
        "client": sender.client,
        "device": sender.device,
        "idempotency_key": sender.idempotency_key,
        "names_request": submission.key.startswith("client:"),
        "unknown_fields": dict.fromkeys(orjson.loads(submission.extras), 1) if submission.extras else None,
        "personal_fields": survey.findings,
    }


def _conflict_row(contract: Contract, receipt: SurveyReceipt, row: Submission) -> str:
    content = conflict_content(row, contract.names)
    return csv_line([contract.form, row.key, row.content_hash, receipt.ingestion_id, "1", content])
