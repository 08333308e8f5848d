"""What is wrong, since when, and who knows."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from orchestration.dashboard.access import HOME, Read, Reviewing
from orchestration.dashboard.api import Api
from orchestration.dashboard.rendering import render

router = APIRouter()


@router.get(f"{HOME}/alerts")
def show_alerts(request: Request, read: Read) -> Response:
    """Open alerts, the gravest first, and those that are over."""
    return render(request, "alerts", alerts=read.rows("open_alerts"), past=read.rows("past_alerts"))


@router.post(f"{HOME}/alerts")
def acknowledge_alert(request: Request, session: Reviewing, of: Annotated[str, Form(max_length=100)]) -> Response:
    """Say that who is signed in knows of an alert."""
    api: Api = request.app.state.api
    api.acknowledge(session, of)
    return RedirectResponse(f"{HOME}/alerts", 303)
