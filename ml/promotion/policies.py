"""The policies of `ml.policies`, which is append-only: the newest holds, and predictions name theirs."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ml.catalogue import TrainedModel
from ml.promotion.rules import MINIMUM_HOUSEHOLDS, Effects, Rule, districts_of, effects_of
from ml.tracks import Track
from warehouse.database import queries
from warehouse.errors import NotFoundError

STATEMENTS = queries("promotion")
FOLLOWING = " Its thresholds follow model version "


@dataclass(frozen=True)
class Policy:
    """A row of `ml.policies`."""

    policy_version: int
    track: Track
    model_name: str | None
    model_version: int | None
    default_threshold: float
    thresholds: dict[str, float]
    default_quota: float | None
    quotas: dict[str, float]
    effects: Effects
    actor: str
    reason: str
    decided_at: datetime

    @property
    def rule(self) -> Rule:
        """What it asks for of any model."""
        return Rule(self.default_threshold, self.default_quota, self.quotas)


def current_policy(connection: psycopg.Connection) -> Policy:
    """The policy that holds."""
    return list_policies(connection)[0]


def list_policies(connection: psycopg.Connection) -> list[Policy]:
    """All policies, the newest first."""
    with connection.cursor(row_factory=class_row(Policy)) as cursor:
        return cursor.execute(STATEMENTS["select_policies"]).fetchall()


def require_districts(rule: Rule, rows: pd.DataFrame) -> None:
    """Make sure that each district with a quota of its own has enough households to tell a threshold from.

    Raises:
        NotFoundError: one has not (policy.unknown_district).
    """
    sizes = pd.Series(districts_of(rows)).value_counts()
    if small := [district for district in rule.quotas if sizes.get(district, 0) < MINIMUM_HOUSEHOLDS]:
        known = ", ".join(sorted(sizes[sizes >= MINIMUM_HOUSEHOLDS].index))
        raise NotFoundError(
            f"The model was trained on fewer than {MINIMUM_HOUSEHOLDS} households of {', '.join(small)}: too few to "
            "tell a threshold from.",
            code="policy.unknown_district",
            remedy=f"Name districts of these: {known}.",
        )


def set_policy(
    connection: psycopg.Connection, rule: Rule, model: TrainedModel, rows: pd.DataFrame, *, actor: str, reason: str
) -> Policy:
    """Make a rule the policy that holds, with the thresholds that it means for a model.

    Args:
        connection: the policy holds once its transaction is committed.
        rule: what is asked for.
        model: the champion of the screening track.
        rows: its training rows with the out-of-fold probability of each, as `load_rows` gives them.
        actor: who decides.
        reason: why.
    """
    probability = rows["probability"].to_numpy()
    thresholds = rule.derive(probability, districts_of(rows))
    values = {
        "model_name": model.model_name,
        "model_version": model.model_version,
        "default_threshold": thresholds.default,
        "thresholds": Jsonb(thresholds.by_district),
        "default_quota": rule.default_quota,
        "quotas": Jsonb(rule.quotas),
        "effects": Jsonb(effects_of(rows, probability, thresholds)),
        "actor": actor,
        "reason": reason,
    }
    with connection.cursor(row_factory=class_row(Policy)) as cursor:
        (policy,) = cursor.execute(STATEMENTS["insert_policy"], values)
    return policy


def rederive(connection: psycopg.Connection, model: TrainedModel, rows: pd.DataFrame, *, actor: str) -> Policy | None:
    """Take the thresholds of the quotas anew, from a new champion of the screening track; None where no quota holds."""
    policy = current_policy(connection)
    if policy.default_quota is None:
        return None
    reason = f"{policy.reason.partition(FOLLOWING)[0]}{FOLLOWING}{model.model_version}."
    return set_policy(connection, policy.rule, model, rows, actor=actor, reason=reason)
