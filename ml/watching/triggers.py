"""Reasons to train anew. Every look is kept, whether or not it finds one; what is trained is a challenger.

All but the first two triggers wait for MIN_NEW_SAMPLES incomes since the newest training, whatever became of its
model: training on the same rows would make the same model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ml.tracks import TRACKS, Track
from ml.watching.reference import STATEMENTS
from ml.watching.standing import Standing, read_standing
from warehouse.database import Database
from warehouse.settings import Settings

Trigger = Literal["no_model", "feature_set", "volume", "drift", "performance", "new_district", "schedule"]


@dataclass(frozen=True)
class RetrainingCheck:
    """One look for a reason to train a track's model anew.

    Attributes:
        has_fired: whether there is one: a challenger is to be trained.
        observed: what was seen; None where there was nothing to see.
        limit_value: what it was held against, in the same unit.
        detail: the same in words.
    """

    track: Track
    trigger: Trigger
    has_fired: bool
    observed: float | None
    limit_value: float | None
    detail: str


def check_triggers(
    database: Database,
    settings: Settings,
    *,
    run_id: str,
    feature_set_version: str,
    tracks: Sequence[Track] = TRACKS,
) -> list[RetrainingCheck]:
    """Look at every trigger of every track, and keep what was found.

    Args:
        database: the warehouse, with the feature mart built.
        settings: what the triggers are held against.
        run_id: the run that looks.
        feature_set_version: hash of the SQL that makes the features now.
        tracks: the tracks to look at.

    Returns:
        Every check; the tracks of those that have fired need a challenger, and their `detail` says why.
    """
    with database.transaction() as connection:
        standings = [read_standing(connection, track, settings, feature_set_version) for track in tracks]
        checks = [check for standing in standings for check in judge(standing, settings)]
        connection.cursor().executemany(
            STATEMENTS["insert_retraining_check"], [{**vars(check), "run_id": run_id} for check in checks]
        )
    return checks


def judge(standing: Standing, settings: Settings) -> list[RetrainingCheck]:
    """Hold the standing of a track against the settings, trigger by trigger."""
    patient = (_volume, _drift, _performance, _new_district, _schedule)
    return [
        _no_model(standing),
        _feature_set(standing),
        *(_wait_for_incomes(standing, settings, look(standing, settings)) for look in patient),
    ]


def _wait_for_incomes(standing: Standing, settings: Settings, check: RetrainingCheck) -> RetrainingCheck:
    """The same check, unless there is nothing to compare with, or nothing to learn from."""
    if not standing.training_rows:
        return replace(check, has_fired=False, observed=None, detail="There was no training to compare with.")
    if not check.has_fired or standing.new_rows >= settings.min_new_samples:
        return check
    waits = f"It waits for {settings.min_new_samples:,} new incomes: {standing.new_rows:,} have come."
    return replace(check, has_fired=False, detail=f"{check.detail} {waits}")


def _no_model(standing: Standing) -> RetrainingCheck:
    detail = "A model of the track scores." if standing.has_champion else "No model of the track scores."
    return RetrainingCheck(standing.track, "no_model", not standing.has_champion, None, None, detail)


def _feature_set(standing: Standing) -> RetrainingCheck:
    is_other = standing.has_champion and not standing.is_of_present_features
    detail = "The features are made {} the newest training.".format("otherwise than for" if is_other else "as for")
    return RetrainingCheck(standing.track, "feature_set", is_other, None, None, detail)


def _volume(standing: Standing, settings: Settings) -> RetrainingCheck:
    wanted = max(settings.min_new_samples, math.ceil(settings.min_new_share * standing.training_rows))
    is_enough = standing.new_rows >= wanted and standing.new_villages >= settings.min_new_villages
    detail = (
        f"{standing.new_rows:,} new incomes and {standing.new_villages:,} new villages; "
        f"{wanted:,} and {settings.min_new_villages:,} are wanted."
    )
    return RetrainingCheck(standing.track, "volume", is_enough, standing.new_rows, wanted, detail)


def _drift(standing: Standing, settings: Settings) -> RetrainingCheck:
    drifted, looked = standing.drifted_checks, settings.drift_checks
    detail = f"{drifted} of the last {looked} checks found drift" if drifted else "The last check found no drift"
    features = f": {standing.drifted_features}." if drifted else "."
    return RetrainingCheck(standing.track, "drift", drifted >= looked, drifted, looked, detail + features)


def _performance(standing: Standing, settings: Settings) -> RetrainingCheck:
    kept, limit = standing.kept_accuracy, settings.performance_threshold
    if kept is None:
        detail = "No accuracy of 500 households is known since the newest training."
        return RetrainingCheck(standing.track, "performance", False, None, limit, detail)
    detail = f"The accuracy is at most {kept:.1%} of what it was at training; {limit:.1%} is wanted."
    return RetrainingCheck(standing.track, "performance", kept < limit, kept, limit, detail)


def _new_district(standing: Standing, settings: Settings) -> RetrainingCheck:
    villages, limit = standing.new_district_villages, settings.min_district_villages
    detail = (
        f"{standing.new_district} has incomes of {villages} villages, fewer than {limit} at the newest training."
        if standing.new_district
        else f"The newest training knew {limit} villages of every district."
    )
    return RetrainingCheck(standing.track, "new_district", villages >= limit, villages, limit, detail)


def _schedule(standing: Standing, settings: Settings) -> RetrainingCheck:
    days, limit = standing.age_days, settings.retrain_after_days
    return RetrainingCheck(
        standing.track, "schedule", days >= limit, days, limit, f"The newest training was {days:.0f} days ago."
    )
