"""One submission in quarantine, and what reviewers decide about it: the API does it, in their name."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from orchestration.dashboard.access import HOME, Reviewing, SignedIn
from orchestration.dashboard.api import Api
from orchestration.dashboard.rendering import render
from warehouse.audit import note
from warehouse.errors import ForbiddenError

SUBMISSION = f"{HOME}/quality/submission"
DONE = {
    "release": "It is released: the next build takes it as it is.",
    "discard": "It is discarded: the next build leaves it out.",
    "reopen": "It is open again.",
}
router = APIRouter()


class Judgement(BaseModel):
    """A decision as the page's form sends it.

    Attributes:
        of: the submission, or the batch.
        seen: the newest decision that the page showed; none, where there was none.
    """

    of: str
    decision: Literal["release", "discard", "reopen"]
    reason: str = Field("", max_length=1000)
    seen: int | None = None


@router.get(SUBMISSION)
def show_submission(
    request: Request, session: SignedIn, of: Annotated[str, Query(max_length=1000)], done: str = ""
) -> Response:
    """A submission with its reasons, its answers as they came, and every decision about it.

    Raises:
        ForbiddenError: who asks is no reviewer: answers may name people.
    """
    if not session.is_reviewer:
        raise ForbiddenError(
            f"{session.client.name} has the role {session.client.role}, which may not see answers.",
            remedy="Roles that may: office, admin.",
        )
    note(subject=of)
    api: Api = request.app.state.api
    details: dict[str, Any] = api.get_submission(session, of)
    note(records=1, households=[details["submission"]["household_id"]])
    return render(request, "submission", done=DONE.get(done, ""), **details)


@router.post(SUBMISSION)
def decide_submission(request: Request, session: Reviewing, judgement: Annotated[Judgement, Form()]) -> Response:
    """Release a submission as it is, discard it, or take a decision back."""
    _decide(request, session, quote(judgement.of, safe=""), judgement)
    return RedirectResponse(f"{SUBMISSION}?of={quote(judgement.of, safe='')}&done={judgement.decision}", 303)


@router.post(f"{HOME}/quality/batch")
def decide_batch(request: Request, session: Reviewing, judgement: Annotated[Judgement, Form()]) -> Response:
    """Release a batch that a gate holds, or discard it."""
    _decide(request, session, f"batches/{quote(judgement.of, safe='')}", judgement)
    return RedirectResponse(f"{HOME}/quality#batches", 303)


def _decide(request: Request, session: Reviewing, subject: str, judgement: Judgement) -> None:
    note(subject=judgement.of)
    api: Api = request.app.state.api
    told: dict[str, object] = {
        "decision": judgement.decision,
        "reason": judgement.reason,
        "last_decision_id": judgement.seen,
    }
    api.decide(session, subject, told)
