"""Edits of the audit by somebody who has all rights in the database, and not the key."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

EACH = 60  # entries of each chain of the log that is edited
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
