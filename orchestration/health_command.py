"""The command `kyalo health`: how well it all is, part by part, and why."""

from collections import Counter
from dataclasses import asdict

import typer
from rich.table import Table

from orchestration.console import AsJson, out, print_json
from orchestration.context import open_warehouse

app = typer.Typer()


@app.command()
def health(*, as_json: AsJson = False) -> None:
    """Say how well runs, data, models and machines are; a part without data is unknown, and counts for nothing."""
    from orchestration.alerts.book import list_alerts
    from orchestration.monitoring.health import list_components, read_health

    with open_warehouse() as warehouse:
        found, components = read_health(warehouse.database), list_components(warehouse.database)
        severities = Counter(alert.severity for alert in list_alerts(warehouse.database))
    if as_json:
        parts = [asdict(component) for component in components]
        print_json({**asdict(found), "open_alerts": severities, "components": parts})
        return
    table = Table("part", "weight", "score", "is", "why", box=None, pad_edge=False)
    for part in components:
        score = "" if part.score is None else f"{part.score:.2f}"
        table.add_row(part.component.replace("_", " "), f"{part.weight:.1f}", score, part.status, part.reason)
    out.print(table, highlight=False)
    # A score is of what is measured: what is wrong beside it has alerts of its own.
    alerts = ", ".join(f"{rows} {severity}" for severity, rows in sorted(severities.items()))
    out.print(f"done: {found}{f'; open alerts: {alerts}' if alerts else ''}", highlight=False)
