"""Who needs help: districts, villages, and the list of where to go first."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from orchestration.dashboard.access import HOME, Read, SignedIn, marts_for
from orchestration.dashboard.figures import risk_by_district, villages_on_map
from orchestration.dashboard.reading import Reading, reading
from orchestration.dashboard.rendering import render
from warehouse.database import Database

PAGE_LENGTH = 50
COLUMNS = (
    "district", "cluster", "village", "priority_rank", "households", "people", "expected_vulnerable_households",
    "households_critical", "critical_percent", "mean_minutes_to_water", "households_unvisited", "last_visited_quarter",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
District = Annotated[str, Query(max_length=200)]
router = APIRouter()


@router.get(f"{HOME}/risk")
def show_risk(
    request: Request, read: Read, district: District = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """Households at risk by district and village."""
    districts = read.rows("districts")
    offset = (page - 1) * PAGE_LENGTH
    villages = read.rows("priorities", district=district or None, limit=PAGE_LENGTH, offset=offset)
    locations = read.rows("locations", district=district or None)
    return render(
        request,
        "risk",
        totals=read.row("totals", district=district or None),
        districts=districts,
        district=district,
        plot=risk_by_district([row for row in districts if district in {"", row["district"]}]),
        map=villages_on_map(locations) if locations else None,
        villages=villages,
        count=villages[0]["villages"] if villages else 0,
        page=page,
        offset=offset,
        has_more=bool(villages) and offset + len(villages) < villages[0]["villages"],
    )


@router.get(f"{HOME}/risk/priorities.csv")
def get_priorities(request: Request, session: SignedIn, district: District = "") -> Response:
    """The whole list as a file that spreadsheets open."""
    headers = {"Content-Disposition": 'attachment; filename="priorities.csv"', "Cache-Control": "no-store"}
    lines = _lines(request.app.state.reader, marts_for(session), district or None)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _lines(database: Database, marts: str, district: str | None) -> Iterator[str]:
    with reading(database, marts) as opened:
        yield ",".join(COLUMNS) + "\r\n"
        for row in _rows(opened, district):
            text = io.StringIO()
            csv.writer(text).writerow([_plain(value) for value in row])
            yield text.getvalue()


def _rows(opened: Reading, district: str | None) -> Iterator[tuple[object, ...]]:
    statement = opened.statement("priorities_file")
    with opened.connection.cursor() as cursor, cursor.copy(statement, {"district": district}) as copy:
        yield from copy.rows()


def _plain(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: a village bears the name that somebody typed."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
