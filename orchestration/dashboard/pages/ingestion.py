"""What came: by day, form and sender; what was rejected and why."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.figures import received_by_day
from orchestration.dashboard.rendering import render
from warehouse.error_codes import MEANINGS

Days = Annotated[int, Query(ge=1, le=30)]
PERIODS = (7, 14, 30)
COUNTED = ("received", "stored", "duplicate", "rejected", "conflict")
SENDERS_SHOWN = 25
router = APIRouter()


@router.get(f"{HOME}/ingestion")
def show_ingestion(request: Request, read: Read, days: Days = 30) -> Response:
    """The ledger of a period."""
    since = datetime.now(UTC) - timedelta(days=days)
    # Identities begin with their day, so that the primary key finds those of a period.
    period = {"since": since, "first_id": f"ing_{since - timedelta(days=1):%Y%m%d}"}
    totals = read.rows("received_totals", **period, timezone=request.app.state.zone.key)
    forms, senders = [row for row in totals if row["form"]], [row for row in totals if row["sender"]]
    return render(
        request,
        "ingestion",
        days=days,
        periods=PERIODS,
        plot=received_by_day([row for row in totals if row["day"]]),
        forms=forms,
        sums={
            kind: sum(row[kind] for row in forms)
            for kind in ("received", "stored", "duplicate", "rejected", "conflict")
        },
        senders=senders[:SENDERS_SHOWN],
        more_senders=len(senders) - SENDERS_SHOWN,
        reasons=read.rows("rejected_reasons", **period),
        meanings=MEANINGS,
        troubled=read.rows("troubled_ingestions", **period),
    )
