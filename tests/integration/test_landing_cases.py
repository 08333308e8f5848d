"""Every named hostile file: refused with a code, or its bad rows rejected and its good rows stored."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_api.ledger import Entry, get_entry, list_rejected
from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from warehouse.database import Database
from warehouse.errors import UnreadableFileError
from warehouse.stores import LocalStore

CASES = Path(__file__).parents[1] / "cases"
FORM = "household_survey"

REFUSED = {
    "not_csv_picture.csv": "file.not_csv",
    "not_csv_binary.csv": "file.not_csv",
    "not_csv_prose.csv": "file.unknown_header",
    "empty.csv": "file.empty",
    "only_blank_lines.csv": "file.empty",
    "header_only.csv": "file.no_rows",
    "unknown_header.csv": "file.unknown_header",
    "no_identifier_column.csv": "file.no_identifier",
}


@dataclass(frozen=True)
class Landed:
    """What a file must come to: stored and duplicate rows, and the line and reason of each rejected row."""

    stored: int
    duplicate: int = 0
    conflict: int = 0
    rejected: tuple[tuple[int, str], ...] = ()


LANDED = {
    "ragged_rows.csv": Landed(3, rejected=((3, "row.ragged"), (5, "row.ragged"))),
    "trailing_delimiters.csv": Landed(2),
    "unclosed_quote.csv": Landed(3, rejected=((3, "row.unclosed_quote"),)),
    "unclosed_quote_in_last_cell.csv": Landed(3, rejected=((3, "row.unclosed_quote"),)),
    "quoted_line_breaks.csv": Landed(2),
    "windows_1252_bytes.csv": Landed(3),
    "utf16.csv": Landed(2),
    "byte_order_mark_semicolons.csv": Landed(2),
    "missing_household_id.csv": Landed(2, rejected=((3, "row.no_household_id"), (4, "row.no_household_id"))),
    "nul_byte.csv": Landed(2, rejected=((3, "row.nul_byte"),)),
    "formulas.csv": Landed(2),
    "copy_terminator.csv": Landed(3),
    "repeated_rows.csv": Landed(2, duplicate=1),
    "unknown_columns.csv": Landed(2),
    "same_identity_other_content.csv": Landed(1, duplicate=1, conflict=1),
    "carriage_returns_only.csv": Landed(2),
    "carriage_return_in_a_cell.csv": Landed(2),
    "utf16_odd_length.csv": Landed(2, rejected=((4, "row.ragged"),)),
    "header_with_line_break.csv": Landed(1),
    "mixed_line_endings.csv": Landed(4),
    "narrow_with_line_break.csv": Landed(2),
    "repeated_unknown_header.csv": Landed(2),
    "name_too_long.csv": Landed(1, rejected=((2, "row.name_too_long"),)),
    "markup_in_header.csv": Landed(1),
    "stray_quotes.csv": Landed(2),
}


def land(database: Database, store: LocalStore, content: bytes, name: str = "survey.csv") -> Entry:
    receipt = receive_file(database, store, io.BytesIO(content), form=FORM, filename=name, source="cli")
    assert land_next(database, store, receipt.ingestion_id) == receipt.ingestion_id
    return get_entry(database, receipt.ingestion_id)


def column(database: Database, name: str) -> list[str | None]:
    with database.transaction() as connection:
        rows = connection.execute(f"select {name} from raw.household_survey order by row_number").fetchall()
    return [row[0] for row in rows]


def test_every_case_is_listed() -> None:
    assert {path.name for path in CASES.glob("*.csv")} == REFUSED.keys() | LANDED.keys()


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_refused_file_stands_in_the_ledger(database: Database, store: LocalStore, name: str, code: str) -> None:
    with pytest.raises(UnreadableFileError) as refusal:
        land(database, store, (CASES / name).read_bytes(), name)
    assert refusal.value.error_code == code
    with database.transaction() as connection:
        rows = connection.execute("select status, filename, error_code from raw.ingestions").fetchall()
    assert rows == [("refused", name, code)]
    assert list(store.list("")) == []


@pytest.mark.parametrize(("name", "expected"), LANDED.items())
def test_good_rows_come_through(database: Database, store: LocalStore, name: str, expected: Landed) -> None:
    entry = land(database, store, (CASES / name).read_bytes(), name)
    assert entry.status == "loaded"
    assert (entry.stored_rows, entry.duplicate_rows, entry.conflict_rows, entry.rejected_rows) == (
        expected.stored,
        expected.duplicate,
        expected.conflict,
        len(expected.rejected),
    )
    rejected = list_rejected(database, entry.ingestion_id)
    assert tuple((row.row_number, row.reason_code) for row in rejected) == expected.rejected
    assert len(column(database, "household_id")) == expected.stored


def test_cells_are_kept_to_the_letter(database: Database, store: LocalStore) -> None:
    land(database, store, (CASES / "copy_terminator.csv").read_bytes())
    land(database, store, (CASES / "formulas.csv").read_bytes())
    assert {"\\.", "a\tb\\", '=HYPERLINK("http://example.org")'} <= set(column(database, "district"))
    assert {"\\N", "+Village 001"} <= set(column(database, "village"))


def test_bytes_of_another_encoding_are_read_and_noted(database: Database, store: LocalStore) -> None:
    entry = land(database, store, (CASES / "windows_1252_bytes.csv").read_bytes())
    assert column(database, "village") == ["Villagé 001", "Village 001", "Villagé 002"]
    assert entry.notices == ["1 lines were not UTF-8 and were read as Windows-1252."]


def test_unknown_columns_are_kept_and_counted(database: Database, store: LocalStore) -> None:
    entry = land(database, store, (CASES / "unknown_columns.csv").read_bytes())
    assert entry.unknown_fields == {"colour of roof": 1}
    assert column(database, "extras ->> 'colour of roof'") == ["blue", None]


def test_ten_megabyte_cell_costs_its_row_only(database: Database, store: LocalStore) -> None:
    header = b"HouseHoldID,District,HouseholdSize\n"
    content = header + b"A-1,Kanungu,5\nA-2," + b"x" * 10_000_000 + b",5\nA-3,Kanungu,5\n"
    entry = land(database, store, content)
    assert (entry.stored_rows, entry.rejected_rows) == (2, 1)
    (row,) = list_rejected(database, entry.ingestion_id)
    assert (row.row_number, row.reason_code) == (3, "row.cell_too_large")


def test_quote_that_never_closes_costs_its_row_only(database: Database, store: LocalStore) -> None:
    header = "HouseHoldID,District,HouseholdSize\n"
    rows = [f"A-{number},Kanungu,5\n" for number in range(500)]
    rows[7] = 'A-7,"Kanungu,5\n'
    entry = land(database, store, (header + "".join(rows)).encode())
    assert (entry.received_rows, entry.stored_rows, entry.rejected_rows) == (500, 499, 1)


def test_conflicting_content_is_kept_for_review(database: Database, store: LocalStore) -> None:
    land(database, store, (CASES / "same_identity_other_content.csv").read_bytes())
    with database.transaction() as connection:
        rows = connection.execute(
            "select submission_key, content ->> 'household_size' from review.conflicts"
        ).fetchall()
    assert rows == [("s-1", "6")]
