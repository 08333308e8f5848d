"""Points at which a process is killed: each holds the work just there, and tells when it has come so far."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from tests.chaos.stand import Ground, Stand
from tests.chaos.uploads import Client

Reached = Callable[[], bool]
Point = Callable[[Stand, Client], AbstractContextManager[Reached]]

GATE = 4711
LOOK_SECONDS = 0.2
MAKE_GATE = f"""
create schema if not exists chaos;
create or replace function chaos.wait_at_gate() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock({GATE});
    return coalesce(new, old);
end $$;
"""
WAITING_AT_GATE = f"select exists (select from pg_locks where locktype = 'advisory' and objid = {GATE} and not granted)"
WAITING_IN_COMMIT = (
    "select exists (select from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'kyalo')"
)


@contextmanager
def half_sent(_stand: Stand, client: Client) -> Iterator[Reached]:
    """Half of each request's body has arrived."""
    client.halfway.clear()
    try:
        yield lambda: client.are_all_held
    finally:
        client.halfway.set()


@contextmanager
def answered(_stand: Stand, client: Client) -> Iterator[Reached]:
    """Everything is acknowledged."""
    yield lambda: not client.missing


@contextmanager
def object_begun(stand: Stand, client: Client) -> Iterator[Reached]:
    """The store is writing an object, and the API stands still at it; or it was too quick to be caught."""

    def is_reached() -> bool:
        deadline = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < deadline:
            if any(path.name.startswith(".") for path in stand.store_folder.glob("raw/*/*/.*")):
                stand.processes["api"].send_signal(signal.SIGSTOP)
                return True
        return not client.missing

    yield is_reached


@contextmanager
def commit_durable(stand: Stand, _client: Client) -> Iterator[Reached]:
    """The transaction is on disk, and its COMMIT has not returned: it waits for a second server that is not there."""
    stand.execute("alter system set synchronous_standby_names = 'nobody'", "select pg_reload_conf()")
    try:
        yield lambda: stand.ask(WAITING_IN_COMMIT)
    finally:
        stand.execute("alter system reset synchronous_standby_names", "select pg_reload_conf()")


def row_written(table: str, event: str, condition: str) -> Point:
    """A statement is at a row of a table, before it writes it.

    Args:
        table: the table.
        event: insert, update or delete.
        condition: what is true of that row, as a trigger's `when` has it.
    """
    return lambda stand, _client: held_before_row(stand, table, event, condition)


def commit_begun(table: str) -> Point:
    """A transaction that has inserted into a table is committing, and nothing of it is durable yet."""
    trigger = f"create constraint trigger gate after insert on {table} deferrable initially deferred for each row"
    return lambda stand, _client: _gate(stand, table, trigger)


def held_before_row(ground: Ground, table: str, event: str, condition: str = "true") -> AbstractContextManager[Reached]:
    """The same for any warehouse, whoever it is that writes the row."""
    return _gate(ground, table, f"create trigger gate before {event} on {table} for each row when ({condition})")


@contextmanager
def _gate(ground: Ground, table: str, trigger: str) -> Iterator[Reached]:
    ground.execute(MAKE_GATE, f"{trigger} execute function chaos.wait_at_gate()")
    gate = ground.database.connect()
    gate.execute(f"select pg_advisory_lock({GATE})")
    gate.commit()
    try:
        yield lambda: ground.ask(WAITING_AT_GATE)
    finally:
        with contextlib.suppress(psycopg.OperationalError):  # the server was the one that was killed
            gate.close()
        ground.execute(f"drop trigger gate on {table}")
