"""Routes for reviewers: what is in quarantine and why, and what they decide about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.convertors import PathConvertor, register_url_convertor

from ingest_api.auth.access import REVIEWERS, Client, allow
from ingest_api.deciding import Verdict, correct_submission, decide_batch, decide_submissions
from ingest_api.documentation import EVERY_ROUTE, JSON_BODY, NAME_IN_ADDRESS, ROLE, TOKEN, Codes, problems
from ingest_api.examples import Example
from ingest_api.review import (
    MOST_LISTED,
    Decision,
    Filters,
    Quarantine,
    Status,
    SubmissionDetails,
    get_details,
    list_quarantine,
)
from ingest_api.rules import require_rule
from ingest_api.senders import Sender
from warehouse.database import Database

LONGEST_REASON = 1_000
MOST_CHANGES = 1_000
EXAMPLE_DECISION: Example = {"decision": "release", "reason": "The enumerator confirmed it by phone."}
EXAMPLE_CORRECTION: Example = {
    "decision": "correct",
    "reason": "A digit too many; the paper form says 6.",
    "changes": {"household_size": 6},
}
DECIDED: Codes = {
    400: ("review.no_reason",),
    404: ("review.not_found",),
    409: (
        "review.already_decided",
        "review.decided_meanwhile",
        "review.not_decided",
        "review.not_quarantined",
    ),
    422: (
        "request.invalid",
        "request.bad_value",
        "review.bad_value",
        "review.nothing_changed",
        "review.unknown_field",
        "survey.no_household_id",
    ),
}
BATCH_DECIDED: Codes = {
    400: ("review.no_reason",),
    404: ("review.batch_not_found",),
    409: ("review.already_decided", "review.decided_meanwhile", "review.not_decided"),
    422: ("request.invalid", "request.bad_value"),
}
ERRORS = problems(EVERY_ROUTE, TOKEN, ROLE)
REVIEWER = Depends(allow(*REVIEWERS))
Reviewer = Annotated[Client, REVIEWER]
SubmissionID = Annotated[
    str,
    Path(description="Identity of the submission.", examples=["content:0123456789abcdef0123456789abcdef"]),
]


class SubmissionConvertor(PathConvertor):
    """An identity in an address: its sender may have put slashes into it."""

    regex = ".+(?<!/decision)"


register_url_convertor("submission", SubmissionConvertor())


class Judgement(BaseModel):
    """What a reviewer says about a submission or a batch."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [EXAMPLE_DECISION]})

    decision: Literal["release", "discard", "reopen"]
    reason: Annotated[str, Field(max_length=LONGEST_REASON, pattern=r"\S", description="Why, in words.")]
    last_decision_id: Annotated[
        int | None,
        Field(description="The latest decision that you know of; another one meanwhile is a 409. Omit it to not ask."),
    ] = None

    def verdict(self, client: Client) -> Verdict:
        """The same as said by a client."""
        seen = self.last_decision_id if "last_decision_id" in self.model_fields_set else ...
        return Verdict(self.decision, client.name, self.reason, seen)


class Correction(Judgement):
    """Other answers for a submission."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_CORRECTION]})

    decision: Literal["correct"]  # type: ignore[assignment]
    changes: Annotated[
        dict[str, str | int | float | bool | None],
        Field(
            min_length=1,
            max_length=MOST_CHANGES,
            description="Field to its new answer; null clears it. Every other answer stays.",
        ),
    ]


class Listing(BaseModel):
    """What to list."""

    status: Annotated[Status | Literal["all"], Field(description="Which of them.", examples=["open"])] = "open"
    rule: Annotated[
        str | SkipJsonSchema[None], Field(description="Only those that failed this rule.", examples=["consent_given"])
    ] = None
    district: Annotated[
        str | SkipJsonSchema[None], Field(description="Only those of this district.", examples=["Kanungu"])
    ] = None
    ingestion_id: Annotated[
        str | SkipJsonSchema[None], Field(description="Only those of this upload.", examples=["ing_20261123_000002"])
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED, description="At most so many.", examples=[100])] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000_000, description="Without the first so many.", examples=[0])] = 0

    def filters(self) -> Filters:
        """The same as the loader's own."""
        status = None if self.status == "all" else self.status
        return Filters(status, self.rule, self.district, self.ingestion_id)


SubmissionJudgement = Annotated[
    Judgement | Correction,
    Body(
        discriminator="decision",
        openapi_examples={"release": {"value": EXAMPLE_DECISION}, "correct": {"value": EXAMPLE_CORRECTION}},
    ),
]
router = APIRouter(tags=["quarantine"], responses=ERRORS, dependencies=[REVIEWER])


@router.get(
    "/api/v1/quarantine",
    summary="List what is in quarantine",
    responses=problems({400: ("review.unknown_rule",), 422: ("request.invalid",)}),
)
def get_quarantine(listing: Annotated[Listing, Query()], request: Request) -> Quarantine:
    """Submissions that a rule keeps out, the oldest first, each with its reasons; and the batches that are held."""
    database: Database = request.app.state.database
    if listing.rule:
        require_rule(database, listing.rule)
    return list_quarantine(database, listing.filters(), limit=listing.limit, offset=listing.offset)


@router.post(
    "/api/v1/quarantine/batches/{ingestion_id}/decision",
    summary="Decide about a held batch",
    responses=problems(JSON_BODY, NAME_IN_ADDRESS, BATCH_DECIDED),
)
def post_batch_decision(
    ingestion_id: Annotated[str, Path(description="The upload that is held.", examples=["ing_20261123_000002"])],
    request: Request,
    client: Reviewer,
    judgement: Judgement,
) -> Decision:
    """Release a batch that a quality gate holds, or discard it; the next build does it."""
    database: Database = request.app.state.database
    return decide_batch(database, ingestion_id, judgement.verdict(client))


@router.post(
    "/api/v1/quarantine/{submission_id:submission}/decision",
    summary="Decide about a submission",
    responses=problems(JSON_BODY, NAME_IN_ADDRESS, DECIDED),
)
def post_decision(
    submission_id: SubmissionID, request: Request, client: Reviewer, judgement: SubmissionJudgement
) -> Decision:
    """Release a submission as it is, correct it, discard it, or take a decision back; the next build does it.

    A release holds for the rules that the submission failed; one that it fails later holds it again. A correction is
    stored at once as a submission of its own, which the next build judges as any other.
    """
    database: Database = request.app.state.database
    verdict = judgement.verdict(client)
    if isinstance(judgement, Correction):
        sender = Sender(client.name)
        changes = judgement.changes
        return correct_submission(database, submission_id, changes, verdict, source="api", sender=sender)
    return decide_submissions(database, [submission_id], verdict)[0]


@router.get(
    "/api/v1/quarantine/{submission_id:submission}",
    summary="Look at a submission in quarantine",
    responses=problems(NAME_IN_ADDRESS, {404: ("review.not_found",)}),
)
def get_submission(submission_id: SubmissionID, request: Request) -> SubmissionDetails:
    """The reasons with the values, the answers as they came, and every decision about it."""
    database: Database = request.app.state.database
    return get_details(database, submission_id)
