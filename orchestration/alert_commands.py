"""The commands `kyalo alerts ...`: what is wrong, who knows, who is told."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import open_warehouse

if TYPE_CHECKING:
    from orchestration.alerts.book import Alert

LINE = "{:8}  {:16}  {:16}  {:22}  {:20}  {}"
app = typer.Typer(help="See what is wrong, and say that you know.", no_args_is_help=True)


@app.command("list")
def list_all(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what is wrong, since when, and who knows."""
    from orchestration.alerts.book import list_alerts

    with open_warehouse() as warehouse:
        alerts = list_alerts(warehouse.database, with_resolved=all_, limit=limit)
    if as_json:
        print_json([asdict(alert) for alert in alerts])
        return
    if alerts:
        typer.echo(LINE.format("severity", "since", "until", "alert", "known to", "what"))
    for alert in alerts:
        _print_alert(alert)
    still_open = [alert for alert in alerts if alert.resolved_at is None]
    told = (
        f"{count(len(still_open), 'alert')} open; docs/runbooks.md says what to do"
        if still_open
        else "no alert is open"
    )
    out.print(f"done: {told}", highlight=False)


@app.command()
def ack(
    alert: Annotated[str, typer.Argument(help="Name of an alert, as `kyalo alerts list` shows it, or its identity.")],
    subject: Annotated[str | None, typer.Option(help="Only that of this subject: a host, a track, a district.")] = None,
    by: Annotated[str | None, typer.Option(help="Who knows; the login name when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that you know of an alert: it stays open until it is right again, but nobody is told of it any more."""
    from orchestration.alerts.book import acknowledge

    with open_warehouse() as warehouse:
        alerts = acknowledge(warehouse.database, alert, by=by or getpass.getuser(), subject=subject)
    if as_json:
        print_json([asdict(one) for one in alerts])
        return
    told = f"{count(len(alerts), 'alert')} acknowledged"
    out.print(f"done: {told}; what is wrong stays open until it is right again", highlight=False)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Look at every rule now, as each run does and the worker each minute, and tell who is to be told."""
    from orchestration.alerts import check_alerts
    from orchestration.alerts.book import list_alerts

    with open_warehouse() as warehouse:
        changes = check_alerts(warehouse, everything=True)
        standing = list_alerts(warehouse.database)
    if as_json:
        print_json(asdict(changes))
        return
    for title, alerts in (("opened", changes.opened), ("told again", changes.repeated), ("resolved", changes.resolved)):
        for alert in alerts:
            out.print(f"{title}: {alert.severity}: {alert.message}", highlight=False, soft_wrap=True)
    opened, resolved = len(changes.opened), len(changes.resolved)
    out.print(f"done: {opened} opened, {resolved} resolved, {count(len(standing), 'alert')} open", highlight=False)


@app.command("test")
def send(as_json: AsJson = False) -> None:
    """Send a message to everybody whom ALERT_EMAIL and ALERT_URLS name, and say who took it."""
    from orchestration.alerts.sending import send_test

    with open_warehouse() as warehouse:
        problems = send_test(warehouse)
    refused = sum(problem is not None for problem in problems.values())
    if as_json:
        print_json(problems)
    else:
        for receiver, problem in problems.items():
            out.print(f"{receiver}: {problem or 'taken'}", highlight=False, soft_wrap=True)
        said = f"{count(len(problems), 'receiver')}, {refused} did not take it"
        out.print(f"done: {said}" if problems else "done: ALERT_EMAIL and ALERT_URLS name nobody", highlight=False)
    if refused:
        err.print("See SMTP_URL, ALERT_EMAIL and ALERT_URLS in docs/settings.md.")
        raise typer.Exit(1)


def _print_alert(alert: "Alert") -> None:
    """One line each, however wide."""
    since, until = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (alert.opened_at, alert.resolved_at))
    named = f"{alert.alert} ({alert.subject})" if alert.subject else alert.alert
    typer.echo(LINE.format(alert.severity, since, until, named, alert.acknowledged_by or "", alert.message))
