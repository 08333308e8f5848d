"""The commands `kyalo audit ...`: who saw and changed what, and whether the log of it is what was written."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse
from warehouse.audit.entries import LONGEST
from warehouse.crypto.keys import load_key_ring

if TYPE_CHECKING:
    from warehouse.audit.reading import Entry

LINE = "{:19}  {:9}  {:20}  {:24}  {:8}  {:28}  {}"
MOST_NAMED = 100
app = typer.Typer(help="See who saw and changed what, and verify the log of it.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")]


def read_moment(text: str) -> datetime:
    """A time of ISO 8601; in UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no time, such as 2026-11-01 or 2026-11-01T06:30.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Read the whole log, and name every entry that was changed, left out or written by another; then anchor it.

    The anchor, the ends of all chains, is kept in the object store: the next verification finds what was cut off.
    """
    from orchestration.audit import told, verify_log

    with open_warehouse() as warehouse:
        found = verify_log(warehouse)
        if as_json:
            print_json({"is_intact": found.is_intact, **asdict(found, dict_factory=_plain)})
        else:
            for finding in found.findings[:MOST_NAMED]:
                typer.echo(str(finding))
        said = told(found)
    if not as_json:
        out.print(f"done: {said}", highlight=False)


@app.command()
def who(
    household: Annotated[
        str, typer.Argument(help="The household's identifier, or an upload's, a submission's, a client's.")
    ],
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """List who saw or changed a household, when, and through which door."""
    from ingest_api.personal import hide_number
    from warehouse.audit.reading import who_saw

    with open_warehouse() as warehouse:
        named = hide_number(load_key_ring(warehouse.settings), household)
        found = who_saw(warehouse.database, named, limit=limit)
    _show(found, as_json=as_json)


@app.command("list")
def list_all(
    since: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", parser=read_moment, help="None that is older, in UTC, such as 2026-11-01T06:30."),
    ] = None,
    who: Annotated[str | None, typer.Option(help="Only of this client, or user of a command.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this one; `quarantine.*` are all that begin so.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what was seen and changed, the newest first."""
    from warehouse.audit.reading import list_entries

    with open_warehouse() as warehouse:
        found = list_entries(warehouse.database, since=since, actor=who, action=action, limit=limit)
    _show(found, as_json=as_json)


def _show(entries: "list[Entry]", *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    if entries:
        typer.echo(LINE.format("when (UTC)", "door", "who", "action", "result", "what", "code").rstrip())
    for entry in entries:
        when = f"{entry.at:%Y-%m-%d %H:%M:%S}"
        shown = (when, entry.door, entry.actor, entry.action, entry.result, entry.subject, entry.code)
        typer.echo(LINE.format(*map(_printable, shown)).rstrip())
    out.print(f"done: {count(len(entries), 'entry', 'entries')}", highlight=False)


def _printable(text: str | None) -> str:
    """A text as it may stand in a line: what somebody asked for may hold line ends and signs that move a cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in (text or "")[:LONGEST])


def _plain(items: list[tuple[str, object]]) -> dict[str, object]:
    """What JSON can hold: hashes as hexadecimal digits."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in items}
