"""The command `kyalo check`: what a file would come to, with nothing stored."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, err, out, print_json
from orchestration.context import open_warehouse

if TYPE_CHECKING:
    from orchestration.checking import Check

app = typer.Typer()


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A file of surveys.")],
    form: Annotated[str, typer.Option(help="The form that it holds.")] = "household_survey",
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook; the first one when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what loading a file would come to: rows, duplicates, failures by rule. Nothing is stored."""
    from orchestration.checking import check_file

    with open_warehouse() as warehouse, err.status(f"checking {file}"):
        found = check_file(warehouse, file, form, sheet)
    print_json(asdict(found)) if as_json else _print_check(file, found)


def _print_check(path: Path, found: "Check") -> None:
    """Print what would happen to a file."""
    from ingest_api.personal import say_findings

    out.print(
        f"{path}: {found.received:,} surveys ({', '.join(dict.fromkeys(found.format))}): {found.stored:,} new,"
        f" {found.already_stored:,} stored already, {found.repeated:,} repeated in the file,"
        f" {found.rejected:,} rejected, {found.conflict:,} in conflict",
        highlight=False,
    )
    if found.duplicate_of:
        out.print(f"  the same file was loaded before: {found.duplicate_of}", highlight=False)
    if found.is_judged:
        out.print(f"  of the new ones {found.quarantined:,} would go to quarantine", highlight=False)
    else:
        out.print(f"  no rules judge the form {found.form}", highlight=False)
    if found.gate_status == "held":
        out.print("  so much of it is bad that the whole batch would be held for a reviewer", highlight=False)
    for rule in found.rules:
        told = "quarantined by" if rule.severity == "reject" else "flagged by"
        out.print(f"  {rule.rows:,} {told} {rule.rule}", highlight=False)
    for row in found.bad_rows:
        out.print(f"  line {row.row_number}: {row.code}: {row.message}", highlight=False)
    more = found.rejected + found.quarantined - len(found.bad_rows)
    if more > 0:
        out.print(f"  and {more:,} more bad rows", highlight=False)
    for notice in [*found.notices, *say_findings(found.personal_fields, "would be encrypted")]:
        out.print(f"  note: {notice}", highlight=False)
    out.print("done: nothing was stored")
