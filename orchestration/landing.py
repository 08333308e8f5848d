"""Landing of everything that waits: the inbox, uploaded files, bodies of single surveys, attachments."""

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from orchestration.context import Warehouse
from warehouse.contract import list_forms


def land_all(warehouse: Warehouse) -> list[str]:
    """Collect the inbox, land every pending file, move bodies and attachments; the ingestions that were landed."""
    collect_inbox(warehouse.database, warehouse.store)
    landed = []
    while ingestion_id := land_next(warehouse.database, warehouse.store):
        landed.append(ingestion_id)
    for form in list_forms():
        while bundle_bodies(warehouse.database, warehouse.store, form):
            pass
    move_attachments(warehouse.database, warehouse.store)
    return landed
