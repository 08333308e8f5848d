"""The pipeline: land what waits, build, train if there is no model, score, build what reads predictions."""

from collections.abc import Sequence

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from ml.catalogue import TrainedModel, champions
from ml.score import ScoreSummary, score
from ml.tracks import TRACKS, Track
from ml.train import train
from orchestration.console import count
from orchestration.context import Warehouse
from orchestration.dbt import Dbt, Node
from orchestration.gates import closed_gate
from orchestration.publish import publish
from orchestration.runs import Run, recorded_run
from orchestration.sample import clear_sample_beside_others
from warehouse.contract import list_forms
from warehouse.errors import BuildError, TrainingError

LOCK = "kyalo.pipeline"
TOO_FEW = "ml.too_few_households"
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")  # they try the SQL, not the surveys
BEFORE_SCORING = ("--exclude", "tag:marts", "--indirect-selection", "buildable", *WITHOUT_UNIT_TESTS)
AFTER_SCORING = ("--select", "tag:marts", "stg_ml__predictions", *WITHOUT_UNIT_TESTS)


def run_pipeline(warehouse: Warehouse, *, retrain: bool = False) -> Run:
    """Run every step, in order, and record the run.

    Args:
        warehouse: what to run on.
        retrain: fit new models also where there are some.

    Raises:
        BusyError: another run is under way.
        BuildError: a model or a quality gate failed; what lies downstream keeps its last state.
    """
    with warehouse.database.lock(LOCK), recorded_run(warehouse.database) as run, Dbt(warehouse) as dbt:
        _load(warehouse, run)
        with run.step("build") as step:
            step.did = _build(warehouse, dbt, *BEFORE_SCORING)
        _train(warehouse, run, retrain)
        with run.step("score") as step:
            step.did = _score(warehouse, run)
        with run.step("build marts") as step:
            step.did = _build(warehouse, dbt, *AFTER_SCORING)
        with run.step("publish") as step:
            run.changed_rows = publish(warehouse.database)
            step.did = describe_publication(run.changed_rows)
    return run


def build(warehouse: Warehouse, *arguments: str) -> str:
    """Build and test dbt models, and say what was built; all of them, without arguments, are published as well.

    Raises:
        BuildError: a model, a test or a quality gate failed; what lies downstream keeps its last state.
    """
    with warehouse.database.lock(LOCK), Dbt(warehouse) as dbt:
        clear_sample_beside_others(warehouse.database)
        built = _build(warehouse, dbt, *(arguments or WITHOUT_UNIT_TESTS))
        if arguments:
            return f"{built}; nothing was published: `kyalo build` or `kyalo run` does that"
        return f"{built}; {describe_publication(publish(warehouse.database))}"


def describe_publication(changed_rows: dict[str, int]) -> str:
    """What a publication changed, in a few words."""
    rows = sum(changed_rows.values())
    if not changed_rows:
        return "nothing changed"
    return f"{count(len(changed_rows), 'published table')} changed, {count(rows, 'row')}"


def land_all(warehouse: Warehouse) -> list[str]:
    """Collect the inbox, land every pending file, move bodies and attachments; the ingestions that were landed."""
    collect_inbox(warehouse.database, warehouse.store)
    landed = []
    while ingestion_id := land_next(warehouse.database, warehouse.store):
        landed.append(ingestion_id)
    for form in list_forms():
        while bundle_bodies(warehouse.database, warehouse.store, form):
            pass
    move_attachments(warehouse.database, warehouse.store)
    return landed


def train_models(warehouse: Warehouse, tracks: Sequence[Track]) -> list[TrainedModel]:
    """Train the models of some tracks, outside a run."""
    with warehouse.database.lock(LOCK):
        return train(warehouse.database, warehouse.store, tracks=tracks, run_id="manual")


def score_households(warehouse: Warehouse) -> str:
    """Score the feature mart outside a run, and say what came of it."""
    with warehouse.database.lock(LOCK):
        return describe_scores(score(warehouse.database, warehouse.store, run_id="manual"))


def describe_scores(summary: ScoreSummary) -> str:
    """What scoring did, in a few words."""
    return "; ".join(
        f"{track.track}: {track.scored:,} scored, {track.inserted:,} new, {track.updated:,} changed"
        for track in summary.tracks
    )


def _load(warehouse: Warehouse, run: Run) -> None:
    with run.step("load pending") as step:
        landed = land_all(warehouse)
        step.did = f"{len(landed)} landed" if landed else "nothing was waiting"
        if clear_sample_beside_others(warehouse.database):
            step.did += "; the made-up sample, and the models made of it, were cleared away"


def _score(warehouse: Warehouse, run: Run) -> str:
    if not champions(warehouse.database):
        return "there is no model yet"
    return describe_scores(score(warehouse.database, warehouse.store, run_id=run.run_id))


def _train(warehouse: Warehouse, run: Run, retrain: bool) -> None:
    with run.step("train") as step:
        if champions(warehouse.database).keys() == set(TRACKS) and not retrain:
            step.did = "models are there"
            return
        try:
            models = train(warehouse.database, warehouse.store, run_id=run.run_id)
        except TrainingError as error:
            if error.error_code != TOO_FEW:
                raise
            step.did = f"not yet: {error.message}"
            return
        step.did = ", ".join(f"{model.track}: {model.algorithm} version {model.model_version}" for model in models)


def _build(warehouse: Warehouse, dbt: Dbt, *arguments: str) -> str:
    try:
        return _count(dbt.build(*arguments))
    except BuildError as error:
        raise closed_gate(warehouse.database, error) from error


def _count(nodes: list[Node]) -> str:
    models = sum(node.kind.endswith("model") for node in nodes)
    warned = [node.name for node in nodes if node.status == "warn"]
    said = f"{count(models, 'model')} built, {count(len(nodes) - models, 'test')} passed"
    return f"{said}, {len(warned)} warned: {', '.join(warned)}" if warned else said
