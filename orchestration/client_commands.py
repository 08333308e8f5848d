"""The commands `kyalo clients ...`: who may send and read."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ingest_api.auth.roles import Role
from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse

if TYPE_CHECKING:
    from ingest_api.auth.clients import Credentials

app = typer.Typer(help="Register who may send and read, and end it.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The client's name, as the ledger will show it.")]
WithUrlToken = Annotated[
    bool, typer.Option("--url-token", help="Give it an OpenRosa address with a token, for form apps without https.")
]


@app.command()
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="device: sends surveys. office: files, too. analyst: reads. admin: everything.")
    ],
    with_url_token: WithUrlToken = False,
    as_json: AsJson = False,
) -> None:
    """Register a client and show its secret, this once."""
    from ingest_api.auth.clients import add_client

    with open_warehouse() as warehouse:
        given = add_client(warehouse.database, name, role, with_url_token=with_url_token)
    _show(given, as_json=as_json, said=f"{name} is registered as {role}")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List every client that is or was registered."""
    from ingest_api.auth.clients import list_clients

    with open_warehouse() as warehouse:
        clients = list_clients(warehouse.database)
    if as_json:
        hidden = {"secret_hash", "url_token_hash"}
        print_json(
            [
                {name: value for name, value in asdict(client).items() if name not in hidden}
                | {"has_url_token": client.url_token_hash is not None}
                for client in clients
            ]
        )
        return
    table = Table("client", "role", "URL token", "registered", "last used", "revoked", box=None)
    for client in clients:
        times = [client.created_at, client.last_used_at, client.revoked_at]
        shown = [f"{time:%Y-%m-%d %H:%M}" if time else "" for time in times]
        table.add_row(client.name, client.role, "yes" if client.url_token_hash else "", *shown)
    out.print(table)
    out.print(f"done: {count(sum(client.revoked_at is None for client in clients), 'client')} may use the API")


@app.command()
def revoke(name: Name, as_json: AsJson = False) -> None:
    """Refuse a client from its next request on, whatever token it holds."""
    from ingest_api.auth.clients import revoke_client

    with open_warehouse() as warehouse:
        revoke_client(warehouse.database, name)
    if as_json:
        print_json({"name": name, "revoked": True})
        return
    out.print(f"done: {name} is refused from now on")


@app.command()
def rotate(name: Name, with_url_token: WithUrlToken = False, as_json: AsJson = False) -> None:
    """Give a client a new secret, and a new URL token if it has one; the old ones and their tokens end at once."""
    from ingest_api.auth.clients import rotate_client

    with open_warehouse() as warehouse:
        given = rotate_client(warehouse.database, name, with_url_token=with_url_token)
    _show(given, as_json=as_json, said=f"{name} has a new secret")


def _show(given: "Credentials", *, as_json: bool, said: str) -> None:
    address = f"/openrosa/key/{given.url_token}" if given.url_token else None
    if as_json:
        print_json({"client_id": given.name, "client_secret": given.secret, "openrosa_path": address})
        return
    out.print(f"client_id      {given.name}", highlight=False)
    out.print(f"client_secret  {given.secret}", highlight=False, soft_wrap=True)
    if address:
        out.print(f"OpenRosa path  {address}", highlight=False, soft_wrap=True)
    out.print(f"done: {said}; what stands above is shown this once")
