"""The commands `kyalo models ...`: what the registry holds, who is champion, and who becomes it."""

import getpass
import os
import sys
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestration.console import AsJson, err, out, print_json
from orchestration.context import Warehouse, open_warehouse
from orchestration.model_tables import print_checks, print_contents, print_measures, print_model, print_versions
from warehouse.errors import ConfigurationError, ConflictError, MisuseError

if TYPE_CHECKING:
    from ml.catalogue import TrainedModel
    from ml.foreign.contents import Contents

REFUSED = 1
app = typer.Typer(help="Look at models, compare them, and decide which one scores.", no_args_is_help=True)

Track = Literal["screening", "assessment"]
Reference = Annotated[
    str, typer.Argument(help="TRACK/VERSION, as `kyalo models list` shows it; TRACK alone for its champion.")
]
By = Annotated[str | None, typer.Option(help="Who decides; the login name when omitted.")]


@app.command("list")
def list_all(
    track: Annotated[Track | None, typer.Option(help="Only those of this track.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models with their AUC on new villages, and what became of each last."""
    from ml.promotion.scores import list_versions

    with open_warehouse() as warehouse:
        _mirror(warehouse)
        with warehouse.database.transaction() as connection:
            versions = list_versions(connection, track)
    print_json(versions) if as_json else print_versions(versions)


@app.command()
def show(model: Reference, as_json: AsJson = False) -> None:
    """Show one model: where it comes from, what it is worth, and what became of it."""
    from ml.promotion.events import read_events
    from ml.promotion.scores import read_evaluation

    with open_warehouse() as warehouse:
        found = _find(warehouse, model)
        with warehouse.database.transaction() as connection:
            evaluation = read_evaluation(connection, found)
            events = [one for one in read_events(connection, found.track) if one.model_version == found.model_version]
    if as_json:
        measures = [asdict(measure) for measure in evaluation.measures]
        print_json({**asdict(found), "events": [asdict(event) for event in events], "evaluation": measures})
        return
    print_model(found)
    for event in events:
        told = f"{event.happened_at:%Y-%m-%d %H:%M} {event.event} by {event.actor}: {event.reason}"
        out.print(told, highlight=False, soft_wrap=True)
    print_measures(evaluation)
    out.print(f"done: its report is the object {found.folder}/report.html (`kyalo storage get`)", soft_wrap=True)


@app.command()
def compare(challenger: Reference, champion: Reference, as_json: AsJson = False) -> None:
    """Compare two models, the new one first: measure by measure, and by the test of the gate."""
    from ml.promotion.consider import compare as compare_models
    from ml.promotion.scores import read_evaluation

    with open_warehouse() as warehouse:
        new, old = _find(warehouse, challenger), _find(warehouse, champion)
        if new.track != old.track:
            raise MisuseError("Models of two tracks have nothing to compare.", code="ml.other_track")
        with warehouse.database.transaction() as connection:
            evaluations = [read_evaluation(connection, one) for one in (new, old)]
            decision = compare_models(connection, warehouse.store, new, old)
    if as_json:
        print_json({"would_be_promoted": decision.is_promoted, **decision.details})
        return
    print_measures(*evaluations, titles=(challenger, champion))
    print_checks(decision)
    out.print(f"done: {challenger} {'would' if decision.is_promoted else 'would not'} take the place of {champion}")


@app.command()
def promote(
    model: Reference,
    approve: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why you answer for a model that is no better, but no worse either."),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Bring a model before the gate; it becomes the champion if it passes, and ends with 1 if it does not."""
    from ml.promotion.consider import consider

    with open_warehouse() as warehouse:
        found = _find(warehouse, model)
        decision = consider(warehouse.database, warehouse.store, found, actor=by or getpass.getuser(), approval=approve)
        _mirror(warehouse)
    if as_json:
        print_json({"promoted": decision.is_promoted, "reason": decision.reason, **decision.details})
    else:
        print_checks(decision)
        followed = "champion; `kyalo run` scores everything by it" if decision.is_promoted else "refused"
        out.print(f"done: {found.model_name} version {found.model_version} is {followed}", highlight=False)
    if not decision.is_promoted:
        raise typer.Exit(REFUSED)


@app.command()
def rollback(
    track: Annotated[Track, typer.Argument(help="screening or assessment.")],
    reason: Annotated[str, typer.Option(help="Why: whoever reads it later will ask.")],
    to: Annotated[int | None, typer.Option(metavar="VERSION", help="An earlier champion than the last.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make the champion before this one champion again."""
    from ml.promotion.consider import restore

    with open_warehouse() as warehouse:
        actor = by or getpass.getuser()
        model = restore(warehouse.database, warehouse.store, track, actor=actor, reason=reason, version=to)
        _mirror(warehouse)
    if as_json:
        print_json(asdict(model))
        return
    out.print(f"done: {model.model_name} version {model.model_version} is champion again", highlight=False)


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="A fitted scikit-learn pipeline, as joblib.dump writes it.")],
    track: Annotated[Track, typer.Option(help="What it is for.")],
    trust: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="Your word that the file of this hash may run: loading a pickle runs it."),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Take a model trained elsewhere as a challenger; without --trust, only say what is inside, and end with 1."""
    from ml.foreign.contents import look_into

    content = file.read_bytes()
    contents = look_into(content)
    if trust is None:
        print_json(asdict(contents)) if as_json else print_contents(contents, file)
        raise typer.Exit(REFUSED)
    if trust.lower() != contents.sha256:
        raise ConflictError(
            f"{file} is not the file that was vouched for: its hash is {contents.sha256}.", code="ml.other_file"
        )
    with open_warehouse() as warehouse:
        with err.status("judging it in our folds"):
            model = _import(warehouse, content, contents, track, by or getpass.getuser())
        _mirror(warehouse)
    if as_json:
        print_json(asdict(model))
        return
    reference = f"{model.track}/{model.model_version}"
    out.print(f"done: it is {reference}; `kyalo models promote {reference}` brings it before the gate", highlight=False)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the page.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve MLflow's page of runs and models until SIGTERM; needs the optional group `ui`."""
    from ml.tracking import ENVIRONMENT

    if not any(distribution.name == "mlflow" for distribution in distributions(name="mlflow")):
        raise ConfigurationError(
            "MLflow's page is not installed.", code="ml.no_page", remedy="Install it: pip install 'mlflow>=3.17,<4'."
        )
    with open_warehouse() as warehouse:
        _mirror(warehouse)
        environment = {**os.environ, **ENVIRONMENT, **_mlflow_environment(warehouse)}
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    os.execvpe(command[0], command, environment)  # noqa: S606 - no shell


def _mlflow_environment(warehouse: Warehouse) -> dict[str, str]:
    """Where MLflow's server finds runs and artifacts; the address holds a password, so it is on no command line."""
    from ml.tracking import ARTIFACTS, tracking_uri

    uri = tracking_uri(warehouse.database)
    return {
        "KYALO_HOME": str(warehouse.settings.home),
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_REGISTRY_STORE_URI": uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": ARTIFACTS,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # it is for other things than looking at models
    }


def _import(warehouse: Warehouse, content: bytes, contents: "Contents", track: Track, actor: str) -> "TrainedModel":
    from ml.foreign.importing import import_pipeline
    from orchestration.dbt import Dbt
    from orchestration.graph.lock import holding_pipeline

    with holding_pipeline(warehouse.database, "kyalo models import"), Dbt(warehouse) as dbt:
        manifest = dbt.compile_features()
        return import_pipeline(
            warehouse.database, warehouse.store, content, contents, track=track, manifest=manifest, actor=actor
        )


def _find(warehouse: Warehouse, reference: str) -> "TrainedModel":
    from ml.catalogue import champions, find_model
    from ml.tracks import TRACKS

    name, _, version = reference.partition("/")
    track = next((track for track in TRACKS if track == name), None)
    if track is None or (version and not version.isdecimal()):
        raise typer.BadParameter(f"{reference} is not TRACK/VERSION, such as screening/3.")
    champion = champions(warehouse.database).get(track)
    if version or champion is None:
        return find_model(warehouse.database, track, int(version or 0))
    return champion


def _mirror(warehouse: Warehouse) -> None:
    """Bring MLflow up to date; that it is behind is worth a warning, and nothing more."""
    from ml.tracking import mirror

    with err.status("telling MLflow"):
        warning = mirror(warehouse.database, warehouse.store)
    if warning:
        err.print(warning, highlight=False, soft_wrap=True)
