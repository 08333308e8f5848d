"""Keys are changed beside what goes on: both open meanwhile, and a kill anywhere loses nothing."""

import io
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from ingest_api.loading import bundle_bodies
from ingest_api.reveal import reveal_household
from orchestration.context import Warehouse
from orchestration.heartbeat import beating
from orchestration.keys.rotation import begin_rotation, continue_rotation
from orchestration.keys.standing import KeyStanding, drop_unused, key_standing
from tests import processes
from tests.surveys import load_text, send_survey
from warehouse.crypto.keys import add_key, keys_path, load_key_ring, new_key
from warehouse.database import Database
from warehouse.errors import ConfigurationError, ConflictError, IntegrityError
from warehouse.stores import open_store

HEADER = "household_id,respondent_name,phone_number\n"
NAMES = {f"H-{number}": f"Nakato {number}" for number in range(12)}
FILE = HEADER + "".join(f"{household},{name},0772123456\n" for household, name in NAMES.items())


class Killed(BaseException):
    """What ends a rotation in the middle."""


def dies_after(steps: int) -> Callable[[int], None]:
    """A watch that ends the process at a step."""
    left = steps

    def watch(_done: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    return watch


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    """A warehouse with names in tokens, in a body that waits, and in three originals."""
    for part in range(3):
        load_text(warehouse, FILE.replace("H-", f"H{part}-"), f"{part}.csv")
    send_survey(warehouse.database, "H-single", {"respondent_name": "Okello"})
    return warehouse


def names(warehouse: Warehouse) -> list[str]:
    households = [f"H{part}-{number}" for part in range(3) for number in range(12)]
    return [reveal_household(warehouse.database, each)[0].answers["respondent_name"] for each in households]


def used(warehouse: Warehouse) -> list[tuple[bool, int, int]]:
    return [(key.is_newest, key.tokens, key.objects) for key in key_standing(warehouse).keys]


def test_both_keys_open_until_all_is_renewed(filled: Warehouse) -> None:
    before = names(filled)
    add_key(filled.settings)
    assert names(filled) == before
    load_text(filled, FILE.replace("H-", "H9-"), "later.csv")
    assert used(filled) == [(True, 12, 1), (False, 37, 3)]
    begin_rotation(filled, "me")
    renewed = continue_rotation(filled)
    assert renewed
    assert (renewed.tokens, renewed.objects) == (37, 3)
    assert used(filled) == [(True, 49, 4), (False, 0, 0)]
    assert len(drop_unused(filled)) == 1
    assert names(filled) == before
    keys = load_key_ring(filled.settings)
    with filled.database.transaction() as connection:
        ((body,),) = connection.execute("select body from raw.bodies").fetchall()
    assert b"Okello" in keys.open(body)
    assert continue_rotation(filled) is None


@pytest.mark.parametrize("steps", range(4))
def test_rotation_that_is_killed_goes_on(filled: Warehouse, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr("orchestration.keys.rotation.TOKENS_AT_A_TIME", 20)
    before = names(filled)
    add_key(filled.settings)
    begin_rotation(filled, "me")
    with pytest.raises(Killed):
        continue_rotation(filled, dies_after(steps))
    assert names(filled) == before
    with pytest.raises(ConflictError):
        drop_unused(filled)
    continue_rotation(filled)
    assert used(filled) == [(True, 37, 3), (False, 0, 0)]
    drop_unused(filled)
    assert names(filled) == before


def test_originals_from_before_encryption_are_sealed(filled: Warehouse) -> None:
    store: Any = filled.store
    (first, *_) = [found.key for found in store.list("raw/")]
    with store.get(first) as content:
        clear = content.read()
    store.inner.put(first, io.BytesIO(clear), "text/csv")
    assert used(filled) == [(True, 37, 2), (False, 0, 1)]
    begin_rotation(filled, "me")
    continue_rotation(filled)
    with store.get(first) as content:
        assert content.read() == clear
    with store.inner.get(first) as content:
        assert b"Nakato" not in content.read()


def test_what_came_before_encryption_is_used_and_sealed(filled: Warehouse) -> None:
    with filled.database.transaction() as connection:
        connection.execute('update raw.bodies set body = \'{"respondent_name": "Okello"}\'')
        connection.execute(
            "insert into raw.rejected_rows select ingestion_id, 99, 'row.ragged', 'It is ragged.', 'Okello,0772123456'"
            " from raw.ingestions where filename = '0.csv'"
        )
    begin_rotation(filled, "me")
    continue_rotation(filled)
    keys = load_key_ring(filled.settings)
    with filled.database.transaction() as connection:
        ((body,),) = connection.execute("select body from raw.bodies").fetchall()
        assert connection.execute("select count(*) from raw.rejected_rows where content is not null").fetchone() == (0,)
        ((token,),) = connection.execute("select token from raw.personal where row_number = 99").fetchall()
    assert b"Okello" in keys.open(body)
    assert b"Okello,0772123456" in keys.open(token)


def test_clear_body_is_bundled_as_it_came(filled: Warehouse) -> None:
    with filled.database.transaction() as connection:
        connection.execute('update raw.bodies set body = \'{"respondent_name": "Okello"}\'')
    assert bundle_bodies(filled.database, filled.store, "household_survey") == 1


def changed(warehouse: Warehouse) -> list[str]:
    """Make a new key, encrypt everything with it, and drop what is needed no more."""
    add_key(warehouse.settings)
    begin_rotation(warehouse, "me")
    continue_rotation(warehouse)
    return drop_unused(warehouse)


def test_key_that_is_made_while_old_ones_are_dropped_costs_nothing(
    filled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count_slowly(warehouse: Warehouse) -> KeyStanding:
        standing = key_standing(warehouse)
        add_key(warehouse.settings)
        return standing

    before = names(filled)
    monkeypatch.setattr("orchestration.keys.standing.key_standing", count_slowly)
    assert len(changed(filled)) == 1
    assert len(load_key_ring(filled.settings).ids) == 2
    assert names(filled) == before


def test_bodies_that_wait_need_their_key(filled: Warehouse) -> None:
    old = load_key_ring(filled.settings)
    add_key(filled.settings)
    begin_rotation(filled, "me")
    continue_rotation(filled)
    with filled.database.transaction() as connection:
        connection.execute("update raw.bodies set body = %s", [old.seal(b"{}").decode()])
    assert [(key.tokens, key.waiting, key.objects) for key in key_standing(filled).keys] == [(37, 0, 3), (0, 1, 0)]
    with pytest.raises(ConflictError, match=old.current_id):
        drop_unused(filled)
    assert len(load_key_ring(filled.settings).ids) == 2
    keys_path(filled.settings).write_text(load_key_ring(filled.settings).encryption_keys[0])
    assert key_standing(filled).lost == ["unknown"]


def test_keys_of_the_settings_are_told_and_stay(filled: Warehouse) -> None:
    old = load_key_ring(filled.settings)
    stated = type(filled.settings.db_password)(f"{new_key()},{old.encryption_keys[0]}")
    settings = filled.settings.model_copy(update={"encryption_key": stated})
    kept = keys_path(filled.settings).read_text()
    database = Database(settings)
    with closing(database):
        warehouse = Warehouse(settings, database, open_store(settings))
        begin_rotation(warehouse, "me")
        continue_rotation(warehouse)
        assert drop_unused(warehouse) == [old.current_id]
    assert keys_path(filled.settings).read_text() == kept


def test_lost_key_is_told(filled: Warehouse) -> None:
    old = load_key_ring(filled.settings).current_id
    keys_path(filled.settings).write_text(new_key())
    assert key_standing(filled).lost == [old, "unknown"]  # a body that waits bears no name of its key
    with pytest.raises(IntegrityError) as raised:
        names(filled)
    assert raised.value.error_code == "keys.cannot_open"


def test_keys_of_the_settings_are_theirs(filled: Warehouse) -> None:
    settings = filled.settings.model_copy(update={"encryption_key": type(filled.settings.db_password)(new_key())})
    with pytest.raises(ConfigurationError) as raised:
        add_key(settings)
    assert raised.value.error_code == "keys.kept_elsewhere"


def test_rotation_without_a_worker_says_who_does_it(filled: Warehouse) -> None:
    alone = processes.run(filled, "keys", "rotate")
    assert "kyalo keys rotate --now" in alone.stderr
    assert "kyalo worker" in alone.stderr
    assert "the worker encrypts" not in alone.stdout
    with beating(filled.database, "worker") as heartbeat:
        heartbeat.beat()
        accompanied = processes.run(filled, "keys", "rotate")
    assert (accompanied.stderr, accompanied.returncode) == ("", 0)
    assert "the worker encrypts" in accompanied.stdout


def test_first_key_of_production_is_put_before_no_other(warehouse: Warehouse) -> None:
    production = {"KYALO_ENVIRONMENT": "production"}
    first = processes.run(warehouse, "keys", "new", **production)
    assert "others" not in first.stderr
    assert "ENCRYPTION_KEY" in first.stderr
    second = processes.run(warehouse, "keys", "new", **production, ENCRYPTION_KEY=first.stdout.strip())
    assert "before the others" in second.stderr
    keys_path(warehouse.settings).write_text(new_key())
    assert str(keys_path(warehouse.settings)) in processes.run(warehouse, "keys", "new", **production).stderr


def test_commands_tell_what_they_do(filled: Warehouse) -> None:
    said = [processes.run(filled, "keys", *command.split()) for command in ("new", "rotate --now", "rotate --drop-old")]
    assert [(ended.returncode, ended.stderr) for ended in said] == [(0, "")] * 3
    assert "37 tokens and 3 objects" in said[1].stdout
    status = processes.run(filled, "keys", "status")
    assert "done: 1 key" in status.stdout
