"""The command `kyalo copy`: the surveys without the people, for a warehouse to try things on."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import open_warehouse
from warehouse.errors import MisuseError

app = typer.Typer()


@app.command()
def copy(
    target: Annotated[
        str | None,
        typer.Argument(help="The empty database, as postgresql://user@host:5432/database; its password in PGPASSWORD."),
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="In place of TARGET: the folder of a warehouse with a server of its own.")
    ] = None,
    masked: Annotated[
        bool, typer.Option("--masked", help="Required: for a copy with everything in it use pg_dump.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the surveys into another warehouse under pseudonyms, so that it behaves the same and holds nobody."""
    from orchestration.masked_copy import copy_masked, open_target, target_settings

    if not masked or (target is None) == (home is None):
        raise MisuseError(
            "Say where to copy to, and that it is to be masked.",
            code="copy.unclear",
            remedy="kyalo copy --masked TARGET, or kyalo copy --masked --home FOLDER.",
        )
    with open_warehouse() as source:
        settings = (
            target_settings(source.settings, target)
            if target
            else source.settings.model_copy(update={"kyalo_home": home, "db_host": None, "storage_path": None})
        )
        with open_target(settings) as copied, err.status("copying"):
            done = copy_masked(source.database, copied)
    if as_json:
        print_json(asdict(done))
        return
    out.print(f"done: {count(done.surveys, 'survey')} of {count(done.uploads, 'upload')} copied; `kyalo run` there")
