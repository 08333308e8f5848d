"""What is wrong, since when, and who knows."""

from fastapi import APIRouter, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.rendering import render

router = APIRouter()


@router.get(f"{HOME}/alerts")
def show_alerts(request: Request, read: Read) -> Response:
    """Open alerts, the gravest first, and those that are over."""
    return render(request, "alerts", alerts=read.rows("open_alerts"), past=read.rows("past_alerts"))
