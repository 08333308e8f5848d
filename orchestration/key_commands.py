"""The commands `kyalo keys ...`: the keys of what is personal, and their change."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import open_warehouse, read_settings

if TYPE_CHECKING:
    from orchestration.context import Warehouse
    from orchestration.keys.standing import KeyStanding

LINE = "{:10} {:22} {:>12} {:>10} {:>10}"
app = typer.Typer(help="Keys that encrypt what is personal: make, change, look at.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Make a new key; what is written from now on is encrypted with it.

    Where ENCRYPTION_KEY names the keys, as it must in production, the new one is printed, to be put before the others.
    """
    from warehouse.crypto.keys import add_key, keys_path, new_key

    settings = read_settings()
    if settings.encryption_key or settings.is_production:
        print(new_key())  # noqa: T201 - alone on standard output, so that it can be piped into a vault
        if settings.encryption_key:
            err.print("done: put it before the others in ENCRYPTION_KEY, parted by a comma, and restart; then rotate")
        else:
            kept = keys_path(settings)
            others = f", before those that {kept} holds, parted by commas" if kept.exists() else ""
            err.print(f"done: put it into ENCRYPTION_KEY, the same for every process{others}", highlight=False)
        return
    ring = add_key(settings)
    out.print(f"done: {ring.current_id} is the newest of {count(len(ring.ids), 'key')}; `kyalo keys rotate` goes on")


@app.command()
def rotate(
    now: Annotated[bool, typer.Option("--now", help="Do it here and now, not in the worker.")] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Only drop old keys that nothing needs any more from the data folder.")
    ] = False,
) -> None:
    """Encrypt everything that is stored anew with the newest key; old keys hold meanwhile, and a kill loses nothing."""
    from orchestration.keys.rotation import begin_rotation, continue_rotation
    from orchestration.keys.standing import drop_unused

    with open_warehouse() as warehouse:
        if drop_old:
            _print_dropped(warehouse, drop_unused(warehouse))
            return
        key_id = begin_rotation(warehouse, getpass.getuser())
        if not now:
            _print_begun(warehouse, key_id)
            return
        with err.status("encrypting anew") as status:
            done = 0

            def tell(more: int) -> None:
                nonlocal done
                done += more
                status.update(f"encrypting anew: {done:,}")

            renewed = continue_rotation(warehouse, tell)
    if renewed:
        told = f"{count(renewed.tokens, 'token')} and {count(renewed.objects, 'object')}"
        out.print(f"done: {told} encrypted with {key_id}", highlight=False)


def _print_begun(warehouse: "Warehouse", key_id: str) -> None:
    from orchestration.heartbeat import list_signs_of_life

    if any(sign.process == "worker" and sign.is_alive for sign in list_signs_of_life(warehouse.database)):
        out.print(f"done: the worker encrypts everything with {key_id}; `kyalo keys status` tells how far it is")
        return
    err.print("no worker is alive: start one with `kyalo worker`, or do it here with `kyalo keys rotate --now`")
    out.print(f"done: noted; the next worker encrypts everything with {key_id}")


def _print_dropped(warehouse: "Warehouse", unused: list[str]) -> None:
    if not warehouse.settings.encryption_key:
        out.print(f"done: {count(len(unused), 'key')} dropped", highlight=False)
        return
    if not unused:
        out.print("done: ENCRYPTION_KEY holds no key that nothing needs", highlight=False)
        return
    out.print(
        f"done: nothing needs {', '.join(unused)}. Kyalo cannot change ENCRYPTION_KEY: once every process was restarted"
        " with the newest key first, ask again, and take it out",
        highlight=False,
    )


@app.command()
def status(as_json: AsJson = False) -> None:
    """Tell what is encrypted with which key, and how rotations went."""
    from orchestration.keys.standing import key_standing

    with open_warehouse() as warehouse, err.status("looking at the head of every object"):
        standing = key_standing(warehouse)
    if as_json:
        print_json({**asdict(standing), "unused": standing.unused, "lost": standing.lost})
    else:
        _print_standing(standing)
    if standing.lost:
        raise typer.Exit(1)


def _print_standing(standing: "KeyStanding") -> None:
    out.print(LINE.format("KEY", "", "TOKENS", "WAITING", "OBJECTS"), highlight=False)
    for key in standing.keys:
        is_what = (
            "newest" if key.is_newest else "old" if key.is_known else "in clear" if key.key_id == "none" else "LOST"
        )
        counts = [f"{number:,}" for number in (key.tokens, key.waiting, key.objects)]
        out.print(LINE.format(key.key_id, is_what, *counts), highlight=False)
    for rotation in standing.rotations:
        ended = f"ended {rotation.finished_at:%Y-%m-%d %H:%M}" if rotation.finished_at else "under way"
        out.print(
            f"rotation to {rotation.key_id} by {rotation.requested_by}, {rotation.started_at:%Y-%m-%d %H:%M}: {ended},"
            f" {rotation.renewed_tokens:,} tokens, {rotation.renewed_objects:,} objects",
            highlight=False,
        )
    if standing.lost:
        out.print(f"failed: nobody has {', '.join(standing.lost)}: add it to ENCRYPTION_KEY", highlight=False)
        return
    spare = f"; {', '.join(standing.unused)} can go: `kyalo keys rotate --drop-old`" if standing.unused else ""
    out.print(f"done: {count(len(standing.keys), 'key')}{spare}", highlight=False)
