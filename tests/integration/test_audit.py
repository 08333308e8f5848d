"""The log of who saw and changed what: nothing gets past it, and nothing in it can be changed unseen."""

import getpass
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
WRITERS, EACH = 4, 60
SURVEY = "/api/v1/upload/survey-data"
COLUMNS = [
    ("at", "at + interval '1 microsecond'"),
    ("door", "case door when 'api' then 'cli' else 'api' end"),
    ("action", "action || 'x'"),
    ("actor", "case when actor is null then 'x' end"),
    ("source", "source || '0'"),
    ("subject", "case when subject is null then '' end"),
    ("result", "case result when 'allowed' then 'refused' else 'allowed' end"),
    ("code", "case when code is null then 'auth.revoked' end"),
    ("http_status", "http_status + 1"),
    ("records", "case when records is null then 0 end"),
    ("households", "households || 'KAN-2'::text"),
    ("request_id", "case when request_id is null then 'a' end"),
    ("previous_hash", "sha256(previous_hash)"),
    ("hash", "sha256(hash)"),
    ("sequence", "sequence + 100000"),
    ("chain_id", "(select max(chain_id) || 'x' from ops.audit_chains)"),
]
HARD_TO_READ = [
    ("at", "'infinity'"),
    ("at", "'-infinity'"),
    ("at", "'294276-12-31 23:59:59+00'"),
    ("at", "'4713-01-01 00:00:00+00 BC'"),
    ("subject", "repeat('x', 1000000)"),
    ("subject", r"'\u0000'"),
    ("subject", r"e'a\n\x1b[2J'"),
    ("households", "'{null}'"),
    ("households", "'{{a,b},{c,d}}'"),
    ("households", "array_fill('x'::text, array[10000])"),
    ("http_status", "-32768"),
    ("records", "-2147483648"),
    ("sequence", "9223372036854775807"),
    ("sequence", "-9223372036854775808"),
    ("previous_hash", "''"),
    ("hash", "''"),
    *((column, "null") for column in ("chain_id", "sequence", "at", "door", "action", "result", "hash")),
    ("previous_hash", "null"),
]
ELSEWHERE = [
    *(("audit_heads", column, "null") for column in ("chain_id", "sequence", "hash", "seal")),
    *(("audit_chains", column, "null") for column in ("position", "chain_id", "opened_at", "previous_hash", "hash")),
    ("audit_chains", "opened_by", "null"),
    ("audit_chains", "opened_at", "'infinity'"),
    ("audit_chains", "opened_at", "'294276-12-31 23:59:59+00'"),
]
SHAPES = [
    "alter column records type numeric",
    "alter column households type text",
    "alter column at type text",
    "alter column hash type text using 'x'",
    "alter column sequence type text",
    "drop column subject",
    "rename to log",
]
UNBIND = """
do $$
declare
    bond record;
begin
    for bond in
        select pg_constraint.conrelid::regclass as place, pg_constraint.conname as name
        from pg_constraint
        where pg_constraint.conrelid::regclass::text in ('ops.audit_log', 'ops.audit_chains', 'ops.audit_heads')
        order by position(pg_constraint.contype::text in 'fcpun')
    loop
        execute format('alter table %s drop constraint %I', bond.place, bond.name);
    end loop;
end;
$$
"""


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


@dataclass
class Forger:
    """Somebody with all rights in the database, and without the key."""

    connection: psycopg.Connection
    choice: random.Random

    def do(self, statement: str, *values: object) -> int:
        """Change something; how many rows."""
        return self.connection.execute(statement, values).rowcount  # type: ignore[call-overload, no-any-return]

    def entry(self) -> tuple[str, int]:
        """Any entry."""
        rows = self.connection.execute("select chain_id, sequence from ops.audit_log order by 1, 2").fetchall()
        chain_id, sequence = self.choice.choice(rows)
        return chain_id, sequence


def update(forger: Forger) -> int:
    column, value = forger.choice.choice(COLUMNS + HARD_TO_READ)
    statement = f"update ops.audit_log set {column} = {value} where chain_id = %s and sequence = %s"
    return forger.do(statement, *forger.entry())


def update_elsewhere(forger: Forger) -> int:
    table, column, value = forger.choice.choice(ELSEWHERE)
    return forger.do(f"update ops.{table} set {column} = {value} where chain_id = %s", forger.entry()[0])


def change_shape(forger: Forger) -> int:
    return forger.do(f"alter table ops.audit_log {forger.choice.choice(SHAPES)}")


def delete(forger: Forger) -> int:
    return forger.do("delete from ops.audit_log where chain_id = %s and sequence = %s", *forger.entry())


def insert_at_the_end(forger: Forger) -> int:
    chain_id, _ = forger.entry()
    return forger.do(
        "insert into ops.audit_log select (jsonb_populate_record(last, jsonb_build_object("
        "'sequence', sequence + 1, 'previous_hash', last.hash))).* from ops.audit_log as last"
        " where chain_id = %s order by sequence desc limit 1",
        chain_id,
    )


def insert_and_move_the_end(forger: Forger) -> int:
    insert_at_the_end(forger)
    return forger.do(
        "update ops.audit_heads set sequence = last.sequence, hash = last.hash from ops.audit_log as last"
        " where last.chain_id = audit_heads.chain_id and last.sequence = audit_heads.sequence + 1"
    )


def swap(forger: Forger) -> int:
    (chain_id, one), other = forger.entry(), forger.choice.randint(1, EACH)
    other = other if other != one else one % EACH + 1
    return forger.do(
        "update ops.audit_log as changed set (at, action, subject, households, hash) ="
        " (select at, action, subject, households, hash from ops.audit_log as source where chain_id = %s"
        " and sequence = case changed.sequence when %s then %s else %s end)"
        " where chain_id = %s and sequence in (%s, %s)",
        *(chain_id, one, other, one, chain_id, one, other),
    )


def cut_tail(forger: Forger) -> int:
    chain_id, _ = forger.entry()
    return forger.do(
        "delete from ops.audit_log where chain_id = %s and sequence > %s", chain_id, forger.choice.randrange(EACH)
    )


def cut_tail_and_its_end(forger: Forger) -> int:
    chain_id, sequence = forger.entry()
    forger.do("delete from ops.audit_log where chain_id = %s and sequence >= %s", chain_id, sequence)
    return forger.do(
        "update ops.audit_heads set sequence = %s, hash = coalesce((select hash from ops.audit_log where chain_id ="
        " %s order by sequence desc limit 1), hash) where chain_id = %s",
        *(sequence - 1, chain_id, chain_id),
    )


def delete_chain(forger: Forger) -> int:
    chain_id, _ = forger.entry()
    return sum(
        forger.do(sql.SQL("delete from ops.{} where chain_id = %s").format(sql.Identifier(table)), chain_id)  # type: ignore[arg-type]
        for table in ("audit_log", "audit_heads", "audit_chains")[: forger.choice.randint(1, 3)]
    )


def delete_last_chain(forger: Forger) -> int:
    (position,) = forger.connection.execute("select max(position) from ops.audit_chains").fetchone() or (0,)
    last = "(select chain_id from ops.audit_chains where position = %s)"
    forger.do(f"delete from ops.audit_log where chain_id = {last}", position)
    forger.do(f"delete from ops.audit_heads where chain_id = {last}", position)
    return forger.do("delete from ops.audit_chains where position = %s", position)


def replace_chain(forger: Forger) -> int:
    return forger.do("update ops.audit_chains set opened_by = opened_by || 'x' where chain_id = %s", forger.entry()[0])


def change_end(forger: Forger) -> int:
    return forger.do("update ops.audit_heads set seal = sha256(seal) where chain_id = %s", forger.entry()[0])


def delete_all(forger: Forger) -> int:
    return sum(forger.do(f"delete from ops.{table}") for table in ("audit_log", "audit_heads", "audit_chains"))


KINDS: list[tuple[Callable[[Forger], int], int]] = [
    (update, 50),
    (update_elsewhere, 10),
    (change_shape, 4),
    (delete, 12),
    (insert_at_the_end, 6),
    (insert_and_move_the_end, 6),
    (swap, 10),
    (cut_tail, 6),
    (cut_tail_and_its_end, 6),
    (delete_chain, 6),
    (delete_last_chain, 2),
    (replace_chain, 3),
    (change_end, 2),
    (delete_all, 1),
]


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
