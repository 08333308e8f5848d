"""Attachments as ODK Collect sends them: split, in any order, again, under odd names, and moved to the store."""

import hashlib
import random
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest_api.openrosa.attachments import move_attachments
from orchestration.context import Warehouse
from tests import asking
from tests.openrosa_phone import Phone, message_of, new_id, serving_phone, survey
from warehouse.errors import IntegrityError, StorageUnavailableError
from warehouse.stores import LocalStore

pytestmark = pytest.mark.xdist_group("openrosa")

MEGABYTE = 1024**2
COMPOSED = "b\N{LATIN SMALL LETTER U WITH DIAERESIS}ro.jpg"
FLAGS = "select name, flag from review.attachment_flags where submission_key = %s order by name, flag"


@pytest.fixture(scope="module")
def phone(module_warehouse: Warehouse) -> Iterator[Phone]:
    """A phone, and a running API."""
    with serving_phone(module_warehouse) as phone:
        yield phone


@pytest.fixture
def ask(module_warehouse: Warehouse) -> Any:
    """Ask the database for the rows of a statement."""
    return partial(asking.ask, module_warehouse)


def read(warehouse: Warehouse, object_key: str) -> bytes:
    with warehouse.store.get(object_key) as file:
        return file.read()


def names(ask: Any, key: str) -> list[str]:
    return [row[0] for row in ask("select name from raw.attachments where submission_key = %s order by name", key)]


def test_photos_come_with_their_survey(phone: Phone, ask: Any) -> None:
    key = new_id()
    (told,) = phone.send(survey(key, "P-1", photos=["a.jpg", "b.jpg"]), {"a.jpg": b"a", "b.jpg": b"b"})
    assert "New files: 2." in told
    assert names(ask, key) == ["a.jpg", "b.jpg"]
    assert ask(FLAGS, key) == []


def test_more_than_the_advertised_size_comes_in_several_requests(phone: Phone, ask: Any) -> None:
    key = new_id()
    photos = {f"{number}.jpg": bytes([number]) * 4_000_000 for number in range(5)}
    messages = phone.send(survey(key, "P-2", photos=photos), photos)
    assert len(messages) == 3
    assert "still to come: 3" in messages[0]
    assert "to come" not in messages[-1]
    assert names(ask, key) == sorted(photos)
    assert ask("select count(*) from raw.household_survey where submission_key = %s", key) == [(1,)]


def test_more_than_101_files_come_in_several_requests(phone: Phone, ask: Any) -> None:
    key = new_id()
    photos = {f"{number:03}.jpg": str(number).encode() for number in range(205)}
    assert len(phone.send(survey(key, "P-3", photos=photos), photos)) == 3
    assert names(ask, key) == sorted(photos)
    assert ask(FLAGS, key) == []


def test_files_may_come_in_any_order_and_split_anew(phone: Phone, ask: Any) -> None:
    key = new_id()
    photos = [f"{number}.jpg" for number in range(8)]
    xml = survey(key, "P-4", photos=photos)
    for seed in range(4):
        order = random.Random(seed).sample(photos, 3)  # noqa: S311 - no secret
        assert phone.post(xml, {name: name.encode() for name in order}, is_incomplete=True).status_code in (201, 202)
    phone.post(xml, {name: name.encode() for name in photos})
    assert names(ask, key) == photos


def test_file_before_the_rest_counts_when_the_next_request_fails(phone: Phone, ask: Any) -> None:
    key = new_id()
    xml = survey(key, "P-5", photos=["a.jpg", "b.jpg"])
    phone.post(xml, {"a.jpg": b"a"}, is_incomplete=True)
    assert ask(FLAGS, key) == [("b.jpg", "missing")]
    assert [message_of(phone.post(xml, {"a.jpg": b"a", "b.jpg": b"b"}))] == [
        "The survey was stored already. New files: 1."
    ]
    assert ask(FLAGS, key) == []


def test_same_file_again_is_202_and_nothing_new(phone: Phone, ask: Any) -> None:
    key = new_id()
    xml = survey(key, "P-6", photos=["a.jpg"])
    assert [phone.post(xml, {"a.jpg": b"a"}).status_code for _ in range(2)] == [201, 202]
    assert names(ask, key) == ["a.jpg"]


def test_new_file_of_a_stored_survey_is_201(phone: Phone) -> None:
    xml = survey(new_id(), "P-7", photos=["a.jpg"])
    assert [phone.post(xml).status_code, phone.post(xml, {"a.jpg": b"a"}).status_code] == [201, 201]


def test_same_name_with_other_bytes_keeps_both(phone: Phone, ask: Any) -> None:
    key = new_id()
    xml = survey(key, "P-8", photos=["a.jpg"])
    assert [phone.post(xml, {"a.jpg": content}).status_code for content in (b"one", b"two", b"one")] == [201, 201, 202]
    assert names(ask, key) == ["a.jpg", "a.jpg"]
    assert ask(FLAGS, key) == [("a.jpg", "conflicting")]


def test_file_that_the_survey_does_not_name_is_kept_and_flagged(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.send(survey(key, "P-9", photos=["a.jpg"]), {"A.JPG": b"a"})
    assert ask(FLAGS, key) == [("A.JPG", "unexpected"), ("a.jpg", "missing")]


def test_names_are_compared_in_one_unicode_form(phone: Phone, ask: Any) -> None:
    key = new_id()
    decomposed = unicodedata.normalize("NFD", COMPOSED)
    phone.send(survey(key, "P-10", photos=[COMPOSED]), {decomposed: b"a"})
    assert names(ask, key) == [COMPOSED]
    assert ask(FLAGS, key) == []


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "back\\slash.ini", "..", ".hidden", "a b.jpg", "x" * 400]
)
def test_name_is_never_a_path(phone: Phone, ask: Any, module_warehouse: Warehouse, name: str) -> None:
    key = new_id()
    content = name.encode()
    phone.send(survey(key, "P-11"), {name: content})
    assert names(ask, key) == [name[:255]]
    assert move_attachments(module_warehouse.database, module_warehouse.store) >= 1
    ((object_key,),) = ask("select object_key from raw.attachments where submission_key = %s", key)
    assert object_key == f"raw/household_survey/attachments/{hashlib.sha256(content).hexdigest()}"


def test_part_without_a_name_is_kept(phone: Phone, ask: Any) -> None:
    key = new_id()
    parts = [
        ("xml_submission_file", ("s.xml", survey(key, "P-12").encode(), "text/xml")),
        ("voice", ("", b"sound", "audio/amr")),
        ("note", (None, b"words", "text/plain")),
    ]
    assert phone.client.post(f"{phone.base}/submission", files=parts).status_code == 201
    assert names(ask, key) == ["note", "voice"]


def test_empty_file_is_a_file(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    key = new_id()
    phone.send(survey(key, "P-13", photos=["a.jpg"]), {"a.jpg": b""})
    move_attachments(module_warehouse.database, module_warehouse.store)
    ((object_key, size),) = ask("select object_key, size_bytes from raw.attachments where submission_key = %s", key)
    assert size == 0
    assert read(module_warehouse, object_key) == b""


def test_audit_file_is_expected(phone: Phone, ask: Any) -> None:
    key = new_id()
    xml = survey(key, "P-14").replace("<orx:meta>", "<orx:meta><orx:audit>audit.csv</orx:audit>")
    phone.send(xml, {"audit.csv": b"event,node\n"})
    assert ask(FLAGS, key) == []


def test_files_of_a_conflicting_survey_are_kept(phone: Phone, ask: Any) -> None:
    key = new_id()
    phone.post(survey(key, "P-15", 5))
    assert phone.post(survey(key, "P-15", 6, photos=["a.jpg"]), {"a.jpg": b"a"}).status_code == 201
    assert names(ask, key) == ["a.jpg"]


def test_large_file_is_moved_whole(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    key = new_id()
    content = random.Random(7).randbytes(20 * MEGABYTE + 7)  # noqa: S311 - no secret
    phone.send(survey(key, "P-16", photos=["film.mp4"]), {"film.mp4": content})
    move_attachments(module_warehouse.database, module_warehouse.store)
    ((object_key,),) = ask("select object_key from raw.attachments where submission_key = %s", key)
    assert read(module_warehouse, object_key) == content
    assert ask("select count(*) from raw.attachment_pieces") == [(0,)]
    assert move_attachments(module_warehouse.database, module_warehouse.store) == 0


def test_same_picture_of_two_surveys_is_one_object(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    keys = [new_id(), new_id()]
    for key in keys:
        phone.send(survey(key, f"P-17-{key}", photos=["a.jpg"]), {"a.jpg": b"the same picture"})
    move_attachments(module_warehouse.database, module_warehouse.store)
    found = ask("select distinct object_key from raw.attachments where submission_key = any(%s)", keys)
    assert len(found) == 1


def test_resend_after_the_move_is_nothing_new(phone: Phone, module_warehouse: Warehouse) -> None:
    xml = survey(new_id(), "P-18", photos=["a.jpg"])
    phone.send(xml, {"a.jpg": b"a"})
    move_attachments(module_warehouse.database, module_warehouse.store)
    assert phone.post(xml, {"a.jpg": b"a"}).status_code == 202


def test_files_wait_while_the_store_is_away(phone: Phone, module_warehouse: Warehouse, tmp_path: Path) -> None:
    move_attachments(module_warehouse.database, module_warehouse.store)
    (tmp_path / "no_folder").touch()
    assert phone.post(survey(new_id(), "P-20", photos=["a.jpg"]), {"a.jpg": b"waits"}).status_code == 201
    with pytest.raises(StorageUnavailableError):
        move_attachments(module_warehouse.database, LocalStore(tmp_path / "no_folder"))
    assert move_attachments(module_warehouse.database, module_warehouse.store) == 1


def test_damaged_file_does_not_hold_up_the_others(phone: Phone, ask: Any, module_warehouse: Warehouse) -> None:
    keys = [new_id(), new_id()]
    for key in keys:
        phone.send(survey(key, f"P-19-{key}", photos=["a.jpg"]), {"a.jpg": key.encode()})
    ask(
        "update raw.attachment_pieces set body = '\\x00' where attachment_id ="
        " (select attachment_id from raw.attachments where submission_key = %s) returning 1",
        keys[0],
    )
    with pytest.raises(IntegrityError):
        move_attachments(module_warehouse.database, module_warehouse.store)
    moved = ask(
        "select submission_key from raw.attachments where submission_key = any(%s) and object_key is not null", keys
    )
    assert moved == [(keys[1],)]
    ask("delete from raw.attachments where submission_key = %s returning 1", keys[0])
