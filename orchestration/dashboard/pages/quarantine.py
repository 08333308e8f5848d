"""One submission in quarantine, and what reviewers decide about it: the API does it, in their name."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from orchestration.dashboard.access import HOME, Reviewing, SignedIn
from orchestration.dashboard.api import Api
from orchestration.dashboard.rendering import render
from warehouse.errors import ForbiddenError

SUBMISSION = f"{HOME}/quality/submission"
DONE = {
    "release": "It is released: the next build takes it as it is.",
    "discard": "It is discarded: the next build leaves it out.",
    "reopen": "It is open again.",
}
Decision = Annotated[Literal["release", "discard", "reopen"], Form()]
Reason = Annotated[str, Form(max_length=1000)]
router = APIRouter()


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
    api: Api = request.app.state.api
    details: dict[str, Any] = api.get_submission(session, of)
    return render(request, "submission", done=DONE.get(done, ""), **details)


@router.post(SUBMISSION)
def decide_submission(
    request: Request,
    session: Reviewing,
    of: Annotated[str, Form()],
    decision: Decision,
    reason: Reason = "",
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Release a submission as it is, discard it, or take a decision back."""
    api: Api = request.app.state.api
    judgement: dict[str, object] = {"decision": decision, "reason": reason, "last_decision_id": seen}
    api.decide(session, quote(of, safe=""), judgement)
    return RedirectResponse(f"{SUBMISSION}?of={quote(of, safe='')}&done={decision}", 303)


@router.post(f"{HOME}/quality/batch")
def decide_batch(
    request: Request,
    session: Reviewing,
    of: Annotated[str, Form()],
    decision: Decision,
    reason: Reason = "",
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Release a batch that a gate holds, or discard it."""
    api: Api = request.app.state.api
    judgement: dict[str, object] = {"decision": decision, "reason": reason, "last_decision_id": seen}
    api.decide(session, f"batches/{quote(of, safe='')}", judgement)
    return RedirectResponse(f"{HOME}/quality#batches", 303)
