"""A household that is forgotten is nowhere any more, and everybody else is where they were."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pyarrow as pa
import pytest
from pyarrow import parquet

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import arriving_file, move_attachments
from ingest_api.openrosa.submissions import receive_instance
from ingest_api.receiving import receive_batch, receive_file
from ingest_api.senders import Sender
from orchestration.context import Warehouse
from orchestration.erasure import erase_sent_again, forget_household
from orchestration.keys.rotation import LOCK as KEYS_LOCK
from orchestration.lifecycle import archive
from orchestration.lifecycle.archiving import LOCK as ARCHIVE_LOCK
from orchestration.originals import verify_originals
from tests.asking import ask, ask_bodies, execute
from tests.mortal_store import Died, MortalStore
from tests.openrosa_phone import instance, new_id
from tests.surveys import FORM, send_survey
from warehouse.errors import BusyError, NotFoundError
from warehouse.stores import open_original

GONE, STAYS = "KAN-001-AAA-1", "KAN-001-AAA-10"
HEADER = "submission_id,household_id,village,respondent_name,phone_number\n"
FIRST = f"{HEADER}one,kan-001-aaa-1,V1,Ann Gone,+256700000001\ntwo,{STAYS},V1,Ben Stays,+256700000002\n"
CONFLICT = f"{HEADER}one,{GONE},V2,Ann Gone,+256700000001\nthree,KAN-001-AAA-11,V1,Cat Stays,+256700000003\n"


def load(warehouse: Warehouse, text: str, *, form: str = FORM, filename: str = "more.csv") -> None:
    receive_file(
        warehouse.database, warehouse.store, io.BytesIO(text.encode()), form=form, filename=filename, source="cli"
    )  # fmt: skip
    land_next(warehouse.database, warehouse.store)


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    """A warehouse that holds the household in originals, one of them archived, a conflict and a prediction's rows."""
    for text in (FIRST, CONFLICT):
        load(warehouse, text, filename="visits.csv")
    first = "(select min(ingestion_id) from raw.ingestions)"
    execute(warehouse, f"update raw.ingestions set received_at = '2020-01-01' where ingestion_id = {first}")
    archive(warehouse, dry_run=False, requested_by="test")
    execute(warehouse, "create schema if not exists staging")
    execute(warehouse, "create table marts.made as select household_id from raw.household_survey")
    assert bundle_bodies(warehouse.database, warehouse.store, "household_survey") == 0
    return warehouse


def contents(warehouse: Warehouse) -> bytes:
    """All that the store holds, decrypted and unpacked."""
    parts = []
    for found in warehouse.store.list(""):
        with open_original(warehouse.store, found.key) as content:
            parts.append(content.read())
    return b"\n".join(parts)


def check_forgotten(warehouse: Warehouse) -> None:
    held = contents(warehouse)
    for trace in (b"Ann Gone", b"256700000001", b"kan-001-aaa-1,", b'"KAN-001-AAA-1"'):
        assert trace not in held, trace
    for trace in (b"Ben Stays", b"Cat Stays", STAYS.encode()):
        assert trace in held, trace
    assert ask(warehouse, "select upper(household_id) from raw.household_survey order by 1") == [
        (STAYS,), ("KAN-001-AAA-11",),
    ]  # fmt: skip
    assert ask(warehouse, "select count(*) from raw.personal") == [(2,)]
    assert ask(warehouse, "select count(*) from review.conflicts") == [(0,)]
    assert ask(warehouse, "select count(*) from marts.made") == [(2,)]
    assert ask(warehouse, "select sum(stored_rows - erased_rows), sum(erased_rows) from raw.ingestions") == [(2, 1)]
    assert ask(warehouse, "select count(*) from ops.erasures where finished_at is not null") == [(1,)]
    assert not [
        finding for finding in verify_originals(warehouse.database, warehouse.store).findings
        if finding.problem in {"missing", "corrupt"}
    ]  # fmt: skip


def test_household_is_erased_everywhere_and_the_others_nowhere(filled: Warehouse) -> None:
    seen = forget_household(filled, GONE, reason="asked", requested_by="test", dry_run=True)
    assert {"raw.household_survey", "review.conflicts", "marts.made", "raw.personal"} <= {
        place.name for place in seen.found
    }
    assert len([place for place in seen.found if place.name.startswith(("raw/", "archive/originals/"))]) == 2
    done = forget_household(filled, GONE, reason="asked", requested_by="test")
    assert not done.left
    check_forgotten(filled)
    assert GONE not in str(ask(filled, "select * from ops.erasures"))


def test_what_was_sent_before_is_not_stored_when_it_is_sent_again(filled: Warehouse) -> None:
    forget_household(filled, GONE, reason="asked", requested_by="test")
    load(filled, FIRST)
    assert ask(filled, "select count(*) from raw.household_survey") == [(2,)]


@pytest.mark.parametrize("lives", range(8))
def test_an_erasure_that_died_is_finished_by_the_next(filled: Warehouse, lives: int) -> None:
    mortal = replace(filled, store=cast(Any, MortalStore(filled.store, lives)))
    with pytest.raises(Died):
        forget_household(mortal, GONE, reason="asked", requested_by="test")
    assert not forget_household(filled, GONE, reason="asked", requested_by="test").left
    check_forgotten(filled)


def survey(household: str) -> dict[str, object]:
    return {"household_id": household, "survey_data": {"respondent_name": f"Person of {household}"}}


def parquet_of(*households: str) -> io.BytesIO:
    content = io.BytesIO()
    parquet.write_table(pa.table({"household_id": households}), content)
    content.seek(0)
    return content


@pytest.fixture
def every_door(warehouse: Warehouse) -> Warehouse:
    """A warehouse to which the household came by every door but that of files, always beside another."""
    database, store = warehouse.database, warehouse.store
    sender, both = Sender("office"), [survey(GONE), survey(STAYS)]
    receive_batch(database, json.dumps(both).encode(), form=FORM, sender=sender)
    lines = "\n".join(json.dumps(survey(f"{each['household_id']}") | {"round": 2}) for each in both)
    receive_batch(database, lines.encode(), form=FORM, sender=sender, json_lines=True)
    send_survey(database, GONE, {"household_size": 3})
    for household in (GONE, STAYS):
        answers = f"<household_id>{household}</household_id><household_size>4</household_size><photo>a.jpg</photo>"
        photo = arriving_file("a.jpg", "image/jpeg", io.BytesIO(f"photo of {household}".encode()))
        receive_instance(database, instance(new_id(), answers), [photo], sender)
    bundle_bodies(database, store, FORM)
    move_attachments(database, store)
    receive_batch(database, json.dumps([each | {"a": "b"} for each in both]).encode(), form=FORM, sender=sender)
    store.put("inbox/drop.csv", io.BytesIO(f"household_id,household_size\n{GONE},8\n{STAYS},8\n".encode()), "text/csv")
    collect_inbox(database, store, quiet=timedelta(0))
    land_next(database, store)
    store.put("processed/manifest.json", io.BytesIO(b'{"files": []}'), "application/json")
    for key in ("models/m/1/training.parquet", "processed/dim_households/0.parquet"):
        store.put(key, parquet_of(GONE, STAYS), "application/vnd.apache.parquet")
    return warehouse


def test_household_is_erased_from_what_came_by_every_door(every_door: Warehouse) -> None:
    (before,) = ask(every_door, f"select count(*) from raw.household_survey where household_id = '{STAYS}'")
    done = forget_household(every_door, GONE, reason="asked", requested_by="test")
    assert not done.left
    held = contents(every_door)
    assert not re.search(rb"KAN-001-AAA-1(?!0)", held)
    assert held.count(STAYS.encode()) >= 6  # two batches, a phone's form, its photo, a file and its copy in raw
    assert ask(every_door, f"select count(*) from raw.household_survey where household_id = '{STAYS}'") == [before]
    assert ask(every_door, "select count(*) from raw.household_survey where household_id <> 'KAN-001-AAA-10'") == [(0,)]
    (body,) = ask_bodies(every_door)
    assert (STAYS in body, f'"{GONE}"' in body) == (True, False)
    with every_door.store.get("models/m/1/training.parquet") as content:
        assert parquet.read_table(content).to_pylist() == [{"household_id": STAYS}]
    assert every_door.store.head("processed/dim_households/0.parquet") is None


def test_what_was_sent_before_is_not_stored_again(every_door: Warehouse) -> None:
    forget_household(every_door, GONE, reason="asked", requested_by="test")
    assert send_survey(every_door.database, GONE, {"household_size": 3}).outcome == "duplicate"
    assert send_survey(every_door.database, GONE, {"household_size": 9}).outcome == "stored"


def test_what_is_sent_again_is_in_no_original_either(filled: Warehouse) -> None:
    forget_household(filled, GONE, reason="asked", requested_by="test")
    load(filled, FIRST)
    load(filled, f"{HEADER}four,KAN-4,V1,Eve Stays,+256700000004\n{FIRST.removeprefix(HEADER)}")
    assert b"Ann Gone" in contents(filled)
    assert erase_sent_again(filled) == 2
    held = contents(filled)
    assert b"Ann Gone" not in held
    assert b"Eve Stays" in held
    assert not forget_household(filled, GONE, reason="asked", requested_by="test", dry_run=True).found
    assert erase_sent_again(filled) == 0
    assert not verify_originals(filled.database, filled.store).findings


def test_a_body_that_is_sent_again_is_not_kept(every_door: Warehouse) -> None:
    database, sender, both = every_door.database, Sender("office"), [survey(GONE), survey(STAYS)]
    forget_household(every_door, GONE, reason="asked", requested_by="test")
    receive_batch(database, json.dumps(both).encode(), form=FORM, sender=sender)
    assert send_survey(database, GONE, {"household_size": 3}).outcome == "duplicate"
    bundle_bodies(database, every_door.store, FORM)
    receive_batch(database, json.dumps(both).encode(), form=FORM, sender=sender)
    assert erase_sent_again(every_door) == 3
    assert not re.search(r"KAN-001-AAA-1(?!0)", "".join(ask_bodies(every_door)))
    assert not re.search(rb"KAN-001-AAA-1(?!0)", contents(every_door))


ASKED = """
insert into ml.prediction_requests (client, track, model_name, model_version, feature_set_version, households, features,
    answers, milliseconds)
values ('a', 'screening', 'screening', 1, 'f', 2, '[{"rooms": 1}, {"rooms": 2}]',
    '[{"household_id": "kan-001-aaa-1"}, {"household_id": "KAN-001-AAA-10"}]', 1),
    ('a', 'screening', 'screening', 1, 'f', 1, '[{"rooms": 1}]', '[{"household_id": "KAN-001-AAA-1"}]', 1)
"""


def test_a_name_that_nobody_bears_is_told(filled: Warehouse) -> None:
    for dry_run in (True, False):
        with pytest.raises(NotFoundError, match="'KAN-0'"):
            forget_household(filled, "KAN-0", reason="asked", requested_by="test", dry_run=dry_run)
    assert ask(filled, "select count(*) from ops.erasures") == [(0,)]


def test_what_is_anothers_stays(filled: Warehouse) -> None:
    load(filled, "submission_id,village,partner\none,V1,Aid\n", form="quarterly_report")
    execute(filled, "insert into review.decisions (submission_id, decision, decided_by, reason)"
            " values ('one', 'discard', 'a', 'of a report'), ('two', 'discard', 'a', 'of another')")  # fmt: skip
    load(filled, f"{HEADER}one,KAN-9,V9,Dan Stays,+256700000009\n")
    execute(filled, ASKED)
    done = forget_household(filled, GONE, reason="asked", requested_by="test")
    assert not done.left
    assert ask(filled, "select content ->> 'household_id' from review.conflicts") == [("KAN-9",)]
    assert ask(filled, "select count(*) from raw.quarterly_report") == [(1,)]
    assert ask(filled, "select count(*) from raw.personal") == [(3,)]
    assert ask(filled, "select reason from review.decisions order by 1") == [("of a report",), ("of another",)]
    assert ask(filled, "select households, features, answers from ml.prediction_requests") == [
        (1, [{"rooms": 2}], [{"household_id": STAYS}])
    ]


def test_where_another_names_it_is_told(filled: Warehouse) -> None:
    load(filled, f"household_id,remark\nKAN-9,neighbour of {GONE}\n", filename=f"{GONE}.csv")
    done = forget_household(filled, GONE, reason="asked", requested_by="test")
    assert [place.name.partition("/")[0] for place in done.left] == ["raw.household_survey", "raw"]
    assert ask(filled, "select filename from raw.ingestions where filename not like 'visits%'") == [("erased",)]
    assert ask(filled, "select finished_at from ops.erasures") == [(None,)]
    assert b"neighbour" in contents(filled)


def test_a_common_number_is_looked_for_only_where_households_stand(warehouse: Warehouse) -> None:
    load(warehouse, "household_id,household_size,village\n5,4,V\n6,5,5\n")
    load(warehouse, "household_id,household_size,village\n6,1,5\n")
    done = forget_household(warehouse, "5", reason="asked", requested_by="test")
    assert not done.left
    assert {place.name for place in done.found if not place.name.startswith("raw/")} == {"raw.household_survey"}
    assert ask(warehouse, "select household_id, household_size from raw.household_survey order by 2") == [
        ("6", "1"), ("6", "5"),
    ]  # fmt: skip
    assert contents(warehouse).count(b"6,5,5") == 1


def test_a_household_called_by_a_number_is_forgotten_by_it(warehouse: Warehouse) -> None:
    load(warehouse, "household_id,household_size\n+256772123456,4\n+256772999999,5\n")
    done = forget_household(warehouse, "+256772123456", reason="asked", requested_by="test")
    assert not done.left
    assert b"256772123456" not in contents(warehouse)
    assert b"256772999999" in contents(warehouse)
    assert ask(warehouse, "select household_size from raw.household_survey") == [("5",)]


@pytest.mark.parametrize("lock", [KEYS_LOCK, ARCHIVE_LOCK])
def test_nobody_writes_objects_anew_meanwhile(filled: Warehouse, lock: str) -> None:
    with filled.database.lock(lock), pytest.raises(BusyError):
        forget_household(filled, GONE, reason="asked", requested_by="test")
    assert ask(filled, "select count(*) from ops.erasures") == [(0,)]
