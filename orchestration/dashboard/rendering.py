"""Pages, made of templates."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestration.dashboard import words
from orchestration.dashboard.assets import asset_address

PAGES = {
    "overview": "/dashboard",
    "ingestion": "/dashboard/ingestion",
    "quality": "/dashboard/quality",
    "risk": "/dashboard/risk",
    "models": "/dashboard/models",
    "runs": "/dashboard/runs",
    "alerts": "/dashboard/alerts",
}


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page, as it is for who asks; nobody may keep it."""
    zone: ZoneInfo = request.app.state.zone
    page = _environment(zone).get_template(f"{template}.html.j2")
    session = getattr(request.state, "session", None)
    told = page.render(session=session, here=template, pages=PAGES, now=datetime.now(UTC), **values)
    return HTMLResponse(told, status, {"Cache-Control": "no-store"})


@cache
def _environment(zone: ZoneInfo) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.show_number,
        "decimal": words.show_decimal,
        "percent": words.show_percent,
        "share": words.show_share,
        "seconds": words.show_seconds,
        "bytes": words.show_bytes,
        "time": lambda value: words.show_time(value, zone),
        "day": words.show_day,
        "distance": words.show_distance,
        "words": words.show_words,
        "stand_in": words.show_stand_in,
        "error": words.show_error,
        "alert": words.show_alert,
        "reason": words.show_reason,
        "moment": datetime.fromisoformat,
        "marked": words.show_commands,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
    }
    environment.globals |= {"asset": asset_address, "zone": zone.key, "risks": words.RISKS}
    return environment
