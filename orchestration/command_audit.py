"""The command line's part of the audit: each command is entered in the log when it begins and when it ends."""

import getpass
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from typer.main import get_command

from warehouse.audit import Chain, Draft, begin, current
from warehouse.audit.entries import Result
from warehouse.database import Database
from warehouse.errors import KyaloError
from warehouse.logs import get_logger, hide_secrets
from warehouse.settings import Settings

logger = get_logger(__name__)
# Servers, whose doors have entries of their own, and what shows or changes nothing of anybody.
UNRECORDED = ("api", "dashboard", "docs", "health", "stop", "synth", "up", "worker")


def begin_command(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Tell the log which command this process is, with the first of its arguments and none of its options.

    Args:
        app: all commands.
        arguments: what the process was called with.
    """
    command, path, rest = get_command(app), list[str](), [*arguments]
    while commands := getattr(command, "commands", None):
        if not rest or rest[0] not in commands:
            return  # the command line says what is wrong with it
        path.append(rest.pop(0))
        command = commands[path[-1]]
    if path[0] in UNRECORDED or {"--help", "-h"} & {*rest}:
        return
    given = command.make_context(path[-1], rest, resilient_parsing=True).params
    first = next((given.get(str(one.name)) for one in command.params if one.param_type_name == "argument"), None)
    named = " ".join(map(str, first)) if isinstance(first, (list, tuple)) else first
    draft = Draft("cli", socket.gethostname(), ".".join(path), getpass.getuser())
    draft.subject = hide_secrets(str(named)) if named else None  # an address may hold a password
    begin(draft)


@contextmanager
def entered(settings: Settings, database: Database) -> Iterator[None]:
    """Enter the command that this process is, before the block and after it; without an entry it does not begin.

    Of a command that becomes another program, as `psql` does, the end is that moment. Nothing happens in a process
    that is no command, and in a block within another.
    """
    draft = current()
    if draft is None or draft.door != "cli" or draft.is_written:
        yield
        return
    chain = Chain(settings, f"cli/{draft.source}", f"cli/{draft.source}")
    _enter(database, chain, draft, "begun")
    draft.is_written = True
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


def _enter(database: Database, chain: Chain, draft: Draft, result: Result) -> None:
    with database.transaction() as connection:
        chain.append(connection, [draft.entry(result)])


def _code(error: BaseException) -> str | None:
    """The code of what ended a command; None where it ended as it should."""
    if isinstance(error, KyaloError):
        return error.error_code
    status = getattr(error, "exit_code", getattr(error, "code", 1))
    return None if status in {0, None} else "internal.error" if isinstance(error, Exception) else "job.interrupted"
