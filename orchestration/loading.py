"""Loading files from the command line, and telling what became of them."""

import time
from pathlib import Path

from rich.console import Console

from ingest_api.ledger import get_entry, list_rejected
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ingest_api.schemas import IngestionStatus
from orchestration.command_audit import enter_part
from orchestration.context import Warehouse
from warehouse.errors import UnreadableFileError

WAIT_SECONDS = 0.2


def load_file(warehouse: Warehouse, path: Path, form: str, sheet: str | None = None) -> IngestionStatus:
    """Receive a file and land it.

    Raises:
        UnreadableFileError: it does not exist, or no row of it can be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise UnreadableFileError(message, code="file.not_found", remedy="Check the path.") from error
    with file:
        receipt = receive_file(
            warehouse.database, warehouse.store, file, form=form, filename=path.name, source="cli", sheet=sheet
        )
    enter_part(warehouse.database, "load.file", receipt.ingestion_id)
    land_next(warehouse.database, warehouse.store, receipt.ingestion_id)
    while get_entry(warehouse.database, receipt.ingestion_id).status == "received":  # a worker was faster and is at it
        time.sleep(WAIT_SECONDS)
        land_next(warehouse.database, warehouse.store, receipt.ingestion_id)
    return ingestion_status(warehouse, receipt.ingestion_id)


def ingestion_status(warehouse: Warehouse, ingestion_id: str) -> IngestionStatus:
    """The same answer that the API gives."""
    entry = get_entry(warehouse.database, ingestion_id)
    return IngestionStatus.of(entry, list_rejected(warehouse.database, ingestion_id))


def print_receipt(console: Console, path: Path, status: IngestionStatus) -> None:
    """Print what became of a loaded file."""
    balance = status.balance
    if status.status == "failed":
        console.print(f"failed {path}: {status.error_code}: {status.error_message}")
        return
    console.print(
        f"{path}: {status.ingestion_id}: received {balance.received:,} = stored {balance.stored:,}"
        f" + duplicate {balance.duplicate:,} + rejected {balance.rejected:,} + conflict {balance.conflict:,}"
    )
    if status.duplicate_of:
        console.print(f"  duplicate of {status.duplicate_of}: the same file was loaded before, nothing is stored twice")
    _print_details(console, status)


def print_status(console: Console, status: IngestionStatus) -> None:
    """Print all that is known of an ingestion."""
    balance, progress = status.balance, status.progress
    console.print(f"{status.ingestion_id}: {status.status}")
    if status.status in {"queued", "processing"} and not progress.held_records:
        console.print("  `kyalo run`, or the next scheduled run, lands, builds and scores it")
    console.print(
        f"  received {balance.received:,} = stored {balance.stored:,} + duplicate {balance.duplicate:,}"
        f" + rejected {balance.rejected:,} + conflict {balance.conflict:,}"
    )
    if status.results:
        console.print(
            f"  {progress.valid_records:,} valid ({status.results.quality_score}%), {progress.failed_records:,} failed,"
            f" {progress.held_records:,} held;"
            f" {status.results.predictions_generated:,} predictions,"
            f" {status.results.vulnerable_households:,} vulnerable"
        )
    if status.error_code:
        console.print(f"  {status.error_code}: {status.error_message}")
    _print_details(console, status)


def _print_details(console: Console, status: IngestionStatus) -> None:
    for row in status.rejected_rows:
        console.print(f"  line {row.row_number}: {row.reason_code}: {row.message}", highlight=False)
    more = status.balance.rejected - len(status.rejected_rows)
    if more > 0:
        console.print(f"  and {more:,} more rejected rows in raw.rejected_rows")
    for notice in status.notices:
        console.print(f"  note: {notice}", highlight=False)
