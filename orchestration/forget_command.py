"""The command `kyalo forget`: a household is erased everywhere."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import open_warehouse
from warehouse.errors import ConfigurationError

if TYPE_CHECKING:
    from orchestration.erasure import Erasure

app = typer.Typer()


@app.command()
def forget(
    household: Annotated[str, typer.Argument(help="The household's identifier.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "the household asked for it",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say where it stands; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: it cannot be undone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a household everywhere, and search for it again; ends with 1 when something of it is left."""
    from orchestration.erasure import forget_household

    if not (yes or dry_run):
        raise ConfigurationError(
            "Nothing was erased: it cannot be undone.",
            code="erasure.unconfirmed",
            remedy="`--dry-run` says where the household stands; `--yes` erases it.",
        )
    with open_warehouse() as warehouse, err.status("searching everything"):
        done = forget_household(warehouse, household, reason=reason, requested_by=getpass.getuser(), dry_run=dry_run)
    if as_json:
        print_json({**asdict(done), "is_complete": done.is_complete})
    else:
        for said, places in (("found", done.found), ("left", done.left)):
            for place in places:
                out.print(f"{said:6} {place.found:>6,}  {place.name}", highlight=False, soft_wrap=True)
        if done.left:
            out.print("left is what names it in others' surveys and in texts: correct those, and ask again")
        for place_name in done.beyond_reach:
            out.print(f"not reached: {place_name}", highlight=False, soft_wrap=True)
        out.print(
            f"done: found in {count(len(done.found), 'place')}; {_verdict(done, dry_run=dry_run)}", highlight=False
        )
    if not done.is_complete:
        raise typer.Exit(1)


def _verdict(done: "Erasure", *, dry_run: bool) -> str:
    """What came of it, and what is to be done next."""
    if dry_run:
        return "nothing was changed"
    if done.left:
        return f"{count(len(done.left), 'place')} left"
    return "erased from all of them; `kyalo run` makes totals and exports anew" if done.found else "nothing is left"
