"""What the ledger says of an ingestion: its state, its balance, and how long such work takes."""

from dataclasses import dataclass
from datetime import datetime

from ingest_api.review import ReviewedBatch, is_built, select_batches
from warehouse.contract import load_contract
from warehouse.database import Database, fetch_row, fetch_rows, queries
from warehouse.errors import NotFoundError


@dataclass(frozen=True)
class Outcome:
    """What the last build made of an ingestion's stored submissions."""

    released_submissions: int
    superseded_submissions: int
    held_submissions: int
    quarantined_submissions: int
    predicted_households: int
    vulnerable_households: int


@dataclass(frozen=True)
class Rejected:
    """One row of an upload that could not be kept."""

    row_number: int
    reason_code: str
    message: str


@dataclass(frozen=True)
class Entry:
    """One ingestion, as the ledger has it.

    Attributes:
        outcome: None until a build that no gate stopped has seen it.
        stopped: the batch as reviewers see it, None where no quality gate stopped it.
    """

    ingestion_id: str
    form: str
    status: str
    client: str | None
    filename: str | None
    duplicate_of: str | None
    estimated_rows: int
    landed_rows: int
    received_rows: int
    stored_rows: int
    duplicate_rows: int
    rejected_rows: int
    conflict_rows: int
    unknown_fields: dict[str, int]
    personal_fields: list[dict[str, str | int]]
    notices: list[str]
    error_code: str | None
    error_message: str | None
    received_at: datetime
    loaded_at: datetime | None
    load_seconds: float | None
    outcome: Outcome | None
    stopped: ReviewedBatch | None

    @property
    def held_submissions(self) -> int:
        """Submissions that break no rule, and that a quality gate keeps out with their batch."""
        if self.outcome:
            return self.outcome.held_submissions
        return self.stopped.submissions - self.stopped.rejected_submissions if self.stopped else 0

    @property
    def state(self) -> str:
        """The state as a sender sees it: queued, processing, completed, refused or failed."""
        if self.status == "received":
            return "processing" if self.landed_rows else "queued"
        if self.status == "loaded":
            is_waiting = self.stored_rows and not self.outcome and load_contract(self.form).is_judged
            return "processing" if is_waiting else "completed"
        return self.status


def get_entry(database: Database, ingestion_id: str) -> Entry:
    """The ledger's entry of an ingestion.

    Raises:
        NotFoundError: there is no such ingestion.
    """
    with database.transaction() as connection:
        values = {"ingestion_id": ingestion_id}
        row = None if "\0" in ingestion_id else fetch_row(connection, queries("ingestion")["get_ingestion"], values)
        if row is None:
            raise no_such_ingestion(ingestion_id)
        found = connection.execute(queries("ingestion")["has_ingestion_mart"]).fetchone()
        outcome = (
            fetch_row(connection, queries("ingestion")["analyst_ingestion"], values) if found and found[0] else None
        )
        batches = select_batches(connection, ingestion_id) if is_built(connection) else []
    facts = {name: row[name] for name in Entry.__dataclass_fields__ if name not in {"outcome", "stopped"}}
    return Entry(**facts, outcome=Outcome(**outcome) if outcome else None, stopped=batches[0] if batches else None)


def list_rejected(database: Database, ingestion_id: str, limit: int = 10) -> list[Rejected]:
    """The first rejected rows of an ingestion, by line."""
    with database.transaction() as connection:
        values = {"ingestion_id": ingestion_id, "limit": limit}
        return [Rejected(**row) for row in fetch_rows(connection, queries("ingestion")["rejected_rows"], values)]


def no_such_ingestion(ingestion_id: str) -> NotFoundError:
    """The error of an ingestion that there is not, or that is not for who asks to know of."""
    return NotFoundError(
        f"There is no ingestion {ingestion_id!r}.",
        code="ingestion.not_found",
        remedy="Use the ingestion_id of the receipt.",
    )


def estimate_processing_time(database: Database) -> str:
    """How long the pipeline took lately, from its own record: the middle half of the last 20 runs."""
    with database.transaction() as connection:
        row = connection.execute(queries("ingestion")["processing_times"]).fetchone()
    if row is None or row[0] is None:
        return "not yet measured"
    return _span(float(row[0]), float(row[1]))


def _span(lower: float, upper: float) -> str:
    divisor, unit = (60, "minutes") if upper >= 120 else (1, "seconds")
    low, high = max(1, int(lower // divisor)), max(1, -int(-upper // divisor))
    return f"{low}-{high} {unit}" if low < high else f"{high} {unit}"
