"""The pipeline: land what waits, build, train if there is no model, score, build what reads predictions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest_api.inbox import collect_inbox
from ingest_api.loading import bundle_bodies, land_next
from ingest_api.openrosa.attachments import move_attachments
from ml.catalogue import champions
from ml.features import feature_set_version
from ml.promotion.consider import consider
from ml.promotion.gate import Decision
from ml.score import ScoreSummary, score
from ml.tracks import TRACKS, Track
from ml.train import Training, train
from ml.watching.drift import check_drift
from ml.watching.performance import check_performance
from ml.watching.triggers import check_triggers
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


@dataclass(frozen=True)
class Outcome:
    """A track's newest model, and what the gate said of it where it was asked."""

    training: Training
    decision: Decision | None

    def __str__(self) -> str:
        """The same in a few words."""
        model = self.training.model
        said = f"{model.track}: {model.algorithm.replace('_', ' ')} version {model.model_version}"
        if self.decision is None:
            return f"{said} stays, nothing is new"
        return f"{said} promoted" if self.decision.is_promoted else f"{said} refused. {self.decision.reason}"


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
        _train(warehouse, dbt, run, retrain)
        with run.step("score") as step:
            step.did = _score(warehouse, run)
        with run.step("watch") as step:
            step.did = _watch(warehouse, run)
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


def train_models(warehouse: Warehouse, tracks: Sequence[Track], actor: str) -> list[Outcome]:
    """Train the models of some tracks outside a run, and let the gate decide about what is new."""
    with warehouse.database.lock(LOCK), Dbt(warehouse) as dbt:
        return _train_and_promote(warehouse, dbt.compile_features(), tracks, run_id="manual", actor=actor)


def score_households(warehouse: Warehouse, *, with_challengers: bool) -> str:
    """Score the feature mart outside a run, and say what came of it."""
    with warehouse.database.lock(LOCK):
        summary = score(warehouse.database, warehouse.store, run_id="manual", with_challengers=with_challengers)
        return describe_scores(summary)


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
    shadow = warehouse.settings.shadow_challengers
    return describe_scores(score(warehouse.database, warehouse.store, run_id=run.run_id, with_challengers=shadow))


def _watch(warehouse: Warehouse, run: Run) -> str:
    """Compare what was scored with what the models were trained on."""
    drifted = [check for check in check_drift(warehouse.database, run.run_id) if check.has_drifted]
    performance = check_performance(warehouse.database, run.run_id)
    said = [
        f"{check.track}: {check.feature} has drifted, {check.psi:.2f} over {check.psi_limit:.2f}" for check in drifted
    ]
    said += [
        f"{check.track}: {check.kind} accuracy {check.accuracy:.1%} of {check.households:,}" for check in performance
    ]
    return "; ".join(said) or "nothing was scored that is not among the training rows"


def _train(warehouse: Warehouse, dbt: Dbt, run: Run, retrain: bool) -> None:
    with run.step("train") as step:
        tracks = TRACKS if retrain else _tracks_to_train(warehouse, run)
        try:
            outcomes = _train_and_promote(warehouse, dbt.manifest, tracks, run_id=run.run_id, actor="kyalo")
        except TrainingError as error:
            if error.error_code != TOO_FEW:
                raise
            step.did = f"not yet: {error.message}"
            return
        step.did = "; ".join(map(str, outcomes)) or "no reason to train anew"


def _tracks_to_train(warehouse: Warehouse, run: Run) -> list[Track]:
    """The tracks that a trigger wants a challenger for; every look is kept."""
    checks = check_triggers(
        warehouse.database,
        warehouse.settings,
        run_id=run.run_id,
        feature_set_version=feature_set_version(warehouse.database),
    )
    fired = {check.track for check in checks if check.has_fired}
    return [track for track in TRACKS if track in fired]


def _train_and_promote(
    warehouse: Warehouse, manifest: Path, tracks: Collection[Track], *, run_id: str, actor: str
) -> list[Outcome]:
    if not tracks:
        return []
    database, store = warehouse.database, warehouse.store
    trainings = train(database, store, run_id=run_id, manifest=manifest, actor=actor, tracks=[*tracks])
    present = champions(database)
    return [
        Outcome(one, consider(database, store, one.model, actor=actor, run_id=run_id))
        if one.is_new or one.model.track not in present
        else Outcome(one, None)
        for one in trainings
    ]


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
