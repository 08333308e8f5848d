"""The commands `kyalo partners ...`: which other organisations read the analysts' views, and of which districts."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse

app = typer.Typer(help="Let partners read the rows of their districts, and end it.", no_args_is_help=True)
ONLY_HERE = ("127.0.0.1", "::1", "localhost")
Name = Annotated[str, typer.Argument(help="The partner's name; it signs in as partner_NAME.")]


@app.command()
def add(
    name: Name,
    district: Annotated[list[str], typer.Option(help="A district whose rows it sees, as the marts write it; repeat.")],
    as_json: AsJson = False,
) -> None:
    """Make a login to the database that sees the schema analyst, of these districts; shows its password, this once."""
    from warehouse.partners import add_partner, partner_url

    with open_warehouse() as warehouse:
        role, password = add_partner(warehouse.database, name, district)
        address = warehouse.database.address()
    place = {"host": address["host"], "port": address["port"], "database": address["dbname"], "user": role}
    url = partner_url(address, role)
    if as_json:
        print_json({**place, "password": password, "url": url, "districts": district})
        return
    for said, value in {**place, "password": password}.items():
        out.print(f"{said:<9} {value}", highlight=False, soft_wrap=True)
    out.print(f"connect   psql '{url}'", highlight=False, soft_wrap=True)
    if address["host"] in ONLY_HERE:
        out.print("          from this machine alone: a server elsewhere (DB_HOST) or a tunnel lets partners in")
    out.print(f"done: {role} sees {count(len(district), 'district')}; the password is not kept, note it now")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the partners and their districts."""
    from warehouse.partners import list_partners

    with open_warehouse() as warehouse:
        partners = list_partners(warehouse.database)
    if as_json:
        print_json([asdict(partner) for partner in partners])
        return
    table = Table("partner", "since", "districts", box=None)
    for partner in partners:
        table.add_row(partner.role_name, f"{partner.added_at:%Y-%m-%d}", ", ".join(partner.districts))
    out.print(table)
    out.print(f"done: {count(len(partners), 'partner')}")


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """End a partner's login, and what it is just reading."""
    from warehouse.partners import remove_partner

    with open_warehouse() as warehouse:
        remove_partner(warehouse.database, name)
    if as_json:
        print_json({"name": name, "removed": True})
        return
    out.print(f"done: {name} cannot sign in any more")
