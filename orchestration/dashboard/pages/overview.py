"""The page that opens first: is it well, is it fresh, and who needs help."""

from fastapi import APIRouter, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.rendering import render

router = APIRouter()


@router.get(HOME)
def show_overview(request: Request, read: Read) -> Response:
    """Health with its worst part, the last run, freshness, open alerts, key figures."""
    runs = read.rows("runs", limit=1)
    return render(
        request,
        "overview",
        health=read.row("health"),
        components=read.rows("health_components"),
        freshness=read.row("freshness"),
        run=runs[0] if runs else None,
        alerts=read.rows("open_alerts"),
        processes=read.rows("processes"),
        totals=read.row("totals", district=None) if read.has_marts else {},
        districts=read.rows("districts") if read.has_marts else [],
    )
