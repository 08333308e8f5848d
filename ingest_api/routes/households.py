"""The route that shows what is personal, to administrators only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from ingest_api.auth.access import Client, allow
from ingest_api.documentation import EVERY_ROUTE, ROLE, TOKEN, problems
from ingest_api.reveal import reveal_household
from ingest_api.schemas import PersonalAnswers, RevealedHousehold

router = APIRouter(tags=["households"])


@router.get(
    "/api/v1/households/{household_id}/personal",
    summary="Show who a household is",
    responses=problems(EVERY_ROUTE, TOKEN, ROLE, {404: ("household.not_found",)}),
)
def show_personal(
    request: Request,
    _client: Annotated[Client, Depends(allow())],
    household_id: Annotated[str, Path(description="Its identifier, as the survey has it.", examples=["HH12345"])],
) -> RevealedHousehold:
    """The personal answers of everything that was sent about a household, the newest first.

    They are encrypted where they are stored. Whoever asks stands in the audit log.
    """
    found = reveal_household(request.app.state.database, household_id)
    return RevealedHousehold(household_id=household_id, submissions=list(map(PersonalAnswers.of, found)))
