"""How good the data is: trend, rules, and what is in quarantine."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.figures import quality_by_day
from orchestration.dashboard.reading import Reading, Row
from orchestration.dashboard.rendering import render
from orchestration.dashboard.session import Session
from warehouse.audit import note

STATUSES = ("open", "released", "corrected", "discarded")
DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
PERIODS = (30, 90, 365)
PAGE_LENGTH = 25
Days = Annotated[int, Query(ge=1, le=366)]
Status = Annotated[Literal["open", "released", "corrected", "discarded"], Query()]
Filter = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, le=10_000)]
router = APIRouter()


@router.get(f"{HOME}/quality")
def show_quality(
    request: Request,
    read: Read,
    days: Days = 90,
    status: Status = "open",
    district: Filter = "",
    rule: Filter = "",
    page: Page = 1,
) -> Response:
    """The quality of a period, the rules that it breaks, and, for reviewers, the quarantine."""
    since = (datetime.now(UTC) - timedelta(days=days)).date()
    chosen = {"status": status, "district": district or None, "rule": rule or None}
    session: Session = request.state.session
    found = _quarantined(read, page, chosen) if session.sees_households else []
    by_day = read.rows("quality_by_day", since=since)
    return render(
        request,
        "quality",
        days=days,
        periods=PERIODS,
        plot=quality_by_day(by_day) if by_day else None,
        summary=read.row("quality_dimensions", since=since),
        dimensions=DIMENSIONS,
        enumerators=read.rows("quality_by_enumerator", since=since),
        rules=read.rows("broken_rules"),
        counts={row["status"]: row["submissions"] for row in read.rows("quarantine_counts")},
        statuses=STATUSES,
        chosen={"status": status, "district": district, "rule": rule, "days": days},
        districts=[row["district"] for row in read.rows("districts")],
        batches=read.rows("held_batches"),
        quarantined=found[:PAGE_LENGTH],
        page=page,
        has_more=len(found) > PAGE_LENGTH,
    )


def _quarantined(read: Reading, page: int, chosen: dict[str, str | None]) -> list[Row]:
    """The submissions of a page of the quarantine, and the first of the next; the audit says who saw them."""
    found = read.rows("quarantined", **chosen, limit=PAGE_LENGTH + 1, offset=(page - 1) * PAGE_LENGTH)
    note(records=len(found[:PAGE_LENGTH]), households=[row["household_id"] for row in found[:PAGE_LENGTH]])
    return found
