"""The command `kyalo reveal`: who a household is."""

from dataclasses import asdict
from typing import Annotated

import typer

from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse

app = typer.Typer()


@app.command()
def reveal(
    household: Annotated[str, typer.Argument(help="The household's identifier.")],
    as_json: AsJson = False,
) -> None:
    """Show the personal answers of everything that was sent about a household; the audit log tells that you looked."""
    from ingest_api.reveal import reveal_household

    with open_warehouse() as warehouse:
        found = reveal_household(warehouse.database, household)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        out.print(f"{each.submission_key} ({each.form}), received {each.received_at:%Y-%m-%d}", highlight=False)
        for name, answer in each.answers.items():
            out.print(f"  {name}: {answer}", highlight=False, markup=False)
    nothing = "" if found else ": they were deleted, their time being over, or none were sent"
    out.print(f"done: {count(len(found), 'submission')} with personal answers{nothing}", highlight=False)
