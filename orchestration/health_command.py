"""The command `kyalo health`: how well it all is, part by part, and why."""

from dataclasses import asdict

import typer
from rich.table import Table

from orchestration.console import AsJson, out, print_json
from orchestration.context import open_warehouse

app = typer.Typer()


@app.command()
def health(*, as_json: AsJson = False) -> None:
    """Say how well runs, data, models and machines are; a part without data is unknown, and counts for nothing."""
    from orchestration.monitoring.health import list_components, read_health

    with open_warehouse() as warehouse:
        found, components = read_health(warehouse.database), list_components(warehouse.database)
    if as_json:
        print_json({**asdict(found), "components": [asdict(component) for component in components]})
        return
    table = Table("part", "weight", "score", "is", "why", box=None, pad_edge=False)
    for part in components:
        score = "" if part.score is None else f"{part.score:.2f}"
        table.add_row(part.component.replace("_", " "), f"{part.weight:.1f}", score, part.status, part.reason)
    out.print(table, highlight=False)
    out.print(f"done: {found}", highlight=False)
