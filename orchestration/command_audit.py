"""The command line's part of the audit: each command is entered in the log when it begins and when it ends."""

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

# typer names no public way to the command that is invoked
from typer._click import Context
from typer._click.globals import get_current_context

from warehouse.audit import Chain, Draft, begin, current, end
from warehouse.audit.entries import Result
from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database
from warehouse.errors import KyaloError
from warehouse.logs import get_logger, hide_secrets
from warehouse.settings import Settings

logger = get_logger(__name__)
# Servers, whose doors have entries of their own, and what shows or changes nothing of anybody.
UNRECORDED = ("api", "dashboard", "docs", "health", "schedule", "stop", "synth", "up", "worker")


@contextmanager
def entered(settings: Settings, database: Database) -> Iterator[None]:
    """Enter the command that this process is, before the block and after it; without an entry it does not begin.

    Which command that is, is told by the one that the command line invokes, so that none is left out. Of a command
    that becomes another program, as `psql` does, the end is that moment. Nothing happens in a process that is no
    command, and in a block within another.
    """
    context = get_current_context(silent=True)
    action = _path(context) if context else ""
    if context is None or action in UNRECORDED or current():
        yield
        return
    draft = begin(Draft("cli", socket.gethostname(), action, getpass.getuser(), _subject(settings, context)))
    try:
        with _between_entries(database, _chain(settings, draft), draft):
            yield
    finally:
        end()


def enter_part(database: Database, action: str, subject: str) -> None:
    """Enter one of several things that a command does, by itself; nothing happens in a process that is no command.

    Args:
        database: where the log is.
        action: what was done.
        subject: to what.
    """
    draft = current()
    if draft and draft.door == "cli":
        part = replace(draft, action=action, subject=subject, code=None, records=None, households=None)
        _enter(database, _chain(database.settings, draft), part, "allowed")


@contextmanager
def _between_entries(database: Database, chain: Chain, draft: Draft) -> Iterator[None]:
    """The block between the two entries of a command."""
    _enter(database, chain, draft, "begun")
    try:
        yield
    except BaseException as error:
        draft.code = _code(error)
        try:
            _enter(database, chain, draft, "failed" if draft.code else "allowed")
        except KyaloError as problem:  # what the command failed with matters more
            logger.warning("the end of a command is not in the audit", action=draft.action, problem=str(problem))
        raise
    _enter(database, chain, draft, "allowed")


def _path(context: Context) -> str:
    """The words that name a command, such as `clients.add`."""
    names: list[str] = []
    while context.parent:
        names.insert(0, str(context.info_name))
        context = context.parent
    return ".".join(names)


def _subject(settings: Settings, context: Context) -> str | None:
    """The first argument of a command, as it may be kept; none of its options."""
    names = [str(one.name) for one in context.command.params if one.param_type_name == "argument"]
    given = context.params.get(names[0]) if names else None
    if not given:
        return None
    from ingest_api.personal import hide_number

    keys = load_key_ring(settings)
    named = map(str, given) if isinstance(given, (list, tuple)) else [str(given)]
    return " ".join(hide_number(keys, hide_secrets(each)) for each in named)  # an address may hold a password


def _chain(settings: Settings, draft: Draft) -> Chain:
    """The chain of all commands of this host."""
    return Chain(settings, f"cli/{draft.source}", f"cli/{draft.source}")


def _enter(database: Database, chain: Chain, draft: Draft, result: Result) -> None:
    with database.transaction() as connection:
        chain.append(connection, [draft.entry(result)])


def _code(error: BaseException) -> str | None:
    """The code of what ended a command; None where it ended as it should."""
    if isinstance(error, KyaloError):
        return error.error_code
    status = getattr(error, "exit_code", getattr(error, "code", 1))
    return None if status in {0, None} else "internal.error" if isinstance(error, Exception) else "job.interrupted"
