"""The commands that open other tools on the warehouse: psql, dbt, any program, and the page that documents it."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from orchestration.console import out
from orchestration.context import open_warehouse
from warehouse.errors import MisuseError
from warehouse.grants import SHORT_NAMES, role_named

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
app = typer.Typer()


@app.command(context_settings=PASSED_ON)
def psql(
    context: typer.Context,
    role: Annotated[
        str | None,
        typer.Option(
            help=f"See and do what a role may and no more: {', '.join(SHORT_NAMES)};"
            " everything, as the owner, when omitted."
        ),
    ] = None,
) -> None:
    """Open psql on the warehouse; arguments are passed on."""
    taken = {"PGOPTIONS": f"-c role={role_named(role)}"} if role else {}
    _execute(["psql", *context.args], taken)


@app.command(context_settings=PASSED_ON)
def dbt(context: typer.Context) -> None:
    """Run any dbt command on the warehouse; arguments are passed on."""
    _execute([str(Path(sys.executable).with_name("dbt")), *context.args])


@app.command("exec", context_settings=PASSED_ON)
def execute(context: typer.Context) -> None:
    """Run a program in the environment that names the warehouse (PG*, DB_*, DBT_*): pg_dump, sqlfluff, a script."""
    if not context.args:
        raise MisuseError("Say what to run.", code="exec.no_command", remedy="kyalo exec PROGRAM [ARGUMENTS]")
    _execute(context.args)


@app.command()
def docs(
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write the page to this file, with .html where it has no suffix;"
            " into KYALO_HOME, dbt/target/static_index.html, when omitted.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Write the documentation of every table, with its lineage, as one page that needs no network."""
    from orchestration.dbt import Dbt

    with open_warehouse() as warehouse, out.status("writing the documentation"), Dbt(warehouse) as child:
        page = child.docs()
    if output:
        output = output if output.suffix else output.with_suffix(".html")
        output.parent.mkdir(parents=True, exist_ok=True)
        page = Path(shutil.copyfile(page, output))
    out.print(f"done: {page}")


def _execute(command: list[str], variables: Mapping[str, str] = MappingProxyType({})) -> None:
    """Become another program, in dbt's environment and with some variables of its own."""
    from orchestration.dbt import Dbt, client_environment, dbt_environment, has_packages

    with open_warehouse() as warehouse:
        if not has_packages(warehouse):
            with Dbt(warehouse) as child:
                child.install_packages()
        environment = dbt_environment(warehouse) | client_environment(warehouse) | {**variables}
    os.execvpe(command[0], command, environment)  # noqa: S606 - no shell
