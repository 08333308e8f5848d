"""What has become of a track since its newest training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from ml.tracks import Track
from ml.watching.batch import LEAST_BATCH, watched_models
from ml.watching.reference import STATEMENTS
from warehouse.database import fetch_row, fetch_rows
from warehouse.settings import Settings


@dataclass(frozen=True)
class Standing:
    """What is known of a track when its triggers are looked at.

    The newest training counts, whatever became of its model.

    Attributes:
        has_champion: whether a model of the track scores.
        is_of_present_features: whether the newest training was on features as they are made now.
        training_rows: submissions of that training; 0 where there was none.
        age_days: days since.
        new_rows: labelled households since.
        new_villages: villages with such households only; a village in another survey round is another one.
        new_district: the district with the most labelled villages among those that the training hardly knew.
        new_district_villages: how many that are.
        drifted_checks: how many of the last checks of drift since, DRIFT_CHECKS at most, found any.
        drifted_features: what the last of them found, the farthest first.
        kept_accuracy: upper end of the accuracy's interval since, as a share of the accuracy at training: of the
            expected or of the real accuracy, which is worse. None where neither is known of 500 households.
    """

    track: Track
    has_champion: bool
    is_of_present_features: bool = False
    training_rows: int = 0
    age_days: float = 0.0
    new_rows: int = 0
    new_villages: int = 0
    new_district: str | None = None
    new_district_villages: int = 0
    drifted_checks: int = 0
    drifted_features: str | None = None
    kept_accuracy: float | None = None


def read_standing(
    connection: psycopg.Connection, track: Track, settings: Settings, feature_set_version: str
) -> Standing:
    """Ask the warehouse for the standing of a track; the feature mart must be built."""
    has_champion = any(model.track == track for model in watched_models(connection))
    training = fetch_row(connection, STATEMENTS["select_newest_training"], {"track": track})
    if training is None:
        return Standing(track, has_champion)
    values = {
        **training,
        "track": track,
        "least": LEAST_BATCH,
        "drift_checks": settings.drift_checks,
        "enough_villages": settings.min_district_villages,
    }
    return Standing(
        track,
        has_champion,
        is_of_present_features=training["feature_set_version"] == feature_set_version,
        training_rows=training["training_rows"],
        age_days=training["age_days"],
        kept_accuracy=_worst(fetch_rows(connection, STATEMENTS["select_kept_accuracy"], values)),
        **(fetch_row(connection, STATEMENTS["select_news"], values) or {}),
        **(fetch_row(connection, STATEMENTS["select_drift"], values) or {}),
    )


def _worst(rows: Sequence[dict[str, Any]]) -> float | None:
    return min((row["kept_accuracy"] for row in rows), default=None)
