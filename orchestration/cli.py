"""The command `kyalo`: every command opens the warehouse, calls one function and says what came of it."""

import gc
import getpass
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.alert_commands import app as alerts_app
from orchestration.archive_commands import app as archive_app
from orchestration.audit_commands import app as audit_app
from orchestration.check_command import app as check_app
from orchestration.client_commands import app as clients_app
from orchestration.console import AsJson, err, out, print_error, print_json
from orchestration.context import acting_as, open_warehouse, read_settings
from orchestration.copy_command import app as copy_app
from orchestration.forget_command import app as forget_app
from orchestration.health_command import app as health_app
from orchestration.key_commands import app as keys_app
from orchestration.model_commands import app as models_app
from orchestration.partner_commands import app as partners_app
from orchestration.policy_commands import app as policies_app
from orchestration.quarantine_commands import app as quarantine_app
from orchestration.reveal_command import app as reveal_app
from orchestration.schedule_commands import app as schedule_app
from orchestration.storage_commands import app as storage_app
from orchestration.tool_commands import PASSED_ON
from orchestration.tool_commands import app as tools_app
from orchestration.up_command import app as up_app
from warehouse.errors import (
    ConfigurationError,
    GateClosedError,
    KyaloError,
    MisuseError,
    Transient,
    UnreadableFileError,
)
from warehouse.grants import LOADER
from warehouse.logs import configure_logging, hide_secrets

if TYPE_CHECKING:
    from ml.tracks import Track
    from orchestration.context import Warehouse

app = typer.Typer(
    help="Household surveys from field devices to a table of households at risk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(check_app)
app.add_typer(up_app)
app.add_typer(copy_app)
app.add_typer(tools_app)
app.add_typer(reveal_app)
app.add_typer(forget_app)
app.add_typer(health_app)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(models_app, name="models")
app.add_typer(policies_app, name="policies")
app.add_typer(partners_app, name="partners")
app.add_typer(schedule_app, name="schedule")
app.add_typer(storage_app, name="storage")
app.add_typer(archive_app, name="archive")
app.add_typer(clients_app, name="clients")
app.add_typer(audit_app, name="audit")
app.add_typer(keys_app, name="keys")
app.add_typer(alerts_app, name="alerts")
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits(3)
MISUSED, GATE_CLOSED = 2, 3
YOUNG_OBJECTS = 50_000  # made before the collector looks through them: rows are many and refer to nothing in circles


@app.command()
def demo(
    surveys: Annotated[Path | None, typer.Option(help="A CSV file of yours in place of the bundled sample.")] = None,
) -> None:
    """Do it all from nothing: post surveys over HTTP, build, train, score, and say what was found."""
    from orchestration.demo import run_demo
    from orchestration.report import collect_account, print_account, print_change

    with open_warehouse() as warehouse, out.status("running the main job"):
        run, ingestion_id = run_demo(warehouse, surveys)
        account = collect_account(warehouse, run)
    print_account(out, account)
    out.rule("look further", align="left")
    kyalo = sys.argv[0]
    out.print(f"{kyalo} status {ingestion_id}    what became of the upload", highlight=False)
    out.print(f"{kyalo} psql -c 'table marts.rpt_district_summary'    any table, in SQL", highlight=False)
    out.print(f"{kyalo} docs    the tables, their columns and their lineage, as one page", highlight=False)
    out.print(f"{kyalo} api     the API, with its own documentation at /docs", highlight=False)
    out.print(f"{kyalo} up      all of it, with the dashboard at /dashboard", highlight=False)
    out.print(f"{kyalo} stop    stop PostgreSQL", highlight=False)
    print_change(out, run)


@app.command()
def load(
    files: Annotated[
        list[Path], typer.Argument(help="CSV, Excel, JSON or Parquet files, also gzipped or zipped.", metavar="FILE...")
    ],
    form: Annotated[str, typer.Option(help="The form that they hold.")] = "household_survey",
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; the first one when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load files the way the API does, and land their rows at once."""
    from orchestration.loading import load_file, print_receipt

    failed, stored = False, 0
    with open_warehouse() as warehouse, acting_as(warehouse, LOADER) as loader:
        for path in files:
            try:
                with err.status(f"loading {path}"):
                    status = load_file(loader, path, form, sheet)
            except UnreadableFileError as error:  # one bad file must not keep the others out
                print_error(error, about=str(path))
                failed = True
                continue
            print_json(status.model_dump()) if as_json else print_receipt(out, path, status)
            failed |= status.status == "failed"
            stored += status.balance.stored
            if status.balance.duplicate:
                from orchestration.erasure import try_erasing_sent_again  # it costs 0.3 s to load

                try_erasing_sent_again(warehouse)
    if failed:
        err.print("done, but not every file could be landed: `kyalo status` lists what was refused", highlight=False)
        raise typer.Exit(1)
    if not as_json:
        said = "`kyalo run` builds, scores and publishes what is new" if stored else "nothing new was stored"
        out.print(f"done: {said}")


@app.command(context_settings=PASSED_ON)
def build(context: typer.Context) -> None:
    """Build and test all dbt models, then publish the marts; with arguments, passed on to `dbt build`, only build."""
    from orchestration.building import build as build_models

    with open_warehouse() as warehouse, out.status("building"):
        said = build_models(warehouse, *context.args)
    out.print(f"done: {said}")


@app.command()
def train(
    track: Annotated[list[str] | None, typer.Option(help="screening or assessment; both when omitted.")] = None,
    replay: Annotated[
        int | None,
        typer.Option(metavar="VERSION", help="Only train this version of the track's model again, and compare."),
    ] = None,
) -> None:
    """Train, compare and register models on the feature mart; the gate decides whether they become champions."""
    from ml.tracking import mirror
    from ml.tracks import TRACKS
    from orchestration.report import print_models
    from orchestration.training import train_models

    tracks = [name for name in TRACKS if not track or name in track]
    if track and len(tracks) != len(set(track)):
        raise MisuseError(f"{', '.join(track)}: tracks are {', '.join(TRACKS)}.", code="train.unknown_track")
    with open_warehouse() as warehouse:
        if replay is not None:
            _replay(warehouse, tracks, replay)
            return
        with out.status("training"):
            outcomes = train_models(warehouse, tracks, getpass.getuser())
        print_models(out, [outcome.training.model for outcome in outcomes])
        for outcome in outcomes:
            out.print(str(outcome), highlight=False)
        if problem := mirror(warehouse.database, warehouse.store):
            err.print(problem, highlight=False)
        out.print("done: `kyalo run` scores and publishes with the champions")


@app.command()
def score(
    shadow: Annotated[bool, typer.Option("--shadow", help="Let the challengers score beside the champions.")] = False,
) -> None:
    """Score what the champions have not scored yet of the feature mart."""
    from orchestration.scoring import score_households

    with open_warehouse() as warehouse, out.status("scoring"):
        said = score_households(warehouse, with_challengers=shadow or warehouse.settings.shadow_challengers)
    out.print(f"done: {said}")


@app.command()
def run(
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train also where there are models; the same rows keep their model.")
    ] = False,
    from_step: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Only this step and all that need it.")
    ] = None,
    only_step: Annotated[str | None, typer.Option("--only", metavar="STEP", help="Only this step.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run, which failed: do what it did not finish.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a run that is under way.")] = False,
    requested_by: Annotated[str, typer.Option(help="Who asks, for the record.", hidden=True)] = "command",
    as_json: AsJson = False,
) -> None:
    """Run the pipeline: land what waits, build, train where there is reason to, score, publish, export, check."""
    from orchestration.pipeline import Request, run_pipeline
    from orchestration.report import collect_account, print_account, print_change
    from orchestration.stopping import exit_on_signal

    if sum(map(bool, (from_step, only_step, resume))) > 1:
        raise typer.BadParameter("--from, --only and --resume ask for different things: name one.")
    exit_on_signal(TRY_AGAIN)
    request = Request(retrain, from_step, only_step, resume=resume, wait=wait, by=requested_by)
    with open_warehouse() as warehouse:
        with err.status("running the pipeline") as shown:
            try:
                finished = run_pipeline(warehouse, request, tell=lambda doing: shown.update(f"running: {doing}"))
            except SystemExit:
                err.print("stopped" if request.scope else "stopped: `kyalo run --resume` goes on where it was")
                raise
        account = collect_account(warehouse, finished)
    if as_json:
        print_json(account)
        return
    print_account(out, account)
    print_change(out, finished)


@app.command()
def status(
    ingestion_id: Annotated[str | None, typer.Argument(help="One upload; everything when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what was received, what became of it, and how the last runs went."""
    from orchestration.loading import ingestion_status, print_status
    from orchestration.report import collect_account, print_account, print_runs

    with open_warehouse() as warehouse:
        if ingestion_id:
            found = ingestion_status(warehouse, ingestion_id)
            print_json(found.model_dump()) if as_json else print_status(out, found)
            return
        account = collect_account(warehouse)
    if as_json:
        print_json(account)
        return
    print_account(out, account)
    print_runs(out, account)


@app.command()
def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on; API_HOST when omitted.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; API_PORT when omitted.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Speak http also where a certificate is set.")] = False,
) -> None:
    """Serve the API until SIGTERM; `kyalo clients add` registers who may use it."""
    from orchestration.api_process import serve_api

    settings = read_settings()
    configure_logging(settings, "api")
    serve_api(settings, host or settings.api_host, settings.api_port if port is None else port, plain=plain)


@app.command()
def dashboard(
    host: Annotated[str | None, typer.Option(help="Address to listen on; DASHBOARD_HOST when omitted.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; DASHBOARD_PORT when omitted.")] = None,
) -> None:
    """Serve the dashboard until SIGTERM; `kyalo clients add` registers who may look at it."""
    from orchestration.dashboard.process import serve_dashboard

    settings = read_settings()
    configure_logging(settings, "dashboard")
    serve_dashboard(settings, host or settings.dashboard_host, settings.dashboard_port if port is None else port)


@app.command()
def worker() -> None:
    """Land uploaded files as they come, until SIGTERM."""
    from orchestration.worker import work

    configure_logging(read_settings(), "worker")
    with open_warehouse() as warehouse:
        work(warehouse)


@app.command()
def synth(
    households: Annotated[int, typer.Argument(min=1, help="How many households.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("surveys.csv"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 42,
    clean: Annotated[bool, typer.Option("--clean", help="Without the dirt of real exports.")] = False,
) -> None:
    """Write made-up surveys that look like the real ones."""
    from orchestration.synth import write_surveys

    with err.status(f"writing {households:,} households"):
        summary = write_surveys(output, households, seed=seed, clean=clean)
    out.print(f"done: {summary.rows:,} rows of {summary.households:,} households in {output}")


def _replay(warehouse: "Warehouse", tracks: Sequence["Track"], version: int) -> None:
    from ml.catalogue import find_model
    from ml.replay import TOLERANCE, replay

    if len(tracks) != 1:
        raise MisuseError("Say which track's model to replay.", code="train.no_track", remedy="--track screening")
    with out.status("training again"):
        difference = replay(warehouse.store, find_model(warehouse.database, tracks[0], version))
    out.print(f"done: no number differs by more than {difference:.1g}; {TOLERANCE:.0e} is allowed")


def main() -> None:
    """Run the command and end with an exit code that tells the truth."""
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        with suppress(ConfigurationError):  # the command says so itself, where it reads the settings
            configure_logging(read_settings(), "".join(sys.argv[1:2]), quiet=True)
        app(standalone_mode=True)
    except KyaloError as error:
        print_error(error)
        sys.exit(_exit_code(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        err.print(f"error file.unusable: {place}{error.strerror or error}", highlight=False)
        err.print("Check the path and its permissions, and that the disk has room.", highlight=False)
        sys.exit(1)
    except Exception:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        log_file = _keep_traceback()
        err.print(f"error internal.error: something went wrong that should not; it stands in {log_file}")
        sys.exit(1)


def _exit_code(error: KyaloError) -> int:
    if isinstance(error, GateClosedError):
        return GATE_CLOSED
    if isinstance(error, MisuseError):
        return MISUSED
    return TRY_AGAIN if isinstance(error, Transient) else 1


def _keep_traceback() -> Path:
    log_file = Path(os.environ.get("KYALO_HOME", ".kyalo")) / "logs" / "errors.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a") as log:
        log.write(
            f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv[1:2])}\n{hide_secrets(traceback.format_exc())}\n"
        )
    return log_file
