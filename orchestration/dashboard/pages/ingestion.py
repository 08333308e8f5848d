"""What came: by day, form and sender; what was rejected and why."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from orchestration.dashboard.access import HOME, Read
from orchestration.dashboard.figures import received_by_day
from orchestration.dashboard.reading import Row
from orchestration.dashboard.rendering import render
from warehouse.error_codes import MEANINGS

Days = Annotated[int, Query(ge=1, le=366)]
PERIODS = (7, 30, 90, 365)
COUNTED = ("ingestions", "received", "stored", "duplicate", "rejected", "conflict")
SENDERS_SHOWN = 25
router = APIRouter()


@router.get(f"{HOME}/ingestion")
def show_ingestion(request: Request, read: Read, days: Days = 30) -> Response:
    """The ledger of a period."""
    since = datetime.now(UTC) - timedelta(days=days)
    totals = read.rows("received_totals", since=since, timezone=request.app.state.zone.key)
    forms, senders = _sum(totals, "form"), _sum(totals, "sender", "device")
    return render(
        request,
        "ingestion",
        days=days,
        periods=PERIODS,
        plot=received_by_day(sorted(_sum(totals, "day"), key=itemgetter("day"))),
        forms=forms,
        sums={
            kind: sum(row[kind] for row in forms)
            for kind in ("received", "stored", "duplicate", "rejected", "conflict")
        },
        senders=senders[:SENDERS_SHOWN],
        more_senders=len(senders) - SENDERS_SHOWN,
        reasons=read.rows("rejected_reasons", since=since),
        meanings=MEANINGS,
        troubled=read.rows("troubled_ingestions", since=since),
    )


def _sum(rows: Iterable[Row], *names: str) -> list[Row]:
    """The rows summed up by what stands in some columns, the largest sums first."""
    sums: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        found = sums.setdefault(key, {**row, **dict.fromkeys(COUNTED, 0)})
        found |= {kind: found[kind] + row[kind] for kind in COUNTED}
        found["newest_received_at"] = max(found["newest_received_at"], row["newest_received_at"])
    return sorted(sums.values(), key=itemgetter("received"), reverse=True)
