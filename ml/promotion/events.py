"""The log of `ml.model_events`: who was champion when, by whose word and why. What it says is what holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from ml.catalogue import TrainedModel
from ml.promotion.gate import Decision
from ml.registry import record_event
from ml.tracks import Track
from warehouse.database import queries
from warehouse.errors import NotFoundError

STATEMENTS = queries("promotion")
OUTSIDE_RUNS = "manual"

EventKind = Literal["registered", "imported", "promoted", "refused", "rolled_back", "retired"]


@dataclass(frozen=True)
class ModelEvent:
    """A row of `ml.model_events`."""

    event_id: int
    track: Track
    model_name: str
    model_version: int
    event: EventKind
    actor: str
    reason: str
    details: dict[str, Any]
    run_id: str
    happened_at: datetime


def read_events(connection: psycopg.Connection, track: Track) -> list[ModelEvent]:
    """What became of the models of a track, the first event first."""
    with connection.cursor(row_factory=class_row(ModelEvent)) as cursor:
        return cursor.execute(STATEMENTS["select_events"], {"track": track}).fetchall()


def take_turns(connection: psycopg.Connection, track: Track) -> None:
    """Make other promotions and rollbacks of a track wait until the transaction ends."""
    connection.execute(STATEMENTS["lock_track"], {"track": track})


def settle(
    connection: psycopg.Connection,
    model: TrainedModel,
    decision: Decision,
    *,
    actor: str,
    run_id: str = OUTSIDE_RUNS,
    approval: str | None = None,
) -> None:
    """Write down what the gate decided about a challenger, which makes it the champion if it passed.

    Args:
        connection: the event holds once its transaction is committed.
        model: the challenger.
        decision: what the gate said.
        actor: who asked.
        run_id: the run that asked.
        approval: why the actor answers for it.
    """
    record_event(
        connection,
        model,
        "promoted" if decision.is_promoted else "refused",
        actor=actor,
        reason=" ".join(filter(None, (approval, decision.reason))),
        run_id=run_id,
        details=decision.details,
    )


def earlier_champion(connection: psycopg.Connection, track: Track, version: int | None = None) -> int:
    """The version that a rollback makes champion again: the one before this one, or an earlier one.

    Raises:
        NotFoundError: there is none, or the one that is asked for never was champion (ml.no_earlier_champion).
    """
    take_turns(connection, track)
    earlier = earlier_champions(read_events(connection, track))
    if not earlier or (version is not None and version not in earlier):
        wanted = "No version" if version is None else f"Version {version}"
        raise NotFoundError(
            f"{wanted} was champion of the {track} track before the one of now.",
            code="ml.no_earlier_champion",
            remedy="`kyalo models list` shows what became of each.",
        )
    return earlier[-1] if version is None else version


def earlier_champions(events: Iterable[ModelEvent]) -> list[int]:
    """The versions that rolling back leads to, the nearest last; not what was rolled back, nor what was retired."""
    champions: list[int] = []
    for event in events:
        if event.event == "promoted":
            champions.append(event.model_version)
        elif event.event == "rolled_back":
            while champions and champions[-1] != event.model_version:
                champions.pop()
            champions = champions or [event.model_version]
        elif event.event == "retired":
            champions.clear()
    return [version for version in champions if version != champions[-1]]


def roll_back(
    connection: psycopg.Connection, model: TrainedModel, *, actor: str, reason: str, run_id: str = OUTSIDE_RUNS
) -> None:
    """Make a model champion again."""
    record_event(connection, model, "rolled_back", actor=actor, reason=reason, run_id=run_id)
