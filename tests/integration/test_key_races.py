"""What is being encrypted while keys are made, changed and dropped is never left under a key that is gone."""

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import orjson
import pytest

from ingest_api.group_commit import SurveyWriter
from ingest_api.loading import land_next
from ingest_api.openrosa.submissions import receive_instance
from ingest_api.receiving import receive_batch, receive_file
from ingest_api.reveal import reveal_household
from ingest_api.senders import Sender
from ingest_api.surveys import ArrivingSurvey, read_survey
from orchestration.context import Warehouse
from orchestration.keys.rotation import begin_rotation, continue_rotation
from orchestration.keys.standing import drop_unused, key_standing
from tests.surveys import FORM, load_text, send_survey
from warehouse.audit import Chain
from warehouse.contract import load_contract
from warehouse.crypto.keys import add_key, load_key_ring
from warehouse.crypto.sealing import sealing
from warehouse.errors import BusyError, ConflictError

OFFICE = Sender("office")
HOUSEHOLD, NAME = "H-late", "Nakato Rose"
FILE = f"household_id,respondent_name\n{HOUSEHOLD},{NAME}\n"
ANSWERS = {"respondent_name": NAME}
SURVEY = {"household_id": HOUSEHOLD, "survey_data": ANSWERS}
XML = (
    f'<data id="{FORM}"><household_id>{HOUSEHOLD}</household_id><respondent_name>{NAME}</respondent_name>'
    "<meta><instanceID>uuid:late</instanceID></meta></data>"
)
Act = Callable[[], object]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.crypto.sealing.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("orchestration.keys.standing.PATIENCE_SECONDS", 0.2)


@pytest.fixture
def begun(warehouse: Warehouse) -> Warehouse:
    """A warehouse that holds a household."""
    load_text(warehouse, FILE.replace(HOUSEHOLD, "H-early"))
    return warehouse


@contextmanager
def going_on(monkeypatch: pytest.MonkeyPatch, place: object, name: str, act: Act) -> Iterator[Future[object]]:
    """What stands still in the middle of an act for the length of the block, and goes on after it."""
    reached, go = threading.Event(), threading.Event()
    acts = getattr(place, name)

    def stand_still(*arguments: Any, **more: Any) -> Any:
        reached.set()
        assert go.wait(60)
        return acts(*arguments, **more)

    with ThreadPoolExecutor(1) as thread, monkeypatch.context() as patched:
        patched.setattr(place, name, stand_still)
        under_way = thread.submit(act)
        assert reached.wait(60)
        try:
            yield under_way
        finally:
            go.set()


def change_keys(warehouse: Warehouse) -> None:
    add_key(warehouse.settings)
    begin_rotation(warehouse, "me")
    continue_rotation(warehouse)


def file_sent(warehouse: Warehouse) -> object:
    content = io.BytesIO(FILE.encode())
    return receive_file(warehouse.database, warehouse.store, content, form=FORM, filename="late.csv", source="cli")


def survey_of(warehouse: Warehouse) -> ArrivingSurvey:
    keys, body = load_key_ring(warehouse.settings), orjson.dumps(SURVEY).decode()
    return read_survey(keys, FORM, HOUSEHOLD, ANSWERS, body=body, sender=OFFICE)


def written(warehouse: Warehouse, survey: ArrivingSurvey) -> object:
    """A survey stored as the API stores it."""
    with closing(SurveyWriter(warehouse.database, Chain(warehouse.settings, "test"))) as writer:
        return asyncio.run(writer.write(load_contract(FORM), survey))


def by_file(warehouse: Warehouse) -> tuple[object, str, Act]:
    import ingest_api.loading as place

    file_sent(warehouse)
    return place, "_verify", partial(land_next, warehouse.database, warehouse.store)


def by_batch(warehouse: Warehouse) -> tuple[object, str, Act]:
    import ingest_api.receiving as place

    act = partial(receive_batch, warehouse.database, orjson.dumps([SURVEY]), form=FORM, sender=OFFICE)
    return place, "insert_ingestion", act


def by_phone(warehouse: Warehouse) -> tuple[object, str, Act]:
    import ingest_api.openrosa.submissions as place

    return place, "land_surveys", partial(receive_instance, warehouse.database, XML, [], OFFICE)


def by_survey(warehouse: Warehouse) -> tuple[object, str, Act]:
    import ingest_api.group_commit as place

    return place, "land_surveys", partial(written, warehouse, survey_of(warehouse))


@pytest.mark.parametrize("door", [by_file, by_batch, by_phone, by_survey])
def test_what_is_landed_meanwhile_is_opened_after(
    begun: Warehouse, monkeypatch: pytest.MonkeyPatch, door: Callable[[Warehouse], tuple[object, str, Act]]
) -> None:
    with going_on(monkeypatch, *door(begun)) as under_way:
        change_keys(begun)
        with pytest.raises(BusyError) as raised:
            drop_unused(begun)
        assert raised.value.error_code == "keys.in_use"
    under_way.result()
    with pytest.raises(ConflictError):
        drop_unused(begun)
    begin_rotation(begun, "me")
    continue_rotation(begun)
    assert len(drop_unused(begun)) == 1
    assert key_standing(begun).lost == []
    assert [found.answers["respondent_name"] for found in reveal_household(begun.database, HOUSEHOLD)] == [NAME]


def test_object_that_is_put_meanwhile_is_opened_after(begun: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = begun.store.inner  # type: ignore[attr-defined]
    with going_on(monkeypatch, inner, "put", partial(file_sent, begun)):
        add_key(begun.settings)
        with pytest.raises(BusyError):
            drop_unused(begun)
    with pytest.raises(ConflictError):
        drop_unused(begun)
    begin_rotation(begun, "me")
    continue_rotation(begun)
    drop_unused(begun)
    land_next(begun.database, begun.store)
    assert reveal_household(begun.database, HOUSEHOLD)


def test_who_seals_with_the_newest_key_keeps_nobody_waiting(begun: Warehouse) -> None:
    change_keys(begun)
    with sealing(begun.settings):
        assert len(drop_unused(begun)) == 1


def test_survey_that_waited_is_stored_under_the_newest_key(begun: Warehouse) -> None:
    survey = survey_of(begun)
    change_keys(begun)
    written(begun, survey)
    assert len(drop_unused(begun)) == 1
    assert reveal_household(begun.database, HOUSEHOLD)


def test_survey_whose_key_was_dropped_is_asked_for_again(begun: Warehouse) -> None:
    survey = survey_of(begun)
    change_keys(begun)
    drop_unused(begun)
    with pytest.raises(BusyError, match="Send it again"):
        written(begun, survey)


def test_last_commit_of_a_killed_process_is_waited_for(begun: Warehouse) -> None:
    old = load_key_ring(begun.settings)
    change_keys(begun)
    with begun.database.transaction() as connection:  # its lock went with the process
        token = old.seal(b"{}").decode()
        connection.execute("insert into raw.personal values ('ing', 1, %s, %s)", [old.current_id, token])
        with pytest.raises(BusyError) as raised:
            drop_unused(begun)
    assert raised.value.error_code == "keys.in_use"
    with pytest.raises(ConflictError):
        drop_unused(begun)


def test_keys_that_are_made_at_once_are_all_kept(warehouse: Warehouse) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _number: add_key(warehouse.settings), range(40)))
    assert len(load_key_ring(warehouse.settings).ids) == 41
    send_survey(warehouse.database, HOUSEHOLD, ANSWERS)
    assert reveal_household(warehouse.database, HOUSEHOLD)
