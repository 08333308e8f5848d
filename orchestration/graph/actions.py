"""What each step of a run does."""

from ml.catalogue import champions
from ml.score import score as score_mart
from ml.tracking import mirror as mirror_models
from ml.tracks import TRACKS
from ml.watching.drift import check_drift
from ml.watching.performance import check_performance
from orchestration.alerts import check_alerts
from orchestration.building import WITHOUT_UNIT_TESTS, build_models, describe_build
from orchestration.console import count
from orchestration.context import Warehouse, acting_as
from orchestration.dbt import Node
from orchestration.erasure import try_erasing_sent_again
from orchestration.exports import export as export_tables
from orchestration.graph.step import Result, Work
from orchestration.landing import land_all
from orchestration.monitoring import measure
from orchestration.publish import describe_publication
from orchestration.publish import publish as publish_marts
from orchestration.runs import fetch, record
from orchestration.sample import clear_sample_beside_others
from orchestration.scoring import describe_scores
from orchestration.training import tracks_to_train, train_and_promote
from warehouse.errors import TrainingError
from warehouse.grants import LOADER

TOO_FEW = "ml.too_few_households"
BEFORE_SCORING = ("--exclude", "tag:marts", "--indirect-selection", "buildable", *WITHOUT_UNIT_TESTS)
AFTER_SCORING = ("--select", "tag:marts", "stg_ml__predictions", *WITHOUT_UNIT_TESTS)


def load(work: Work) -> Result:
    """Land what waits; the made-up sample gives way to real surveys."""
    database = work.warehouse.database
    with acting_as(work.warehouse, LOADER) as loader:
        landed = land_all(loader)
    try_erasing_sent_again(work.warehouse)
    (rows,) = fetch(database, "landed_rows", ingestion_ids=landed)
    did = f"{count(len(landed), 'file')} landed" if landed else "nothing was waiting"
    if clear_sample_beside_others(database):
        did += "; the made-up sample, and the models made of it, were cleared away"
    return Result(did, rows["received"], rows["stored"])


def build(work: Work) -> Result:
    """Build all that lies before scoring."""
    nodes = _build(work, "build", *BEFORE_SCORING)
    (quality,) = fetch(work.warehouse.database, "run_quality")
    return Result(describe_build(nodes), quality["submissions"], _written(nodes))


def train(work: Work) -> Result:
    """Train where a trigger asks for it."""
    tracks = TRACKS if work.retrain else tracks_to_train(work.warehouse, work.run.run_id)
    if not tracks:
        return Result("no reason to train anew")
    # What is no part of this run left a manifest of another selection of models behind.
    manifest = work.dbt.manifest if work.builds else work.dbt.compile_features()
    try:
        outcomes = train_and_promote(work.warehouse, manifest, tracks, run_id=work.run.run_id, actor="kyalo")
    except TrainingError as error:
        if error.error_code != TOO_FEW:
            raise
        return Result(f"not yet: {error.message}")
    return Result("; ".join(map(str, outcomes)))


def mirror(work: Work) -> Result:
    """Tell MLflow of new models and of who is champion; that it is behind is no reason for a run to fail."""
    problem = mirror_models(work.warehouse.database, work.warehouse.store)
    return Result(problem or "MLflow knows every model")


def score(work: Work) -> Result:
    """Score what the champions have not scored yet."""
    warehouse = work.warehouse
    if not champions(warehouse.database):
        return Result("there is no model yet")
    shadow = warehouse.settings.shadow_challengers
    summary = score_mart(warehouse.database, warehouse.store, run_id=work.run.run_id, with_challengers=shadow)
    scored = sum(track.scored for track in summary.tracks)
    return Result(describe_scores(summary), scored, sum(track.inserted + track.updated for track in summary.tracks))


def watch(work: Work) -> Result:
    """Compare what was scored last with what the models were trained on."""
    database = work.warehouse.database
    scored = fetch(database, "newest_run_of_step", step="score")
    run_id = scored[0]["run_id"] if scored else work.run.run_id
    for statement in ("forget_drift_checks", "forget_performance_checks"):  # of an earlier try
        record(database, statement, run_id=run_id)
    drift, performance = check_drift(database, run_id), check_performance(database, run_id)
    said = [
        f"{check.track}: {check.feature} has drifted, {check.psi:.2f} over {check.psi_limit:.2f}"
        for check in drift
        if check.has_drifted
    ]
    said += [
        f"{check.track}: {check.kind} accuracy {check.accuracy:.1%} of {count(check.households, 'household')}"
        for check in performance
    ]
    did = "; ".join(said) or "nothing was scored that is not among the training rows"
    households = [check.households for check in drift] + [check.households for check in performance]
    return Result(did, max(households, default=0), len(households))


def marts(work: Work) -> Result:
    """Build what reads predictions."""
    nodes = _build(work, "marts", *AFTER_SCORING)
    return Result(describe_build(nodes), rows_out=_written(nodes))


def publish(work: Work) -> Result:
    """Let the built marts take the place of those that people read."""
    changed = publish_marts(work.warehouse.database)
    work.run.changed_rows = changed
    return Result(describe_publication(changed), rows_out=sum(changed.values()))


def export(work: Work) -> Result:
    """Write what changed as files for those who read tables without a database."""
    exported = export_tables(work.warehouse, work.run.run_id)
    did = f"{count(exported.files, 'file')} written of {count(exported.tables, 'table')}"
    return Result(did, rows_out=exported.rows)


def check(work: Work) -> Result:
    """Measure what the run left behind, and tell what is wrong."""
    return Result(look(work.warehouse, work.run.run_id))


def look(warehouse: Warehouse, run_id: str) -> str:
    """Measure what a run left behind, tell what is wrong, and say both in a few words."""
    health = measure(warehouse, run_id)
    changes = check_alerts(warehouse)
    opened, resolved = len(changes.opened), len(changes.resolved)
    return f"{health}; {count(opened, 'alert')} opened, {count(resolved, 'alert')} resolved"


def _build(work: Work, step: str, *arguments: str) -> list[Node]:
    return build_models(work.warehouse.database, work.dbt, work.run.run_id, step, *arguments)


def _written(nodes: list[Node]) -> int:
    return sum(node.rows_affected or 0 for node in nodes if node.kind.endswith("model"))
