"""A challenger before the gate, and the way back: what either changes is one transaction."""

import numpy as np
import pandas as pd
import psycopg

from ml.artifacts import load_model, load_rows
from ml.catalogue import TrainedModel, champions, find_model
from ml.features import feature_set_version
from ml.promotion.events import OUTSIDE_RUNS, earlier_champion, roll_back, settle, take_turns
from ml.promotion.gate import Decision, decide
from ml.promotion.policies import current_policy, rederive
from ml.promotion.rules import Rule
from ml.resampling import Floats
from ml.rows import as_records
from ml.tracks import Track
from warehouse.database import Database
from warehouse.errors import ConflictError
from warehouse.stores import ObjectStore


def consider(
    database: Database,
    store: ObjectStore,
    challenger: TrainedModel,
    *,
    actor: str,
    run_id: str = OUTSIDE_RUNS,
    approval: str | None = None,
) -> Decision:
    """Bring a challenger before the gate; what it says is written down, and holds at once.

    The thresholds of a quota are taken anew from a model that becomes champion.

    Args:
        database: the warehouse.
        store: where the models are.
        challenger: the model.
        actor: who asks.
        run_id: the run that asks.
        approval: why the actor answers for a model that is not better, but no worse either.

    Raises:
        ConflictError: it is the champion already (ml.already_champion), or of other features than those of today
            (ml.other_feature_set).
    """
    _require_todays_features(database, challenger)
    with database.transaction() as connection:
        take_turns(connection, challenger.track)
        champion = champions(database).get(challenger.track)
        if champion and champion.model_version == challenger.model_version:
            raise ConflictError(
                f"{challenger.model_name} version {challenger.model_version} is the champion already.",
                code="ml.already_champion",
            )
        decision = compare(connection, store, challenger, champion, approved=approval is not None)
        settle(connection, challenger, decision, actor=actor, run_id=run_id, approval=approval)
        if decision.is_promoted:
            _follow(connection, store, challenger, actor)
    return decision


def compare(
    connection: psycopg.Connection,
    store: ObjectStore,
    challenger: TrainedModel,
    champion: TrainedModel | None,
    *,
    approved: bool = False,
) -> Decision:
    """What the gate says of a model against another of its track; nothing is written down.

    Both are judged on the rows that the challenger was trained on, none by a model that saw its village.
    """
    rows = load_rows(store, challenger)
    # The policy is for the screening track; of the assessment a cut at one half is asked.
    rule = current_policy(connection).rule if challenger.track == "screening" else Rule()
    return decide(
        rows,
        rows["probability"].to_numpy(),
        _judge_by(store, champion, challenger, rows),
        rule=rule,
        parity=float(challenger.metadata.get("parity", np.nan)),
        approved=approved,
    )


def restore(
    database: Database, store: ObjectStore, track: Track, *, actor: str, reason: str, version: int | None = None
) -> TrainedModel:
    """Make the champion before this one champion again, or the earlier one that is named.

    Raises:
        NotFoundError: there is none (ml.no_earlier_champion), or the store lost it.
        ConflictError: it is of other features than those of today (ml.other_feature_set).
        IntegrityError: the store holds other bytes than were registered.
    """
    with database.transaction() as connection:
        model = find_model(database, track, earlier_champion(connection, track, version))
        _require_todays_features(database, model)
        load_model(store, model)
        roll_back(connection, model, actor=actor, reason=reason)
        _follow(connection, store, model, actor)
    return model


def _follow(connection: psycopg.Connection, store: ObjectStore, model: TrainedModel, actor: str) -> None:
    """Let the thresholds of the quotas, if there are some, follow a new champion."""
    if model.track == "screening":
        rederive(connection, model, load_rows(store, model), actor=actor)


def _judge_by(
    store: ObjectStore, champion: TrainedModel | None, challenger: TrainedModel, rows: pd.DataFrame
) -> Floats | None:
    """What the champion says of rows without having seen their village; None where it cannot score today's features.

    Of a row that it was trained on that is its out-of-fold probability. The others came after it.
    """
    if champion is None or champion.feature_set_version != challenger.feature_set_version:
        return None
    model = load_model(store, champion)
    said = model.predict(model.encode(as_records(rows, model.feature_names))).probability
    known = load_rows(store, champion).set_index("submission_id")["probability"]
    return np.asarray(rows["submission_id"].map(known).fillna(pd.Series(said, rows.index)), dtype=np.float64)


def _require_todays_features(database: Database, model: TrainedModel) -> None:
    if model.feature_set_version != feature_set_version(database):
        raise ConflictError(
            f"{model.model_name} version {model.model_version} was trained on features that are made otherwise today.",
            code="ml.other_feature_set",
            remedy="Train again: kyalo train.",
        )
