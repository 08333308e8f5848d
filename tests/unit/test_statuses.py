"""What an upload's status tells whom."""

import pytest

from ingest_api.schemas import Balance, IngestionStatus, Progress, Results


def status(households: int, vulnerable: int) -> IngestionStatus:
    """That of an upload of which so many were scored."""
    progress = Progress(
        total_records=households, landed_records=households, processed_records=households, valid_records=households,
        failed_records=0, held_records=0, processing_time_seconds=None,
    )  # fmt: skip
    return IngestionStatus(
        ingestion_id="ing_1", status="completed", progress=progress,
        results=Results(predictions_generated=households, vulnerable_households=vulnerable, quality_score=100.0),
        balance=Balance(received=households, stored=households, duplicate=0, rejected=0, conflict=0),
        duplicate_of=None, rejected_rows=[], unknown_fields={}, personal_fields=[], notices=[], error_code=None,
        error_message=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("households", "vulnerable", "is_told"),
    [(1, 0, False), (4, 4, False), (5, 0, True), (5, 5, True), (5, 1, False), (10, 6, False), (10, 5, True)],
)
def test_no_few_households_are_told_of(households: int, vulnerable: int, is_told: bool) -> None:
    assert (status(households, vulnerable).without_few().results is not None) == is_told
