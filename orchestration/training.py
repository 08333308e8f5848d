"""Training of what a trigger asks for, and the gate that decides about what is new."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.catalogue import champions
from ml.features import feature_set_version
from ml.tracks import TRACKS, Track
from ml.watching.triggers import check_triggers
from orchestration.context import Warehouse, acting_as
from orchestration.dbt import Dbt
from orchestration.graph.lock import holding_pipeline
from orchestration.runs import fetch
from warehouse.database import Database
from warehouse.grants import SCORER

if TYPE_CHECKING:
    from ml.promotion.gate import Decision
    from ml.train import Training


@dataclass(frozen=True)
class Outcome:
    """A track's newest model, and what the gate said of it where it was asked."""

    training: "Training"
    decision: "Decision | None"

    def __str__(self) -> str:
        """The same in a few words."""
        model = self.training.model
        said = f"{model.track}: {model.algorithm.replace('_', ' ')} version {model.model_version}"
        if self.decision is None:
            return f"{said} stays, nothing is new"
        return f"{said} promoted" if self.decision.is_promoted else f"{said} refused. {self.decision.reason}"


def train_models(warehouse: Warehouse, tracks: Sequence[Track], actor: str) -> list[Outcome]:
    """Train the models of some tracks outside a run, and let the gate decide about what is new."""
    with (
        holding_pipeline(warehouse.database, "kyalo train"),
        Dbt(warehouse) as dbt,
        acting_as(warehouse, SCORER) as scorer,
    ):
        return train_and_promote(scorer, dbt.compile_features(), tracks, run_id="manual", actor=actor)


def tracks_to_train(warehouse: Warehouse, run_id: str) -> list[Track]:
    """The tracks that a trigger wants a challenger for, or whose newest model still waits for the gate.

    Every look is kept. A model waits where the run that trained it was killed before the gate had decided.
    """
    checks = check_triggers(
        warehouse.database,
        warehouse.settings,
        run_id=run_id,
        feature_set_version=feature_set_version(warehouse.database),
    )
    wanted = {check.track for check in checks if check.has_fired} | _undecided(warehouse.database).keys()
    return [track for track in TRACKS if track in wanted]


def train_and_promote(
    warehouse: Warehouse, manifest: Path, tracks: Collection[Track], *, run_id: str, actor: str
) -> list[Outcome]:
    """Train the models of some tracks, and let the gate decide about what it has not decided yet."""
    from ml.promotion.consider import consider  # what trains takes seconds to import, and most runs do not
    from ml.train import train

    database, store = warehouse.database, warehouse.store
    trainings = train(database, store, run_id=run_id, manifest=manifest, actor=actor, tracks=[*tracks])
    waiting, present = _undecided(database), champions(database)
    return [
        Outcome(one, consider(database, store, one.model, actor=actor, run_id=run_id))
        if one.model.track not in present or waiting.get(one.model.track) == one.model.model_version
        else Outcome(one, None)
        for one in trainings
    ]


def _undecided(database: Database) -> dict[Track, int]:
    """The newest model of each track, where the gate has not decided about it."""
    return {row["track"]: row["model_version"] for row in fetch(database, "undecided_models")}
