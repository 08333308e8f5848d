"""What reviewers see of the quarantine: submissions that a rule keeps out, held batches, and what was decided.

The schema validated says what the last build made of them, also of what a gate kept from the marts; `review.decisions`
says what people have decided since. A status is that of both together: what the next build will make of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg import sql

from ingest_api.records import identify
from warehouse.audit import note
from warehouse.contract import Contract, load_contract
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError

Action = Literal["release", "correct", "discard", "reopen"]
Status = Literal["open", "released", "corrected", "discarded"]
BatchStatus = Literal["held", "released", "discarded"]
FORM = "household_survey"  # the form whose submissions are reviewed
OWN_KEY = re.compile("content:([0-9a-f]{32})")
MOST_LISTED = 1_000


@dataclass(frozen=True)
class QuarantinedSubmission:
    """A submission that a rule keeps out of the released households, or kept out until somebody decided.

    Attributes:
        failed_rules: every rule that it failed in the last build.
        reasons: the same in words: rule, dimension, columns, values and message of each.
        status: what the next build will take it for.
        awaits_build: whether the last build took it for something else.
        last_decision_id: the latest decision about it, None where there is none.
        age_days: whole days since it was received.
    """

    submission_id: str
    ingestion_id: str
    row_number: int
    household_id: str | None
    survey_round: str | None
    district: str | None
    village: str | None
    status: Status
    awaits_build: bool
    failed_rules: list[str]
    reasons: list[dict[str, Any]]
    corrected_by: str | None
    last_decision_id: int | None
    decided_by: str | None
    decision_reason: str | None
    age_days: int
    received_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class ReviewedBatch:
    """An ingestion that a quality gate holds, or held until somebody decided."""

    ingestion_id: str
    filename: str | None
    client: str | None
    submissions: int
    rejected_submissions: int
    status: BatchStatus
    last_decision_id: int | None
    decided_by: str | None
    decision_reason: str | None
    received_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class Decision:
    """What was decided about one submission, or about one batch.

    Attributes:
        rules: the rules that a release waives; empty for every other decision.
        corrected_by: the submission that a correction made.
    """

    decision_id: int
    submission_id: str | None
    ingestion_id: str | None
    decision: Action
    rules: list[str]
    corrected_by: str | None
    decided_by: str
    decided_at: datetime
    reason: str


@dataclass(frozen=True)
class Filters:
    """Which quarantined submissions to list; None names them all."""

    status: Status | None = None
    rule: str | None = None
    district: str | None = None
    ingestion_id: str | None = None


@dataclass(frozen=True)
class Quarantine:
    """Some quarantined submissions, the oldest first.

    Attributes:
        counts: how many there are of each status, whichever status was asked for.
        batches: the batches that are held.
    """

    counts: dict[Status, int]
    submissions: list[QuarantinedSubmission]
    batches: list[ReviewedBatch]


@dataclass(frozen=True)
class SubmissionDetails:
    """All that is known of a quarantined submission: its answers as they came, and every decision about it."""

    submission: QuarantinedSubmission
    answers: dict[str, str]
    decisions: list[Decision]


def list_quarantine(database: Database, filters: Filters, *, limit: int = 100, offset: int = 0) -> Quarantine:
    """The quarantined submissions that the filters name, and the batches that are held."""
    with database.transaction() as connection:
        if not is_built(connection):
            return Quarantine(_count([]), [], [])
        statement = queries("review")["count_reviewed"].format(reviewed=queries("review")["reviewed"])
        counts = _count(fetch_rows(connection, statement, vars(filters)))
        submissions = select_quarantined(connection, filters, limit=limit, offset=offset)
        batches = [batch for batch in select_batches(connection) if batch.status == "held"]
    return Quarantine(counts, submissions, batches)


def get_details(database: Database, submission_id: str) -> SubmissionDetails:
    """A quarantined submission, its answers and its decisions.

    Raises:
        NotFoundError: none in quarantine has this identity.
    """
    with database.transaction() as connection:
        found = find_quarantined(connection, [submission_id])
        if not found:
            raise NotFoundError(
                f"There is no submission {submission_id!r} in quarantine.",
                code="review.not_found",
                remedy="`kyalo quarantine list` names those that are; a new one is judged by the next build.",
            )
        contract, row = stored_survey(connection, found[0])
        history = fetch_rows(connection, queries("review")["history"], {"submission_id": submission_id})
    return SubmissionDetails(found[0], answers_of(contract, row), [Decision(**decision) for decision in history])


def find_quarantined(connection: psycopg.Connection, submission_ids: Sequence[str]) -> list[QuarantinedSubmission]:
    """Those of the submissions that are in quarantine, or were until somebody decided."""
    if not is_built(connection):
        return []
    return select_quarantined(connection, Filters(), limit=len(submission_ids), submission_ids=submission_ids)


def select_quarantined(
    connection: psycopg.Connection,
    filters: Filters,
    *,
    limit: int | None = None,
    offset: int = 0,
    submission_ids: Sequence[str] | None = None,
) -> list[QuarantinedSubmission]:
    """The quarantined submissions that the filters name, the oldest first; a build must have judged some."""
    statement = queries("review")["list_reviewed"].format(reviewed=queries("review")["reviewed"])
    chosen = {"submission_ids": list(submission_ids) if submission_ids is not None else None}
    values = {**vars(filters), **chosen, "limit": limit, "offset": offset}
    names = QuarantinedSubmission.__dataclass_fields__
    rows = fetch_rows(connection, statement, values)
    note(records=len(rows), households=[row["household_id"] for row in rows])
    return [QuarantinedSubmission(**{name: row[name] for name in names}) for row in rows]


def select_batches(connection: psycopg.Connection, ingestion_id: str | None = None) -> list[ReviewedBatch]:
    """The batches that a gate has stopped, or the one named; a build must have judged some."""
    rows = fetch_rows(connection, queries("review")["list_batches"], {"ingestion_id": ingestion_id})
    return [ReviewedBatch(**row) for row in rows]


def is_built(connection: psycopg.Connection) -> bool:
    """Whether a build has judged anything yet."""
    row = connection.execute(queries("review")["is_built"]).fetchone()
    return bool(row and row[0])


def is_stored(connection: psycopg.Connection, submission_id: str) -> bool:
    """Whether a submission of this identity is stored."""
    by_content = OWN_KEY.fullmatch(submission_id)
    identity = by_content[1] if by_content else identify(FORM, submission_id)
    return fetch_row(connection, queries("review")["find_stored"], {"identity": identity}) is not None


def stored_survey(connection: psycopg.Connection, submission: QuarantinedSubmission) -> tuple[Contract, dict[str, Any]]:
    """A quarantined submission as its raw table has it, and the contract of its form.

    Raises:
        NotFoundError: its row was exported to the archive.
    """
    place = {"ingestion_id": submission.ingestion_id, "row_number": submission.row_number}
    statement = queries("review")["raw_survey"].format(raw_table=sql.Identifier("raw", FORM))
    row = fetch_row(connection, statement, place)
    if row is None:
        raise NotFoundError(
            "The answers of the submission were taken out of the database, into the archive.",
            code="review.archived",
            remedy=f"`kyalo archive restore {FORM}` brings them back.",
        )
    return load_contract(FORM), row


def answers_of(contract: Contract, row: dict[str, Any]) -> dict[str, str]:
    """The filled answers of a raw row: the contract's fields in order, then what the contract does not know."""
    return {name: row[name] for name in contract.names if row[name]} | (row["extras"] or {})


def _count(rows: list[dict[str, Any]]) -> dict[Status, int]:
    found = {row["status"]: row["submissions"] for row in rows}
    statuses: tuple[Status, ...] = ("open", "released", "corrected", "discarded")
    return {status: found.get(status, 0) for status in statuses}
