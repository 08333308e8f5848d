"""Files that are small on the wire and large in memory or in the warehouse: what they may cost is bounded."""

import io
import resource
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from ingest_api.landing import BATCH_CHARACTERS, MOST_REJECTED, Arrival, Balance, _batches
from ingest_api.ledger import get_entry
from ingest_api.loading import land_next
from ingest_api.personal import Sealer
from ingest_api.readers import open_survey_files
from ingest_api.receiving import receive_file
from ingest_api.records import Rejection, Submission
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database
from warehouse.errors import UnreadableFileError
from warehouse.stores import LocalStore

FORM = "household_survey"
LONG_VALUE = "x" * 2_500_000


def packed_table(value: str, rows: int) -> bytes:
    """A Parquet file that keeps one value once, in a dictionary, and has it in all its rows."""
    villages = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([value]))
    file = io.BytesIO()
    table = pa.table({"household_id": [f"A-{row}" for row in range(rows)], "village": villages})
    parquet.write_table(table, file, compression="zstd", store_schema=False)
    return file.getvalue()


@pytest.mark.parametrize(("value", "rows"), [(LONG_VALUE, 1_000), ("x" * 1_000, 200_000)])
def test_parquet_values_that_multiply_are_refused_in_little_memory(value: str, rows: int) -> None:
    content = packed_table(value, rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_survey_files(io.BytesIO(content), load_contract(FORM), filename="bomb.parquet") as files:
        (table,) = files
        with pytest.raises(UnreadableFileError) as refusal:
            sum(1 for _ in table.submissions())
    assert refusal.value.error_code == "file.expands_too_much"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_batch_is_bounded_by_all_that_its_rows_hold(database: Database) -> None:
    def items() -> Iterator[Submission | Rejection]:
        for number in range(40):
            yield Submission(number, f"A-{number}", "", "", f"A-{number}", extras="x" * 1024**2)
            yield Rejection(number, "row.ragged", "It is ragged.", "x" * 1024**2)

    keys = load_key_ring(database.settings)
    arrival = Arrival("ing_1", load_contract(FORM), "cli", datetime.now(UTC), keys)
    sealer = Sealer(keys, FORM, ["household_id"])
    sizes = [len(batch.submissions) + len(batch.rejections) for batch in _batches(arrival, sealer, items())]
    assert max(sizes) <= BATCH_CHARACTERS // 1024**2 + 1
    assert sum(sizes) == 80


def test_unknown_fields_are_a_thousand_names_and_the_others() -> None:
    balance = Balance()
    for number in range(1_500):
        balance.count_unknown(["always", f"once_{number}"])
    total = Balance()
    total.add(balance)
    total.add(balance)
    assert len(total.unknown_fields) == 1_001
    assert total.unknown_fields["always"] == 3_000
    assert total.unknown_fields["(others)"] == 2 * (1_500 - 999)


def test_file_of_bad_rows_fails_as_a_whole(database: Database, store: LocalStore) -> None:
    content = b"HouseHoldID,District\nA-1,Kanungu\n" + b"x\n" * (MOST_REJECTED + 1)
    receipt = receive_file(database, store, io.BytesIO(content), form=FORM, filename="bad.csv", source="cli")
    assert land_next(database, store, receipt.ingestion_id) == receipt.ingestion_id
    entry = get_entry(database, receipt.ingestion_id)
    assert (entry.status, entry.error_code) == ("failed", "file.too_many_bad_rows")
    with database.transaction() as connection:
        (kept,) = connection.execute("select count(*) from raw.rejected_rows").fetchone() or (None,)
    assert kept == 0
