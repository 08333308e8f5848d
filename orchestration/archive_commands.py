"""The commands `kyalo archive ...`: what is old is archived or deleted, by policy."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import open_warehouse, read_settings

if TYPE_CHECKING:
    from orchestration.lifecycle import Account, Policy

app = typer.Typer(help="Archive, export and delete what has grown old, by policy.", invoke_without_command=True)


@app.callback()
def archive(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Archive, export and delete what has grown old, by policy; what no policy names is kept."""
    if context.invoked_subcommand:
        return
    from orchestration.lifecycle import archive as carry_out

    with open_warehouse() as warehouse, err.status("looking for what has grown old"):
        account = carry_out(warehouse, dry_run=dry_run, requested_by=getpass.getuser())
    if as_json:
        print_json([asdict(act) for act in account.acts])
        return
    _print_account(account)
    out.print(f"done: {account}{'; nothing was changed' if dry_run and account.acts else ''}", highlight=False)


@app.command()
def policies(as_json: AsJson = False) -> None:
    """List what becomes of what, by class of data, and when."""
    from orchestration.lifecycle import list_policies

    found = list_policies(read_settings())
    if as_json:
        print_json([asdict(policy) for policy in found])
        return
    for policy in found:
        setting = f" ({policy.setting})" if policy.setting else ""
        said = f"{policy.data_class:12} {policy.name:23} {policy.action:9} {_when(policy):16} {policy.what}{setting}"
        out.print(said, highlight=False, soft_wrap=True)
    out.print("done: what no policy names is kept for ever")


@app.command()
def restore(
    form: Annotated[str, typer.Argument(help="The form whose raw rows were exported.")],
    month: Annotated[str | None, typer.Option(help="One month, such as 2026-01; all when omitted.")] = None,
) -> None:
    """Bring exported raw rows back into the database."""
    from orchestration.lifecycle import restore_rows

    with open_warehouse() as warehouse, err.status("bringing rows back"):
        acts = restore_rows(warehouse, form, month, getpass.getuser())
    rows = sum(act.rows or 0 for act in acts)
    out.print(f"done: {count(rows, 'row')} of {count(len(acts), 'file')} restored", highlight=False)


def _when(policy: "Policy") -> str:
    if policy.action == "kept":
        return "for ever"
    return f"after {count(policy.days, 'day')}" if policy.days else "never"


def _print_account(account: "Account") -> None:
    for act in account.acts:
        sizes = [count(act.rows, "row") if act.rows else "", count(act.bytes, "byte") if act.bytes else ""]
        size = ", ".join(filter(None, sizes))
        place = f" -> {act.object_key}" if act.object_key else ""
        out.print(
            f"{account.told(act.action):9} {act.subject}{place}{f' ({size})' if size else ''}",
            highlight=False,
            soft_wrap=True,
        )
