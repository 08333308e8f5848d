"""What the API has for the dashboard: the way to it, and a route to say that an alert is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict

from ingest_api.auth.access import REVIEWERS, Client, allow
from ingest_api.documentation import EVERY_ROUTE, NAME_IN_ADDRESS, ROLE, TOKEN, problems
from ingest_api.examples import Example
from orchestration.alerts.book import acknowledge
from orchestration.alerts.rules import Severity
from orchestration.tls import scheme_of
from warehouse.settings import Settings

EXAMPLE_ALERT: Example = {
    "alert_id": "01a20966-a03c-7b10-a4c7-5ecde1d85726",
    "alert": "disk_full",
    "subject": "demeter",
    "severity": "error",
    "message": "87% of the disk is taken.",
    "opened_at": "2026-11-23T10:30:00Z",
    "acknowledged_at": "2026-11-23T10:42:00Z",
    "acknowledged_by": "kanungu-office",
}
router = APIRouter()


class AcknowledgedAlert(BaseModel):
    """An alert that somebody knows of; it stays open until it is right again, but is not told any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_ALERT]})

    alert_id: UUID
    alert: str
    subject: str
    severity: Severity
    message: str
    opened_at: datetime
    acknowledged_at: datetime
    acknowledged_by: str


@router.get("/dashboard", include_in_schema=False)
def find_dashboard(request: Request) -> RedirectResponse:
    """The way to the dashboard, which is a process of its own."""
    settings: Settings = request.app.state.settings
    beside = f"{scheme_of(settings)}://{settings.dashboard_host}:{settings.dashboard_port}/dashboard"
    return RedirectResponse(settings.dashboard_url or beside)


@router.post(
    "/api/v1/alerts/{alert_id}/acknowledgement",
    summary="Say that you know of an alert",
    tags=["status"],
    responses=problems(
        EVERY_ROUTE, TOKEN, ROLE, NAME_IN_ADDRESS, {404: ("alert.not_found",), 422: ("request.invalid",)}
    ),
)
def post_acknowledgement(
    alert_id: Annotated[UUID, Path(description="Identity of the alert.", examples=[EXAMPLE_ALERT["alert_id"]])],
    request: Request,
    client: Annotated[Client, Depends(allow(*REVIEWERS))],
) -> AcknowledgedAlert:
    """Nobody is told of the alert any more; it closes by itself when what was wrong is right again."""
    (alert,) = acknowledge(request.app.state.database, str(alert_id), by=client.name)
    known: dict[str, Any] = asdict(alert)
    return AcknowledgedAlert.model_validate(known)


@contextmanager
def knowing_settings(app: FastAPI, settings: Settings) -> Iterator[None]:
    """Give the routes the settings."""
    app.state.settings = settings
    yield
