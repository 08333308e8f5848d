"""Deciding about the quarantine. One decision is made at a time, so that a later reviewer sees the earlier one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import orjson
import psycopg

from ingest_api.corrections import CONSENT, correcting_survey, is_refusal
from ingest_api.reveal import personal_answers
from ingest_api.review import (
    FORM,
    Action,
    Decision,
    Filters,
    QuarantinedSubmission,
    ReviewedBatch,
    find_quarantined,
    is_built,
    is_stored,
    select_batches,
    select_quarantined,
    stored_survey,
)
from ingest_api.senders import LOCAL, Sender
from ingest_api.surveys import land_surveys
from warehouse.contract import Contract, load_contract
from warehouse.crypto.sealing import sealing
from warehouse.database import Database, fetch_rows, queries
from warehouse.errors import ConflictError, NotFoundError, RefusedRequestError

REFUSALS = frozenset({"consent_refused", "consent_withdrawn"})  # nobody but the household can take them back


@dataclass(frozen=True)
class Verdict:
    """What a reviewer says.

    Attributes:
        decided_by: the client of the API, or the person on the machine.
        reason: why, in words; never blank.
        seen: the latest decision that the reviewer knew (None: of none); omitted, it is not compared.
    """

    action: Action
    decided_by: str
    reason: str
    seen: int | EllipsisType | None = ...


def decide_submissions(database: Database, submission_ids: Sequence[str], verdict: Verdict) -> list[Decision]:
    """Release, discard or reopen submissions, all of them or none.

    A release waives the rules that the submission failed in the last build; one that it fails later holds it again.

    Raises:
        NotFoundError: one of them is not stored.
        ConflictError: one is not in quarantine, somebody has decided about it, or what it lacks cannot be waived.
        RefusedRequestError: the verdict gives no reason.
    """
    with _deciding(database, verdict) as connection:
        found = _find_all(connection, submission_ids)
        for submission in found:
            _check_submission(submission, verdict)
        return _record(connection, verdict, found)


def decide_by_rule(database: Database, rule: str, verdict: Verdict) -> tuple[list[Decision], int]:
    """Decide about every submission that failed a rule, if the verdict can be passed on it; and how many were left.

    Of those that failed other rules as well none is released: whoever waives one rule has not looked at the others.

    Raises:
        ConflictError: the rule cannot be waived.
        RefusedRequestError: the verdict gives no reason.
    """
    with _deciding(database, verdict) as connection:
        _check_waivable([rule], verdict)
        failed = select_quarantined(connection, Filters(rule=rule)) if is_built(connection) else []
        statuses = {"released", "discarded"} if verdict.action == "reopen" else {"open"}
        possible = [submission for submission in failed if submission.status in statuses]
        chosen = [row for row in possible if verdict.action != "release" or row.failed_rules == [rule]]
        return _record(connection, verdict, chosen), len(possible) - len(chosen)


def decide_batch(database: Database, ingestion_id: str, verdict: Verdict) -> Decision:
    """Release, discard or reopen a batch that a quality gate holds.

    Raises:
        NotFoundError: no gate has stopped such a batch.
        ConflictError: somebody has decided about it.
        RefusedRequestError: the verdict gives no reason.
    """
    with _deciding(database, verdict) as connection:
        batches = select_batches(connection, ingestion_id) if is_built(connection) else []
        if not batches:
            raise NotFoundError(
                f"No quality gate holds a batch {ingestion_id!r}.",
                code="review.batch_not_found",
                remedy="`kyalo quarantine list` names the batches that are held.",
            )
        _check_batch(batches[0], verdict)
        return _insert(connection, verdict, [{"submission_id": None, "rules": []}], ingestion_id=ingestion_id)[0]


def correct_submission(
    database: Database,
    submission_id: str,
    changes: Mapping[str, Any],
    verdict: Verdict,
    *,
    source: str,
    sender: Sender = LOCAL,
) -> Decision:
    """Store a submission with other answers in the place of a quarantined one, and record that this was decided.

    The correction is landed as any survey is, and the next build judges it as any other.

    Args:
        database: the warehouse.
        submission_id: the quarantined submission.
        changes: field (canonical, or any header that the contract knows) to its new answer; blank or None clears it.
        verdict: what the reviewer says.
        source: the door through which it comes: api or cli.
        sender: who sends it, as the ledger keeps it.

    Raises:
        NotFoundError: the submission is not stored.
        ConflictError: it is not in quarantine, somebody has decided about it, or its household refuses and the
            correction would say otherwise.
        RefusedSurveyError: a field is unknown, a value is not of its field's type, or nothing is changed.
        RefusedRequestError: the verdict gives no reason.
    """
    with sealing(database.settings) as keys, _deciding(database, verdict) as connection:
        (submission,) = _find_all(connection, [submission_id])
        _check_submission(submission, verdict)
        contract, row = stored_survey(connection, submission)
        _check_consent(contract, row, changes)
        personal = personal_answers(connection, keys, submission.ingestion_id, submission.row_number)
        survey = correcting_survey(keys, contract, row, personal, changes, source=source, sender=sender)
        (receipt,) = land_surveys(connection, contract, [survey])
        ingestions = {"ingestion_id": receipt.ingestion_id, "corrected_ingestion_id": submission.ingestion_id}
        connection.execute(queries("review")["note_correction"], ingestions)
        return _record(connection, verdict, [submission], corrected_by=survey.submission.key)[0]


@contextmanager
def _deciding(database: Database, verdict: Verdict) -> Iterator[psycopg.Connection]:
    """A transaction in which nobody else decides."""
    if not verdict.reason.strip():
        raise RefusedRequestError(
            "A decision needs a reason.", code="review.no_reason", remedy="Say why: whoever reads it later will ask."
        )
    with database.transaction() as connection:
        connection.execute(queries("review")["one_at_a_time"])
        yield connection


def _find_all(connection: psycopg.Connection, submission_ids: Sequence[str]) -> list[QuarantinedSubmission]:
    found = {submission.submission_id: submission for submission in find_quarantined(connection, submission_ids)}
    for submission_id in submission_ids:
        if submission_id not in found:
            raise _not_quarantined(connection, submission_id)
    return [found[submission_id] for submission_id in dict.fromkeys(submission_ids)]


def _not_quarantined(connection: psycopg.Connection, submission_id: str) -> ConflictError | NotFoundError:
    if is_stored(connection, submission_id):
        return ConflictError(
            f"Submission {submission_id} is not in quarantine.",
            code="review.not_quarantined",
            remedy="A new one is judged by the next build; one that no rule keeps out needs no decision.",
        )
    return NotFoundError(
        f"There is no submission {submission_id!r}.",
        code="review.not_found",
        remedy="`kyalo quarantine list` names those that are in quarantine.",
    )


def _check_submission(submission: QuarantinedSubmission, verdict: Verdict) -> None:
    name = f"Submission {submission.submission_id}"
    _check_seen(name, submission, verdict)
    if submission.status == "corrected":
        raise ConflictError(
            f"{name} is corrected by {submission.corrected_by}.",
            code="review.already_decided",
            remedy="Decide about that one, if it is in quarantine.",
        )
    _check_status(name, submission, verdict, is_open=submission.status == "open")
    _check_waivable(submission.failed_rules, verdict)


def _check_batch(batch: ReviewedBatch, verdict: Verdict) -> None:
    name = f"Batch {batch.ingestion_id}"
    _check_seen(name, batch, verdict)
    _check_status(name, batch, verdict, is_open=batch.status == "held")


def _check_seen(name: str, reviewed: QuarantinedSubmission | ReviewedBatch, verdict: Verdict) -> None:
    if verdict.seen not in (..., reviewed.last_decision_id):
        raise ConflictError(
            f"{name} was decided about meanwhile{_told(reviewed)}.",
            code="review.decided_meanwhile",
            remedy="Look at it again.",
        )


def _check_status(
    name: str, reviewed: QuarantinedSubmission | ReviewedBatch, verdict: Verdict, *, is_open: bool
) -> None:
    if verdict.action == "reopen" and is_open:
        raise ConflictError(f"{name} is open.", code="review.not_decided", remedy="There is no decision to take back.")
    if verdict.action != "reopen" and not is_open:
        raise ConflictError(
            f"{name} was {reviewed.status}{_told(reviewed)}.",
            code="review.already_decided",
            remedy="Reopen it to decide otherwise.",
        )


def _check_waivable(rules: Sequence[str], verdict: Verdict) -> None:
    """Refuse to release what no table of households could hold, and what its household does not consent to."""
    if verdict.action == "release" and REFUSALS.intersection(rules):
        raise ConflictError(
            "A submission whose household does not consent cannot be released.",
            code="review.no_consent",
            remedy="Discard it. A later survey in which the household consents lets its submissions count again.",
        )
    required = {f"{field.name}_required": field.name for field in load_contract(FORM).fields if field.required}
    missing = [required[rule] for rule in rules if rule in required]
    if missing and verdict.action == "release":
        raise ConflictError(
            f"A submission without {' and '.join(missing)} cannot be released.",
            code="review.not_waivable",
            remedy="Correct it, or discard it.",
        )


def _check_consent(contract: Contract, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Refuse a correction that takes a refusal back."""
    if is_refusal(row.get(CONSENT)) and CONSENT in contract.resolve(changes):
        raise ConflictError(
            "The household does not consent, and no correction can change that.",
            code="review.no_consent",
            remedy="A later survey in which the household consents lets its submissions count again.",
        )


def _told(reviewed: QuarantinedSubmission | ReviewedBatch) -> str:
    """Who decided last, when and why."""
    if reviewed.decided_at is None:
        return ""
    return f" by {reviewed.decided_by} at {reviewed.decided_at:%Y-%m-%d %H:%M}: {reviewed.decision_reason}"


def _record(
    connection: psycopg.Connection,
    verdict: Verdict,
    submissions: Sequence[QuarantinedSubmission],
    *,
    corrected_by: str | None = None,
) -> list[Decision]:
    decided = [
        {
            "submission_id": submission.submission_id,
            "rules": submission.failed_rules if verdict.action == "release" else [],
        }
        for submission in submissions
    ]
    return _insert(connection, verdict, decided, corrected_by=corrected_by)


def _insert(
    connection: psycopg.Connection,
    verdict: Verdict,
    decided: Sequence[Mapping[str, Any]],
    *,
    ingestion_id: str | None = None,
    corrected_by: str | None = None,
) -> list[Decision]:
    values = {
        "decided": orjson.dumps(decided).decode(),
        "ingestion_id": ingestion_id,
        "corrected_by": corrected_by,
        "decision": verdict.action,
        "decided_by": verdict.decided_by,
        "reason": verdict.reason.strip(),
    }
    return [Decision(**row) for row in fetch_rows(connection, queries("review")["decide"], values)]
