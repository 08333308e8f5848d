"""`kyalo check`: what it foretells is what loading does, and nothing of it stays."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_api.loading import land_next
from ingest_api.receiving import receive_file
from ingest_api.senders import LOCAL
from orchestration.check_command import _print_check
from orchestration.checking import BadRow, BrokenRule, Check, check_file
from orchestration.context import Warehouse
from orchestration.dbt import Dbt, dbt_environment
from warehouse.errors import UnreadableFileError

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

HEADER = "household_id,district,village,household_size,consent,survey_round,agricultural_land_acres,roof"
STORED = f"""{HEADER}
KAN-001-AAA-1,Kanungu,V1,5,true,2026,2,tin
KAN-001-AAA-2,Kanungu,V1,4,true,2026,2,
"""
FILE = f"""{HEADER}
KAN-001-AAA-1,Kanungu,V1,5,true,2026,2,tin
KAN-001-AAA-3,Kanungu,V1,400,true,2026,2,
KAN-001-AAA-4,Kanungu,V1,4,no,2026,99,
KAN-001-AAA-5,Kanungu,V1,4,true,2026,2,thatch
KAN-001-AAA-5,Kanungu,V1,4,true,2026,2,thatch
KAN-001-AAA-6,Kanungu,V1,4,true,2026
,Kanungu,V1,4,true,2026,2,
KAN-001-AAA-7,Kanungu,V1,four,true,2026,2,
KAN-001-AAA-8,Kanungu,V1,4,true,2026,2,
KAN-001-AAA-8,Kanungu,V1,5,true,2026,2,
KAN-001-AAA-1,Kanungu,V1,6,true,2026,2,
"""
REPORTS = """partner,report_year,report_quarter,district,village,households_visited,people_reached,women_reached
P,2026,1,Kanungu,V1,5,10,5
P,2026,1,Kanungu,,5,10,5
P,2026,5,Kanungu,V1,5,10,20
"""
COUNTED = """
    select
        (select count(*) from raw.household_survey), (select count(*) from raw.submission_keys),
        (select count(*) from raw.ingestions), (select count(*) from raw.rejected_rows),
        (select count(*) from raw.repeated_rows), (select count(*) from review.conflicts)
"""


def load(warehouse: Warehouse, content: str) -> str:
    receipt = receive_file(
        warehouse.database,
        warehouse.store,
        io.BytesIO(content.encode()),
        form="household_survey",
        filename="surveys.csv",
        source="cli",
        sender=LOCAL,
    )
    land_next(warehouse.database, warehouse.store, receipt.ingestion_id)
    return receipt.ingestion_id


def counted(warehouse: Warehouse) -> tuple[int, ...] | None:
    with warehouse.database.transaction() as connection:
        return connection.execute(COUNTED).fetchone()


@pytest.fixture(scope="module")
def checked(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Path, Check]:
    """A warehouse with two surveys, a file, and what the file would come to."""
    load(module_warehouse, STORED)
    path = tmp_path_factory.mktemp("files") / "surveys.csv"
    path.write_text(FILE)
    return module_warehouse, path, check_file(module_warehouse, path, "household_survey")


def test_rows_are_counted(checked: tuple[Warehouse, Path, Check]) -> None:
    _, _, check = checked
    assert check.format == ["csv"]
    assert (check.received, check.stored, check.already_stored, check.repeated) == (11, 7, 1, 1)
    assert (check.rejected, check.conflict, check.quarantined) == (2, 0, 6)
    assert check.duplicate_of is None
    assert check.unknown_fields == {"roof": 1}


def test_failures_are_counted_by_rule(checked: tuple[Warehouse, Path, Check]) -> None:
    _, _, check = checked
    assert check.rules == [
        BrokenRule("identifier_collision", "reject", 3),
        BrokenRule("consent_refused", "reject", 1),
        BrokenRule("household_size_out_of_range", "reject", 1),
        BrokenRule("household_size_required", "reject", 1),
        BrokenRule("household_size_implausible", "flag", 1),
        BrokenRule("integer_unreadable", "flag", 1),
        BrokenRule("land_implausible", "flag", 1),
    ]


def test_bad_rows_bear_their_line_and_reason(checked: tuple[Warehouse, Path, Check]) -> None:
    _, _, check = checked
    assert [(row.row_number, row.code) for row in check.bad_rows] == [
        (3, "household_size_out_of_range"),
        (4, "consent_refused"),
        (7, "row.ragged"),
        (8, "row.no_household_id"),
        (9, "household_size_required"),
        (10, "identifier_collision"),
        (11, "identifier_collision"),
        (12, "identifier_collision"),
    ]
    assert check.bad_rows[2] == BadRow(7, "row.ragged", "The row has 6 cells, the header has 8.")
    assert all(row.message for row in check.bad_rows)


def test_found_fields_would_be_encrypted(
    warehouse: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "found.csv"
    path.write_text("household_id,remarks,colour,enumerator_id,enumerator_id\nA-1,call 0772123456,red,E-1,E-2\n")
    _print_check(path, check_file(warehouse, path, "household_survey"))
    told = capsys.readouterr().out
    for note in (
        "Column 'colour' is not in the contract; kept in extras, readable.",
        "Column 'enumerator_id' is not in the contract; kept in extras, encrypted as the field that it names again.",
        "'remarks' holds personal data (phone in 1 rows), and the contract does not say so; it would be encrypted.",
    ):
        assert f"note: {note}\n" in told
    assert "Column 'remarks'" not in told


def test_nothing_stays(checked: tuple[Warehouse, Path, Check]) -> None:
    warehouse, _, _ = checked
    assert counted(warehouse) == (2, 2, 1, 0, 0, 0)


def test_refused_file_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "prose.csv"
    path.write_text("Dear all,\n")
    with pytest.raises(UnreadableFileError) as refusal:
        check_file(warehouse, path, "household_survey")
    assert refusal.value.error_code == "file.unknown_header"
    with pytest.raises(UnreadableFileError) as refusal:
        check_file(warehouse, tmp_path / "nowhere.csv", "household_survey")
    assert refusal.value.error_code == "file.not_found"
    assert counted(warehouse) == (0, 0, 0, 0, 0, 0)


def test_command_tells_programs_of_another_form(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(REPORTS)
    command = [sys.executable, "-c", "from orchestration.cli import main; main()", "check", str(path)]
    command += ["--form", "quarterly_report", "--json"]
    environment = {**dbt_environment(warehouse), "KYALO_HOME": str(warehouse.settings.home)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told = json.loads(run.stdout)
    assert (told["received"], told["stored"], told["rejected"], told["is_judged"]) == (3, 2, 1, True)
    assert (told["quarantined"], told["gate_status"]) == (1, None)
    assert told["rules"] == [
        {"rule": "report_quarter_out_of_range", "severity": "reject", "rows": 1},
        {"rule": "women_reached_above_people", "severity": "flag", "rows": 1},
    ]
    assert [(row["row_number"], row["message"]) for row in told["bad_rows"]] == [
        (3, "village is blank."), (4, "report_quarter is not between 1 and 4"),
    ]  # fmt: skip
    assert counted(warehouse) == (0, 0, 0, 0, 0, 0)


def test_loading_comes_to_what_was_foretold(checked: tuple[Warehouse, Path, Check]) -> None:
    warehouse, path, check = checked
    ingestion_id = load(warehouse, path.read_text())
    with Dbt(warehouse) as dbt:
        dbt.build("--select", "+int_quarantined_submissions", "--indirect-selection", "cautious")
    statement = """
        select stored_rows, duplicate_rows, rejected_rows, conflict_rows,
            (select count(*) from validated.int_quarantined_submissions as bad where bad.ingestion_id = %(id)s)
        from raw.ingestions where ingestion_id = %(id)s
    """
    with warehouse.database.transaction() as connection:
        row = connection.execute(statement, {"id": ingestion_id}).fetchone()
    duplicates = check.already_stored + check.repeated
    assert row == (check.stored, duplicates, check.rejected, check.conflict, check.quarantined)
    again = check_file(warehouse, path, "household_survey")
    assert (again.duplicate_of, again.stored, again.already_stored, again.repeated) == (ingestion_id, 0, 9, 0)
