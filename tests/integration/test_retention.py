"""What is personal is kept for as long as the policies say, and nothing of it stays in any place after that."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import cast

import pytest

from ingest_api.corrections import correcting_survey
from ingest_api.openrosa.attachments import move_attachments
from ingest_api.receiving import receive_file
from ingest_api.reveal import reveal_household
from ingest_api.senders import LOCAL
from orchestration.context import Warehouse
from orchestration.graph.lock import holding_pipeline
from orchestration.lifecycle import Account, Act, archive, list_policies, say_if_deleted
from orchestration.lifecycle.policies import DataClass
from orchestration.originals import verify_originals
from orchestration.orphans import set_aside
from tests.asking import ask, execute
from tests.mortal_store import Died, MortalStore
from tests.surveys import FORM, load_text
from warehouse.contract import load_contract
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database
from warehouse.errors import BusyError, ConflictError
from warehouse.stores import LocalStore, MirroredStore, ObjectStore, StoredObject

STAGING = "staging.stg_household_survey__submissions"
SURVEY = "household_id,respondent_name,village\nH-{0},Nakato {0},Kigana\n"
Busy = Callable[[Database], AbstractContextManager[object]]
PHOTOGRAPH = "raw/household_survey/attachments/" + "0" * 64


@pytest.fixture
def old(warehouse: Warehouse) -> Warehouse:
    """Two stores, an upload of long ago and one of today, both staged; everything personal is kept for 90 days."""
    second = LocalStore(warehouse.settings.home / "second")
    load_text(warehouse, SURVEY.format("OLD"), "old.csv")
    age(warehouse)
    load_text(warehouse, SURVEY.format("NEW"), "new.csv")
    execute(warehouse, f"create table {STAGING} as select ingestion_id from raw.household_survey")
    for listed in list(warehouse.store.list("raw/")):
        with warehouse.store.get(listed.key) as content:
            second.put(listed.key, content, "text/csv")
    execute(warehouse, "delete from ops.pending_copies")
    days = {f"{kind}_retention_days": 90 for kind in ("personal", "original", "attachment")}
    settings = warehouse.settings.model_copy(update={**days, "archive_after_days": 0})
    return replace(warehouse, settings=settings, store=MirroredStore(warehouse.store, second))


def age(warehouse: Warehouse) -> None:
    """Let everything that came just now have come 400 days ago."""
    execute(
        warehouse,
        "update raw.ingestions set received_at = received_at - interval '400 days'"
        " where received_at > now() - interval '1 hour'",
    )


def run(warehouse: Warehouse, *, dry_run: bool = False) -> list[tuple[str, str]]:
    account = archive(warehouse, dry_run=dry_run, requested_by="test")
    return [(act.policy, act.subject) for act in account.acts]


def objects(warehouse: Warehouse) -> list[set[str]]:
    """What lies in each of the stores."""
    assert isinstance(warehouse.store, MirroredStore)
    return [{found.key for found in each.list("")} for each in (warehouse.store.primary, warehouse.store.secondary)]


def key_of(warehouse: Warehouse, filename: str) -> str | None:
    ((key,),) = ask(warehouse, f"select object_key from raw.ingestions where filename = '{filename}'")
    return cast(str | None, key)


def add_photograph(warehouse: Warehouse, name: str, *, days: int, key: str | None = PHOTOGRAPH) -> None:
    stated = f"'{key}'" if key else "null"
    execute(
        warehouse,
        "insert into raw.attachments (form, submission_key, name, sha256, content_type, size_bytes, is_expected,"
        f" object_key, ingestion_id, received_at) select form, 'uuid:1', '{name}', repeat('0', 64), 'image/jpeg', 7,"
        f" true, {stated}, ingestion_id, now() - interval '{days} days' from raw.ingestions limit 1",
    )
    if key:
        warehouse.store.put(key, io.BytesIO(b"picture"), "image/jpeg")
    execute(warehouse, "delete from ops.pending_copies")


def test_dry_run_tells_what_would_go_and_leaves_it(old: Warehouse) -> None:
    archiving = replace(old, settings=old.settings.model_copy(update={"archive_after_days": 30}))
    before, key = objects(old), key_of(old, "old.csv")
    told = run(archiving, dry_run=True)
    assert [policy for policy, _ in told] == ["personal_answers", "old_originals"]
    assert told[1] == ("old_originals", key)
    assert objects(old) == before
    assert len(ask(old, "select from raw.personal")) == 2
    assert run(archiving) == told
    assert run(archiving) == []


def test_account_counts_rows_and_tells_a_dry_run_from_what_was_done(old: Warehouse) -> None:
    said = [str(archive(old, dry_run=dry_run, requested_by="test")) for dry_run in (True, False)]
    assert said == [
        "personal_answers: 1 row would be deleted; old_originals: 1 file would be deleted",
        "personal_answers: 1 row deleted; old_originals: 1 file deleted",
    ]
    months = Account([Act("raw_rows", "exported", f"raw.household_survey 2026-0{month}", 463) for month in (1, 2)])
    assert str(months) == "raw_rows: 926 rows exported"


def test_personal_answers_go_and_stand_ins_stay(old: Warehouse) -> None:
    stand_ins = "select household_id, respondent_name from raw.household_survey order by household_id"
    before = ask(old, stand_ins)
    run(old)
    assert reveal_household(old.database, "H-OLD") == []
    assert reveal_household(old.database, "H-NEW")[0].answers["respondent_name"] == "Nakato NEW"
    assert ask(old, stand_ins) == before
    acts = "select policy, rows from ops.lifecycle_actions where policy = 'personal_answers'"
    assert ask(old, acts) == [("personal_answers", 1)]


def test_stand_in_is_not_taken_for_an_answer_by_a_correction(old: Warehouse) -> None:
    run(old)
    with old.database.transaction() as connection:
        cursor = connection.execute("select * from raw.household_survey where household_id = 'H-OLD'")
        row = dict(zip([str(column.name) for column in cursor.description or ()], cursor.fetchone() or (), strict=True))
    keys, contract = load_key_ring(old.settings), load_contract(FORM)
    with pytest.raises(ConflictError, match="deleted"):
        correcting_survey(keys, contract, row, {}, {"village": "Lwanda"}, source="cli", sender=LOCAL)
    changes = {"village": "Lwanda", "respondent_name": "Nakato"}
    assert correcting_survey(keys, contract, row, {}, changes, source="cli", sender=LOCAL)


def test_original_is_gone_from_every_store_and_not_missing(old: Warehouse) -> None:
    key = cast(str, key_of(old, "old.csv"))
    run(old)
    assert objects(old) == [{key_of(old, "new.csv")}] * 2
    assert key_of(old, "old.csv") is None
    assert ask(old, "select original_deleted_at is not null from raw.ingestions order by received_at") == [
        (True,),
        (False,),
    ]
    assert verify_originals(old.database, old.store).findings == []
    told = say_if_deleted(old.database, key)
    assert told
    assert told.error_code == "archive.deleted"
    assert say_if_deleted(old.database, cast(str, key_of(old, "new.csv"))) is None


def test_archived_original_is_deleted_under_either_name(old: Warehouse) -> None:
    key = cast(str, key_of(old, "old.csv"))
    archiving = {"archive_after_days": 30, "original_retention_days": 0}
    run(replace(old, settings=old.settings.model_copy(update=archiving)))
    archived = cast(str, key_of(old, "old.csv"))
    assert archived.startswith("archive/originals/")
    execute(old, "delete from ops.pending_copies")
    assert run(old) == [("old_originals", archived)]
    assert objects(old) == [{key_of(old, "new.csv")}] * 2
    assert say_if_deleted(old.database, archived)
    assert say_if_deleted(old.database, key)


@pytest.mark.parametrize(
    "why",
    [
        f"delete from {STAGING}",
        "update raw.ingestions set stored_rows = 2, received_rows = 2",
        "update raw.ingestions set status = 'received'",
        "update raw.ingestions set status = 'failed'",
        "insert into ops.pending_copies select object_key from raw.ingestions",
        (
            "update raw.ingestions set object_key = (select min(object_key) from raw.ingestions);"
            " delete from ops.pending_copies"
        ),
    ],
    ids=["unstaged", "partly staged", "waiting", "failed", "copied at this moment", "named by a young upload"],
)
def test_original_that_something_needs_stays(old: Warehouse, why: str) -> None:
    before = objects(old)
    execute(old, why)
    assert "old_originals" not in dict(run(old, dry_run=True))
    assert "old_originals" not in dict(run(old))
    assert objects(old) == before


def test_rows_that_were_erased_need_not_be_staged(old: Warehouse) -> None:
    execute(old, f"delete from {STAGING}")
    execute(old, "update raw.ingestions set erased_rows = stored_rows")
    assert "old_originals" in dict(run(old))


def test_wherever_it_ends_it_ends_the_same(old: Warehouse) -> None:
    assert isinstance(old.store, MirroredStore)
    add_photograph(old, "a.jpg", days=400)
    receive_file(old.database, old.store, io.BytesIO(b"household_id\nH-1\n"), form=FORM, filename="w", source="cli")
    waiting = key_of(old, "w")
    for lives in range(30):
        mortal = MirroredStore(cast(ObjectStore, MortalStore(old.store.primary, lives)), old.store.secondary)
        try:
            run(replace(old, store=mortal))
        except Died:
            # What is still there is set aside by whoever repairs meanwhile, and not forgotten there.
            for key in objects(old)[0] - {key_of(old, "new.csv"), waiting, key_of(old, "old.csv")}:
                if key == PHOTOGRAPH:
                    set_aside(old.database, old.store.primary, key)
            continue
        break
    assert lives > 3  # it died before and after the removal of each
    assert objects(old) == [{key_of(old, "new.csv"), waiting}] * 2
    assert ask(old, "select count(*) from ops.lifecycle_actions where finished_at is null") == [(0,)]
    assert ask(old, "select policy from ops.lifecycle_actions order by action_id") == [
        ("personal_answers",),
        ("old_originals",),
        ("old_attachments",),
    ]


def test_photograph_goes_once_all_surveys_with_it_are_old(old: Warehouse) -> None:
    add_photograph(old, "a.jpg", days=400)
    add_photograph(old, "b.jpg", days=1)
    assert "old_attachments" not in dict(run(old))
    execute(old, "update raw.attachments set received_at = received_at - interval '400 days'")
    assert run(old) == [("old_attachments", PHOTOGRAPH)]
    assert not any(PHOTOGRAPH in held for held in objects(old))
    assert ask(old, "select count(*) from raw.attachments where deleted_at is not null") == [(2,)]
    assert move_attachments(old.database, old.store) == 0  # a deleted one does not wait in pieces
    assert verify_originals(old.database, old.store).findings == []


def test_photograph_that_comes_again_is_kept_anew(old: Warehouse) -> None:
    add_photograph(old, "a.jpg", days=400)
    run(old)
    add_photograph(old, "b.jpg", days=0)
    assert run(old) == []
    assert all(PHOTOGRAPH in held for held in objects(old))


def test_photograph_that_comes_again_at_this_moment_stays(old: Warehouse) -> None:
    class SlowStore(MirroredStore):
        """A store with which somebody is faster, as soon as it is asked what it holds."""

        def list(self, prefix: str) -> Iterator[StoredObject]:
            if ask(old, "select from raw.attachments where name = 'b.jpg'") == []:
                add_photograph(old, "b.jpg", days=0)
            return super().list(prefix)

    assert isinstance(old.store, MirroredStore)
    add_photograph(old, "a.jpg", days=400)
    slow = replace(old, store=SlowStore(old.store.primary, old.store.secondary))
    settings = old.settings.model_copy(update={"original_retention_days": 0})
    assert "old_attachments" not in dict(run(replace(slow, settings=settings)))
    assert ask(old, "select name from raw.attachments where object_key is null") == []
    assert all(PHOTOGRAPH in held for held in objects(old))


@pytest.mark.parametrize(
    "busy",
    [lambda database: database.lock("kyalo.keys"), lambda database: holding_pipeline(database, "kyalo forget")],
    ids=["keys", "forgetting"],
)
def test_nothing_is_deleted_while_objects_are_written_anew(old: Warehouse, busy: Busy) -> None:
    before = objects(old)
    with busy(old.database), pytest.raises(BusyError):
        run(old)
    assert objects(old) == before
    assert key_of(old, "old.csv")


def test_every_policy_has_a_class_of_data(warehouse: Warehouse) -> None:
    classes: list[DataClass] = ["personal", "survey", "derived", "operational"]
    found = [policy.data_class for policy in list_policies(warehouse.settings)]
    assert found == sorted(found, key=classes.index)
    assert {*found} == {*classes}
    (audit,) = [policy for policy in list_policies(warehouse.settings) if policy.action == "kept"]
    assert (audit.name, audit.data_class, audit.days) == ("audit_log", "operational", 0)


def test_what_is_personal_is_kept_for_ever_unless_said(warehouse: Warehouse) -> None:
    load_text(warehouse, SURVEY.format("OLD"), "old.csv")
    execute(warehouse, f"create table {STAGING} as select ingestion_id from raw.household_survey")
    age(warehouse)
    assert [policy for policy, _ in run(warehouse)] == ["originals"]
    assert reveal_household(warehouse.database, "H-OLD")[0].answers
