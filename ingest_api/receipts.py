"""What the sender of an upload is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingest_api.landing import Balance

Outcome = Literal["stored", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a file or a batch of surveys.

    Attributes:
        duplicate_of: the earlier ingestion of the same bytes, None when they are new.
        balance: what became of its rows, None where they are landed later.
    """

    ingestion_id: str
    duplicate_of: str | None
    filename: str | None
    size_bytes: int
    estimated_rows: int
    received_at: datetime
    balance: Balance | None = None


@dataclass(frozen=True, slots=True)
class SurveyReceipt:
    """The answer to one survey, durable when it is given."""

    ingestion_id: str
    outcome: Outcome
    received_at: datetime
