"""Route that tells what became of an upload."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from ingest_api.auth.access import EVERYBODY, Client, allow, may_see
from ingest_api.documentation import EVERY_ROUTE, NAME_IN_ADDRESS, TOKEN, problems
from ingest_api.ledger import get_entry, list_rejected, no_such_ingestion
from ingest_api.schemas import IngestionStatus
from warehouse.database import Database

UNKNOWN = {404: ("ingestion.not_found",)}
router = APIRouter(tags=["status"])


@router.get(
    "/api/v1/status/{ingestion_id}",
    summary="Ask what became of an upload",
    responses=problems(EVERY_ROUTE, TOKEN, NAME_IN_ADDRESS, UNKNOWN),
)
def get_status(
    ingestion_id: Annotated[str, Path(description="From the receipt.", examples=["ing_20261123_000001"])],
    request: Request,
    client: Annotated[Client, Depends(allow(*EVERYBODY))],
) -> IngestionStatus:
    """How far an upload is, what became of its rows, and which of them were rejected and why."""
    database: Database = request.app.state.database
    entry = get_entry(database, ingestion_id)
    if not may_see(client, entry.client):
        raise no_such_ingestion(ingestion_id)  # that it exists is nobody else's business
    status = IngestionStatus.of(entry, list_rejected(database, ingestion_id))
    return status.without_few() if client.role == "analyst" else status
