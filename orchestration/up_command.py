"""The commands `kyalo up` and `kyalo stop`: database, API, worker, scheduler and dashboard together."""

import sys
from contextlib import closing

import typer

from orchestration.console import err, out
from orchestration.context import open_warehouse, read_settings, require_keys
from orchestration.graph.lock import holding_pipeline
from orchestration.up_lock import end_up, keeping_home_up
from warehouse.database import Database
from warehouse.embedded import EmbeddedServer
from warehouse.errors import BusyError, ConfigurationError
from warehouse.settings import Settings

COMMANDS = {"api": ("api",), "worker": ("worker",), "scheduler": ("schedule",), "dashboard": ("dashboard",)}
app = typer.Typer()


@app.command()
def up() -> None:
    """Run PostgreSQL, API, worker, scheduler and dashboard until SIGTERM or Ctrl+C; what dies is started again."""
    from orchestration.stopping import stop_on_signal
    from orchestration.supervisor import Supervisor

    settings = read_settings()
    server = EmbeddedServer(settings.home) if settings.is_embedded else None
    is_ours = server is not None and not server.is_running()
    with keeping_home_up(settings.home):
        _require_startable(settings)
        stop = stop_on_signal()
        try:
            has_clients = _prepare(settings)
            _say_where_to_look(settings, has_clients=has_clients)
            is_well = Supervisor(COMMANDS, _tell, _environment(settings)).keep(stop)
        finally:
            if server and is_ours:
                server.stop()
    if not is_well:
        err.print("done, but not every process ended as it should", highlight=False)
        raise typer.Exit(1)
    out.print("done: all have stopped")


@app.command()
def stop() -> None:
    """Stop what `kyalo up` keeps, and the embedded PostgreSQL unless a run needs it; its data stays."""
    settings = read_settings()
    stopped = end_up(settings.home)
    if settings.is_embedded:
        server = EmbeddedServer(settings.home)
        if server.is_running():
            _require_idle(settings)
        stopped = server.stop() or stopped
    elif not stopped:
        raise ConfigurationError("DB_HOST is set: that server is not Kyalo's to stop.", code="embedded.not_ours")
    out.print("done: stopped" if stopped else "done: it was not running")


def _require_idle(settings: Settings) -> None:
    """Leave PostgreSQL to a run, which would only start it again."""
    try:
        with closing(Database(settings)) as database, holding_pipeline(database, "kyalo stop"):
            return
    except BusyError as busy:
        busy.remedy = "Wait for its end, or break it off with Ctrl+C: `kyalo run --resume` goes on where it was."
        raise


def _require_startable(settings: Settings) -> None:
    """Say now what no process could begin with, and not by one that dies again and again.

    Raises:
        ConfigurationError: a key is missing, a schedule or a certificate cannot be used, or a port is taken.
    """
    from orchestration.listening import listen
    from orchestration.schedule import cron_lines
    from orchestration.tls import https_of

    require_keys(settings)
    cron_lines(settings)
    https_of(settings)
    listen("API", settings.api_host, settings.api_port, code="api.cannot_listen").close()
    listen("dashboard", settings.dashboard_host, settings.dashboard_port, code="dashboard.cannot_listen").close()


def _prepare(settings: Settings) -> bool:
    """Start the database and bring it up to date; whether anybody may use the API yet."""
    from ingest_api.auth.clients import list_clients

    with err.status("starting PostgreSQL"), open_warehouse(settings) as warehouse:
        return bool(list_clients(warehouse.database))


def _say_where_to_look(settings: Settings, *, has_clients: bool) -> None:
    from orchestration.tls import scheme_of

    scheme = scheme_of(settings)
    out.print(f"API        {scheme}://{settings.api_host}:{settings.api_port}/docs", highlight=False)
    out.print(f"dashboard  {scheme}://{settings.dashboard_host}:{settings.dashboard_port}/dashboard", highlight=False)
    if not has_clients:
        out.print(
            "nobody may use them yet: `kyalo clients add NAME --role admin` makes the first user", highlight=False
        )


def _environment(settings: Settings) -> dict[str, str]:
    """Let the processes write for people where people read."""
    return {"LOG_FORMAT": "console"} if settings.log_format == "auto" and sys.stdout.isatty() else {}


def _tell(name: str, line: str) -> None:
    typer.echo(f"{name:9} | {line}")
