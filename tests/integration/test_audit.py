"""The log of who saw and changed what: nothing gets past it, and nothing in it can be changed unseen."""

import getpass
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg import sql

from ingest_api.auth.clients import add_client
from ingest_api.schemas import EXAMPLE_SURVEY
from orchestration.context import Warehouse
from tests.forging import EACH, HARD_TO_READ, KINDS, UNBIND, Forger
from tests.processes import run
from tests.served import served, sign_in
from warehouse.audit import Chain, Draft
from warehouse.audit.anchors import keep_anchor, newest_anchor
from warehouse.audit.chain import Hasher
from warehouse.audit.reading import list_entries, who_saw
from warehouse.audit.verifying import Verifier, verify
from warehouse.database import fetch_rows, queries

pytestmark = pytest.mark.xdist_group("api")

EDITS = 1000
LISTED = {"since": None, "actor": None, "action": None, "household_id": None, "limit": 100_000}
SEED = 20261124
WRITERS = 4
SURVEY = "/api/v1/upload/survey-data"


@pytest.fixture(scope="module")
def log(module_warehouse: Warehouse) -> Warehouse:
    """A log of some hundred entries in several chains, anchored."""
    chains = [Chain(module_warehouse.settings, f"writer-{number}") for number in range(WRITERS)]
    for number in range(EACH):
        for chain in chains:
            draft = Draft("api", "127.0.0.1", "submission.show", "ann", f"content:{number}", None, 1, [f"KAN-{number}"])
            with module_warehouse.database.transaction() as connection:
                chain.append(connection, [draft.entry("allowed", 200)])
    found = verify(module_warehouse.database, None)
    assert (found.is_intact, found.entries, found.chains) == (True, WRITERS * EACH, WRITERS)
    keep_anchor(module_warehouse.store, module_warehouse.settings, found.heads)
    return module_warehouse


def test_every_edit_by_who_has_all_rights_is_found(log: Warehouse) -> None:
    choice = random.Random(SEED)  # noqa: S311 - no secret
    kinds = choice.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS], k=EDITS)
    hasher, anchor = Hasher(log.settings), newest_anchor(log.store, log.settings)
    with log.database.connect() as connection:
        connection.execute("set session_replication_role = replica")  # no trigger and no foreign key
        connection.commit()
        connection.execute(UNBIND)
        for number, kind in enumerate(kinds):
            with connection.transaction(force_rollback=True):
                assert kind(Forger(connection, choice)), kind.__name__
                found = Verifier(connection, hasher, anchor).verify()
            assert found.findings, (number, kind.__name__)
        connection.rollback()
        assert Verifier(connection, hasher, anchor).verify().is_intact


@pytest.mark.parametrize(("column", "value"), HARD_TO_READ)
def test_hard_edit_is_found_and_others_are_read(log: Warehouse, column: str, value: str) -> None:
    with log.database.connect() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(UNBIND)
        connection.execute(f"update ops.audit_log set {column} = {value} where subject = 'content:7'")
        found = Verifier(connection, Hasher(log.settings), None).verify()
        rows = fetch_rows(connection, queries("audit")["list_entries"], LISTED)
        connection.rollback()
    assert found.entries == len(rows)
    assert {finding.sequence for finding in found.findings} & {8, 0, -(2**63)}


def test_log_cut_back_to_an_older_state_is_told_by_the_anchor_only(log: Warehouse) -> None:
    database, anchor = log.database, newest_anchor(log.store, log.settings)
    assert anchor
    with database.connect() as connection:
        before = connection.execute("select * from ops.audit_heads").fetchall()
        chain = Chain(log.settings, "late")
        chain.append(connection, [Draft("api", None, "survey.receive").entry("allowed", 200)])
        newer = Verifier(connection, Hasher(log.settings), None).verify().heads
        later = keep_anchor(log.store, log.settings, newer)
        connection.execute("set session_replication_role = replica")
        for table in ("audit_log", "audit_chains"):
            connection.execute(f"delete from ops.{table} where chain_id like 'late/%%'")
        connection.execute("delete from ops.audit_heads")
        connection.cursor().executemany("insert into ops.audit_heads values (%s, %s, %s, %s)", before)
        assert Verifier(connection, Hasher(log.settings), anchor).verify().is_intact
        assert not Verifier(connection, Hasher(log.settings), later).verify().is_intact
        connection.rollback()
    log.store.delete(later.key)
    assert verify(database, anchor).is_intact


def test_anchor_of_another_hand_is_told(log: Warehouse) -> None:
    heads = verify(log.database, None).heads
    forged = keep_anchor(log.store, log.settings.model_copy(update={"hash_key": _secret("x" * 40)}), heads)
    found = newest_anchor(log.store, log.settings)
    log.store.delete(forged.key)
    assert found
    assert (found.key, found.is_genuine) == (forged.key, False)


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


@pytest.mark.parametrize(
    "verb", ["update ops.audit_log set door = door", "delete from ops.audit_log", "truncate ops.audit_log"]
)
@pytest.mark.parametrize("role", ["kyalo_loader", "kyalo_dashboard", "kyalo_custodian", None])
def test_nobody_changes_what_was_entered(log: Warehouse, role: str | None, verb: str) -> None:
    with log.database.connect() as connection:
        if role:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(verb)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def client(log: Warehouse) -> Iterator[httpx2.Client]:
    with served(log, rate_limit_per_minute=0, login_limit_per_minute=1000) as client:
        yield client


def newest(warehouse: Warehouse, action: str | None = None) -> Any:
    return list_entries(warehouse.database, action=action, limit=1)[0]


def test_survey_is_entered_with_what_it_is_about(client: httpx2.Client, log: Warehouse) -> None:
    given = add_client(log.database, "tablet-a", "device")
    headers = sign_in(client, given.name, given.secret)
    answer = client.post(SURVEY, json=EXAMPLE_SURVEY | {"household_id": "AUD-1"}, headers=headers)
    entry = newest(log, "survey.receive")
    assert (entry.actor, entry.door, entry.source, entry.result) == ("tablet-a", "api", "127.0.0.1", "allowed")
    assert (entry.subject, entry.households, entry.records) == (answer.json()["ingestion_id"], ["AUD-1"], 1)
    assert (entry.http_status, entry.request_id) == (200, answer.headers["X-Request-ID"])
    assert newest(log, "token.*").actor == "tablet-a"


def test_refusals_are_entered_with_their_codes(client: httpx2.Client, log: Warehouse) -> None:
    given = add_client(log.database, "tablet-b", "device")
    headers = sign_in(client, given.name, given.secret)
    refused: list[tuple[httpx2.Response, str, str | None, str]] = [
        (client.get("/api/v1/quarantine", headers=headers), "quarantine.list", "tablet-b", "auth.wrong_role"),
        (client.get("/api/v1/forms"), "form.list", None, "auth.missing_token"),
        (client.post(SURVEY, content=b"{", headers={**headers, "Content-Type": "application/json"}), "survey.receive",
         "tablet-b", "request.bad_json"),
        (client.post(SURVEY, content=b"x" * 2_000_000, headers=headers), "survey.receive", None, "request.too_large"),
        (client.post("/api/v1/auth/token", json={"client_id": "tablet-b", "client_secret": "x"}), "token.issue", None,
         "auth.bad_credentials"),
        (client.get("/no/such/route"), "unknown", None, "request.no_such_route"),
        (client.get("/openrosa/key/secret-in-the-address/formList"), "form.list", None, "auth.bad_url_token"),
    ]  # fmt: skip
    entries = list_entries(log.database, limit=len(refused))[::-1]
    for (answer, action, actor, code), entry in zip(refused, entries, strict=True):
        assert (entry.action, entry.actor, entry.code, entry.result) == (action, actor, code, "refused")
        assert entry.http_status == answer.status_code
    assert "secret-in-the-address" not in str(entries)


def test_number_in_an_address_is_not_entered(client: httpx2.Client, log: Warehouse) -> None:
    given = add_client(log.database, "office-n", "office")
    headers = sign_in(client, given.name, given.secret)
    assert client.get("/api/v1/quarantine/x%200772888666", headers=headers).status_code == 404
    entry = newest(log, "submission.show")
    assert (entry.actor, entry.subject[:9]) == ("office-n", "personal:")


def test_probes_are_not_entered(client: httpx2.Client, log: Warehouse) -> None:
    before = newest(log)
    assert client.get("/health").status_code == 200
    assert newest(log) == before


def test_nothing_is_done_that_cannot_be_entered(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "tablet-a", "device")
    with served(warehouse) as client:
        headers = sign_in(client, given.name, given.secret)
        with warehouse.database.transaction() as connection:
            connection.execute("alter table ops.audit_log add constraint none check (false) not valid")
        assert client.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers).status_code >= 500
        assert client.get("/api/v1/forms", headers=headers).status_code == 503
        assert client.post("/api/v1/upload/surveys", json=[EXAMPLE_SURVEY], headers=headers).json()["code"] == (
            "audit.unavailable"
        )
        with warehouse.database.transaction() as connection:
            assert connection.execute("select count(*) from raw.household_survey").fetchone() == (0,)
            connection.execute("alter table ops.audit_log drop constraint none")
        assert client.post(SURVEY, json=EXAMPLE_SURVEY, headers=headers).status_code == 200
    assert verify(warehouse.database, None).is_intact


def test_who_saw_a_household_is_told(client: httpx2.Client, log: Warehouse) -> None:
    given = add_client(log.database, "office-w", "office")
    headers = sign_in(client, given.name, given.secret)
    client.post(SURVEY, json=EXAMPLE_SURVEY | {"household_id": "WHO-1"}, headers=headers)
    batch = [EXAMPLE_SURVEY | {"household_id": name, "survey_data": {"household_size": 4}} for name in ("WHO-1", "X")]
    client.post("/api/v1/upload/surveys", json=batch, headers=headers)
    seen = who_saw(log.database, "WHO-1")
    assert [(entry.action, entry.actor, entry.door) for entry in seen] == [("survey.receive", "office-w", "api")] * 2
    assert seen[0].at - seen[1].at < timedelta(minutes=1)
    assert who_saw(log.database, "nobody") == []


def test_commands_enter_what_they_show_and_change(warehouse: Warehouse) -> None:
    added = run(warehouse, "clients", "add", "tablet-c", "--role", "device")
    assert added.returncode == 0
    secret = added.stdout.split("client_secret")[1].split()[0]
    assert run(warehouse, "clients", "add", "tablet-c", "--role", "device").returncode == 1
    entries = list_entries(warehouse.database)
    assert [(entry.action, entry.result, entry.subject) for entry in entries[::-1]] == [
        ("clients.add", "begun", "tablet-c"),
        ("clients.add", "allowed", "tablet-c"),
        ("clients.add", "begun", "tablet-c"),
        ("clients.add", "failed", "tablet-c"),
    ]
    assert (entries[0].code, entries[0].door) == ("client.exists", "cli")
    assert secret not in str(entries)
    assert run(warehouse, "audit", "verify").returncode == 0
    with warehouse.database.connect() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update ops.audit_log set actor = 'somebody else' where sequence = 2")
        connection.execute("alter table ops.audit_log drop constraint audit_log_at_check")
        connection.execute(r"update ops.audit_log set at = 'infinity', subject = e'one\ntwo' where sequence = 3")
    changed = run(warehouse, "audit", "verify")
    assert changed.returncode == 1
    assert "entry 2 of cli" in changed.stdout
    assert "entry 3 of cli" in changed.stdout
    listed = run(warehouse, "audit", "list")
    assert (listed.returncode, "one?two" in listed.stdout) == (0, True)


@pytest.mark.parametrize(
    "edit",
    ["at = 'infinity'", "at = '-infinity'", "subject = repeat('x', 1001)", "door = ''", "result = ''", "sequence = 0"],
)
def test_table_refuses_what_no_entry_holds(log: Warehouse, edit: str) -> None:
    with log.database.connect() as connection:
        connection.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"update ops.audit_log set {edit}")


@pytest.mark.parametrize(
    ("command", "action", "subject"),
    [
        (("--", "clients", "add", "ghost-1", "--role", "admin"), "clients.add", "ghost-1"),
        (("clients", "--", "add", "ghost-2", "--role", "admin"), "clients.add", "ghost-2"),
        (("quarantine", "discard", "some-submission", "--reason", "-h"), "quarantine.discard", "some-submission"),
        (("exec", "true", "-h"), "exec", None),
        (("archive",), "archive", None),
    ],
)
def test_no_way_to_call_a_command_passes_by_the_log(
    log: Warehouse, command: tuple[str, ...], action: str, subject: str | None
) -> None:
    run(log, *command)
    begun, ended = list_entries(log.database, limit=2)[::-1]
    assert (begun.action, begun.result, begun.subject) == (action, "begun", subject)
    assert (ended.action, ended.result) == (action, "failed" if "discard" in action else "allowed")


def test_help_is_no_command_and_numbers_are_not_entered(log: Warehouse) -> None:
    before = newest(log)
    assert run(log, "clients", "add", "ghost-3", "--role", "admin", "--help").returncode == 0
    assert newest(log) == before
    run(log, "reveal", "0772999888")
    revealing = newest(log)
    assert (revealing.action, revealing.code) == ("reveal", "household.not_found")
    assert revealing.subject in (revealing.households or ())
    assert run(log, "audit", "who", "0772 999 888").returncode == 0
    told = run(log, "audit", "who", "0772999888")
    assert "reveal" in told.stdout
    assert "772" not in told.stdout + str(list_entries(log.database, action="audit.who"))


def test_who_loaded_a_household_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    for name, household in (("one", "LOAD-1"), ("two", "LOAD-2")):
        (tmp_path / f"{name}.csv").write_text(f"household_id,household_size\n{household},4\n")
    assert run(warehouse, "load", str(tmp_path / "one.csv"), str(tmp_path / "two.csv")).returncode == 0
    (received,) = who_saw(warehouse.database, "LOAD-2")
    assert (received.action, received.door, received.actor) == ("survey.receive", "cli", getpass.getuser())
    (entered,) = who_saw(warehouse.database, str(received.subject))
    assert (entered.action, entered.door, entered.actor) == ("load.file", "cli", getpass.getuser())
    assert verify(warehouse.database, None).is_intact
