"""What a later upload does to an earlier one: collisions across files, settlements, edits on the device."""

import json
import zlib
from typing import Any

import pytest

from ingest_api.layouts import DocumentLayout
from ingest_api.receiving import receive_batch
from ingest_api.records import Submission
from ingest_api.senders import Sender
from ingest_api.surveys import Original, land_surveys, seal_survey
from orchestration.context import Warehouse
from orchestration.dbt import Dbt
from tests.dbt_selections import WITHOUT_TESTS, WITHOUT_UNIT_TESTS
from tests.surveys import load_text
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring

pytestmark = [pytest.mark.xdist_group("models"), pytest.mark.timeout(300)]

FORM = "household_survey"
HEADER = "submission_id,household_id,district,village,household_size,survey_round\n"
SENDER = Sender("office")

# (submission, household, size) of each file, in the order of their arrival; names tell what becomes of them.
FIRST = [
    ("", "CUMULATIVE", 1),
    ("", "SETTLED", 1), ("", "SETTLED", 2),
    ("", "RESENT", 1), ("", "RESENT", 2),
    ("", "SINGLE", 1), ("", "SINGLE", 2),
    ("", "BATCH", 1), ("", "BATCH", 2),
    ("", "JOINED", 1),
    ("", "OLD-ROW", 1),
    ("", "AGAIN", 1), ("", "AGAIN", 2),
    ("", "TWICE", 1), ("", "TWICE", 1),
    ("", "CONTESTED-LATER", 1),
    ("edit-1", "EDITED", 1), ("edit-2", "EDITED", 2),
    ("", "REPLACED-AFTER-SETTLING", 1), ("", "REPLACED-AFTER-SETTLING", 2),
]  # fmt: skip
SECOND = [
    ("", "CUMULATIVE", 1), ("", "CUMULATIVE", 2),
    ("", "SETTLED", 1),
    ("", "JOINED", 2),
    ("", "OLD-ROW", 2),
    ("", "AGAIN", 2),
    ("", "REPLACED-AFTER-SETTLING", 3),
]  # fmt: skip
THIRD = [
    ("", "JOINED", 1), ("", "JOINED", 2),
    ("", "OLD-ROW", 1),
    ("", "AGAIN", 2), ("", "AGAIN", 3),
    ("", "CONTESTED-LATER", 2), ("", "CONTESTED-LATER", 3),
    ("", "REPLACED-AFTER-SETTLING", 1),
]  # fmt: skip
FILES = (FIRST, SECOND, THIRD, FIRST)

# (key, household, size, what it corrects, consent) of single surveys, in the order of their arrival.
EDITS: list[tuple[str | None, str, int, str | None, bool]] = [
    (None, "SINGLE", 1, None, True),
    ("edit-3", "EDITED-ELSEWHERE", 2, "edit-2", True),
    ("chain-1", "CHAIN-1", 1, None, True),
    ("chain-2", "CHAIN-2", 2, "chain-1", True),
    ("chain-3", "CHAIN-3", 3, "chain-2", True),
    ("late-2", "LATE-2", 2, "late-1", True),
    ("late-1", "LATE-1", 1, None, True),
    ("consent-1", "CONSENT", 1, None, True),
    ("consent-2", "CONSENT", 1, "consent-1", False),
    ("bad-1", "MENDED", 400, None, True),
    ("bad-2", "MENDED", 4, "bad-1", True),
    ("self", "SELF", 1, "self", True),
]


def send_file(warehouse: Warehouse, rows: list[tuple[str, str, int]]) -> None:
    """Load rows, beside so many in which nothing is wrong that no gate stops them."""
    text = HEADER + "".join(f"{key},{household},Kanungu,V1,{size},2026\n" for key, household, size in rows)
    name = zlib.crc32(text.encode())
    load_text(warehouse, text + "".join(f",CLEAN-{name}-{number},Kanungu,V1,4,2026\n" for number in range(400)))


def send_batch(warehouse: Warehouse, surveys: list[tuple[str, int]]) -> None:
    answers = [
        {
            "household_id": household,
            "district": "Kanungu",
            "village": "V1",
            "household_size": size,
            "survey_round": "2026",
        }
        for household, size in surveys
    ]
    receive_batch(warehouse.database, json.dumps(answers).encode(), form=FORM, sender=SENDER)


def send_survey(
    warehouse: Warehouse, key: str | None, household: str, size: int, deprecates: str | None, consent: bool
) -> None:
    contract = load_contract(FORM)
    answers: dict[str, Any] = {"household_id": household, "district": "Kanungu", "village": "V1"}
    answers |= {"household_size": size, "survey_round": "2026"} | ({} if consent else {"consent": False})
    submission = DocumentLayout(contract).submission(1, answers, key=key, deprecates=deprecates)
    assert isinstance(submission, Submission)
    original = Original("{}", "application/json", "openrosa", SENDER)
    survey = seal_survey(load_key_ring(warehouse.settings), FORM, submission, original)
    with warehouse.database.transaction() as connection:
        land_surveys(connection, contract, [survey])


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    """The warehouse after all files and edits, staged in two goes."""
    with Dbt(module_warehouse) as dbt:
        for rows in FILES:
            send_file(module_warehouse, rows)
        dbt.build("--exclude", "tag:marts", *WITHOUT_TESTS)
        send_batch(module_warehouse, [("BATCH", 1), ("ALONE", 1)])
        for edit in EDITS:
            send_survey(module_warehouse, *edit)
        dbt.build(*WITHOUT_UNIT_TESTS)
    return module_warehouse


def sizes(warehouse: Warehouse, statement: str, household: str) -> list[int]:
    with warehouse.database.transaction() as connection:
        rows = connection.execute(statement.encode(), [household]).fetchall()
    return [row[0] for row in rows]


def released(warehouse: Warehouse, household: str) -> list[int]:
    statement = "select household_size from validated.fct_households where household_id = %s order by 1"
    return sizes(warehouse, statement, household)


def held(warehouse: Warehouse, household: str) -> list[int]:
    statement = """
        select submissions.household_size
        from validated.int_quarantined_submissions as quarantined
        inner join staging.stg_household_survey__submissions as submissions using (submission_id)
        where quarantined.household_id = %s and quarantined.status = 'open'
        order by 1
    """
    return sizes(warehouse, statement, household)


@pytest.mark.parametrize(
    ("household", "speaks", "waits"),
    [
        ("CUMULATIVE", [], [1, 2]),  # the row that was stored already counts beside the new one
        ("SETTLED", [1], [2]),  # repeated alone, it is released; the other one waits on
        ("RESENT", [], [1, 2]),  # the same bytes again say nothing
        ("SINGLE", [], [1, 2]),  # nor does a single survey that is sent again
        ("BATCH", [], [1, 2]),  # nor do some of a device's surveys
        ("JOINED", [2], []),  # a correction that is sent again beside what it corrected stays one
        ("OLD-ROW", [2], []),  # an old row in a new file does not come back
        ("AGAIN", [], [1, 2, 3]),  # settled, then contested by a new row
        ("TWICE", [1], []),  # the same row twice is one submission
        ("CONTESTED-LATER", [1], [2, 3]),  # what nobody contests keeps its last good state
        ("REPLACED-AFTER-SETTLING", [1], [2]),  # the settlement is the latest statement
    ],
)
def test_collisions_across_files(built: Warehouse, household: str, speaks: list[int], waits: list[int]) -> None:
    assert (released(built, household), held(built, household)) == (speaks, waits)


@pytest.mark.parametrize(
    ("household", "speaks", "waits"),
    [
        ("EDITED", [1], []),  # the edit of one settles the collision for the other
        ("EDITED-ELSEWHERE", [2], []),
        ("CHAIN-1", [], []),
        ("CHAIN-2", [], []),
        ("CHAIN-3", [3], []),
        ("LATE-1", [], []),  # it was corrected before it arrived
        ("LATE-2", [2], []),
        ("CONSENT", [], [1]),  # the edit is refused, and what it corrects is withdrawn
        ("MENDED", [4], []),
        ("SELF", [1], []),
    ],
)
def test_edit_supersedes_whatever_household_it_names(
    built: Warehouse, household: str, speaks: list[int], waits: list[int]
) -> None:
    assert (released(built, household), held(built, household)) == (speaks, waits)


def test_every_submission_is_released_held_or_superseded(built: Warehouse) -> None:
    with built.database.transaction() as connection:
        row = connection.execute(
            "select (select count(*) from raw.household_survey), sum(released_submissions), "
            "sum(quarantined_submissions), sum(superseded_submissions), "
            "sum(held_submissions) from marts_next.rpt_ingestions"
        ).fetchone()
    assert row
    assert row[0] == sum(row[1:])
    assert row[3] == 9  # rows that were replaced, chains and late ones included


def test_correction_is_named_beside_what_it_corrects(built: Warehouse) -> None:
    with built.database.transaction() as connection:
        rows = connection.execute(
            "select submission_id, corrected_by from validated.int_corrected_submissions order by 1"
        ).fetchall()
    assert dict(rows) == {
        "bad-1": "bad-2", "chain-1": "chain-2", "chain-2": "chain-3", "consent-1": "consent-2", "edit-2": "edit-3",
        "late-1": "late-2",
    }  # fmt: skip
