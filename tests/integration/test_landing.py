"""Landing on a real PostgreSQL: once and only once, whatever the order and the company."""

import io
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_api.ledger import get_entry
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.receiving import receive_file
from tests.surveys import send_survey
from warehouse.database import Database
from warehouse.errors import RefusedSurveyError
from warehouse.stores import LocalStore

FORM = "household_survey"
EXAMPLE: dict[str, Any] = {
    "household_size": 6,
    "total_income": 25000,
    "has_electricity": True,
    "agricultural_land": 2.5,
    "education_level": "primary",
    "district": "Kitgum",
}


def receive(database: Database, store: LocalStore, content: bytes) -> str:
    return receive_file(
        database, store, io.BytesIO(content), form=FORM, filename="survey.csv", source="cli"
    ).ingestion_id


def rows_in_raw(database: Database) -> int:
    with database.transaction() as connection:
        row = connection.execute("select count(*) from raw.household_survey").fetchone()
    assert row
    return int(row[0])


def test_whole_survey_lands_and_its_twin_stores_nothing(
    database: Database, store: LocalStore, survey_file: Path
) -> None:
    content = survey_file.read_bytes()
    first = receive(database, store, content)
    land_next(database, store)
    entry = get_entry(database, first)
    assert entry.received_rows == content.count(b"\n") - 1
    assert entry.received_rows == entry.stored_rows + entry.duplicate_rows
    second = receive(database, store, content)
    land_next(database, store)
    twin = get_entry(database, second)
    assert twin.duplicate_of == first
    assert (twin.stored_rows, twin.duplicate_rows) == (0, entry.received_rows)
    assert rows_in_raw(database) == entry.stored_rows


def test_personal_data_of_rows_that_are_sent_again_is_counted_once(database: Database, store: LocalStore) -> None:
    contents = (
        b"household_id,remarks\nA-1,call 0772123456\n",
        b"household_id,remarks\nA-1,call 0772123456\nA-2,b@c.ug\n",
    )
    found = []
    for content in contents:
        ingestion = receive(database, store, content)
        land_next(database, store)
        found.append(get_entry(database, ingestion).personal_fields)
    assert found == [
        [{"field": "remarks", "kind": "phone", "rows": 1}],
        [{"field": "remarks", "kind": "email", "rows": 1}],
    ]
    receipts = [send_survey(database, "A-3", {"remarks": "call 0772123456"}) for _ in range(2)]
    assert [get_entry(database, each.ingestion_id).personal_fields for each in receipts] == [found[0], []]


def test_same_row_in_another_file_and_another_order_of_columns_is_the_same(
    database: Database, store: LocalStore
) -> None:
    receive(database, store, b"HouseHoldID,District,HouseholdSize\nA-1,Kanungu,5\n")
    receive(database, store, b"district;household_size;cluster;household_id\n Kanungu;5;;A-1\nMitooma;4;;A-2\n")
    while land_next(database, store):
        pass
    assert rows_in_raw(database) == 2


def test_two_workers_land_each_file_once(database: Database, store: LocalStore) -> None:
    header = b"HouseHoldID,District,HouseholdSize\n"
    for number in range(6):
        rows = b"".join(b"A-%d,Kanungu,%d\n" % (row, number % 3 + 1) for row in range(200))
        receive(database, store, header + rows)
    workers = [threading.Thread(target=lambda: all(iter(lambda: land_next(database, store), None))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.transaction() as connection:
        totals = connection.execute(
            "select count(*), sum(stored_rows), sum(duplicate_rows) from raw.ingestions where status = 'loaded'"
        ).fetchone()
    assert totals == (6, 600, 600)
    assert rows_in_raw(database) == 600


def test_files_of_the_same_rows_in_other_orders_land_at_once(database: Database, store: LocalStore) -> None:
    header = b"HouseHoldID,District,HouseholdSize\n"
    rows = [b"A-%d,Kanungu,%d\n" % (row, row % 5 + 1) for row in range(25_000)]
    for content in (rows, rows[::-1]):
        receive(database, store, header + b"".join(content))
    workers = [threading.Thread(target=lambda: land_next(database, store)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.transaction() as connection:
        totals = connection.execute(
            "select count(*) filter (where status = 'loaded'), sum(stored_rows), sum(duplicate_rows) "
            "from raw.ingestions"
        ).fetchone()
    assert totals == (2, 25_000, 25_000)


def test_twin_surveys_at_once_are_stored_once(database: Database) -> None:
    def send() -> None:
        send_survey(database, "HH12345", EXAMPLE)

    twins = [threading.Thread(target=send) for _ in range(4)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert rows_in_raw(database) == 1


def test_survey_is_kept_as_sent(database: Database, store: LocalStore) -> None:
    receipt = send_survey(database, "HH12345", EXAMPLE | {"roof": ["iron", 2]})
    with database.transaction() as connection:
        row = connection.execute(
            "select agricultural_land_acres, has_electricity, total_income, extras from raw.household_survey"
        ).fetchone()
    assert row == ("2.5", "true", "25000", {"roof": '["iron",2]'})
    assert bundle_bodies(database, store, FORM) == 1
    (stored,) = store.list("raw/")
    with store.get(stored.key) as original:
        assert rb'"survey_data\":{\"household_size\":6' in original.read()
    with database.transaction() as connection:
        (key,) = connection.execute("select object_key from raw.ingestions").fetchone() or ("",)
    assert key == stored.key
    assert get_entry(database, receipt.ingestion_id).stored_rows == 1


def test_same_key_with_other_answers_is_a_conflict(database: Database) -> None:
    for size in (5, 6, 5):
        send_survey(database, "A-1", {"household_size": size}, key="device-1-7")
    with database.transaction() as connection:
        totals = connection.execute(
            "select sum(stored_rows), sum(conflict_rows), sum(duplicate_rows) from raw.ingestions"
        ).fetchone()
    assert totals == (1, 1, 1)


@pytest.mark.parametrize(
    ("household_id", "answers", "code"),
    [
        ("  ", {}, "survey.no_household_id"),
        ("A-1", {"HouseHoldID": "A-2"}, "survey.two_households"),
        ("A-1", {"district": "Kan\0ungu"}, "survey.nul_byte"),
        ("A-1", {"district": "x" * 70_000}, "survey.cell_too_large"),
        ("A-1", {"district": "\ud800"}, "survey.bad_text"),
        ("A-1", {"submission_id": "x" * 300}, "survey.name_too_long"),
        ("A" * 300, {}, "survey.name_too_long"),
        ("A-1", {"district": "x" * 300}, "survey.name_too_long"),
    ],
)
def test_survey_that_cannot_be_kept_is_refused_whole(
    database: Database, household_id: str, answers: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedSurveyError) as refusal:
        send_survey(database, household_id, answers, body="{}")
    assert refusal.value.error_code == code
    assert rows_in_raw(database) == 0


def test_changed_original_is_noticed(database: Database, store: LocalStore) -> None:
    ingestion_id = receive(database, store, b"HouseHoldID,District\nA-1,Kanungu\n")
    (stored,) = store.list("raw/")
    store.delete(stored.key)
    store.put(stored.key, io.BytesIO(b"HouseHoldID,District\nA-1,Mitooma\n"), "text/csv")
    land_next(database, store)
    entry = get_entry(database, ingestion_id)
    assert (entry.status, entry.error_code) == ("failed", "integrity.mismatch")


def test_ledger_refuses_an_unbalanced_entry(database: Database, store: LocalStore) -> None:
    receive(database, store, b"HouseHoldID,District\nA-1,Kanungu\n")
    with pytest.raises(psycopg.errors.CheckViolation), database.transaction() as connection:
        connection.execute("update raw.ingestions set received_rows = 7")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.text("ABC", max_size=2), cells, cells), min_size=1, max_size=12))
def test_ledger_balances_for_any_file(database: Database, store: LocalStore, rows: list[tuple[str, str, str]]) -> None:
    """Whatever stands in the cells, every row that was written is stored, duplicate, rejected or in conflict."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["HouseHoldID", "District", "roof"])
    writer.writerows(rows)
    before = rows_in_raw(database)
    ingestion_id = receive(database, store, text.getvalue().encode())
    land_next(database, store, ingestion_id)
    entry = get_entry(database, ingestion_id)
    assert entry.status == "loaded"
    assert entry.received_rows == entry.stored_rows + entry.duplicate_rows + entry.rejected_rows + entry.conflict_rows
    assert rows_in_raw(database) - before == entry.stored_rows
