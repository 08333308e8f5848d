"""What the lifecycle did, or would do: one entry each, kept in `ops.lifecycle_actions`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psycopg

from orchestration.console import count
from orchestration.lifecycle.policies import Action
from warehouse.database import queries


@dataclass(frozen=True)
class Act:
    """One thing that was archived, exported, restored or deleted.

    Attributes:
        policy: the policy that named it.
        action: what was done.
        subject: to what: an object, a month of a raw table, rows of a table, files.
        rows: how many rows, where rows went.
        bytes: how many bytes, where that is known.
        object_key: where it is kept now.
        sha256: hash of what is kept.
    """

    policy: str
    action: Action
    subject: str
    rows: int | None = None
    bytes: int | None = None
    object_key: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Account:
    """Everything that was done at one time, or would be.

    Attributes:
        acts: what.
        is_done: whether it was done.
    """

    acts: Sequence[Act]
    is_done: bool = True

    def __str__(self) -> str:
        """The same in a few words."""
        kinds = dict.fromkeys((act.policy, act.action) for act in self.acts)
        said = [f"{policy}: {self._size(policy, action)} {self.told(action)}" for policy, action in kinds]
        return "; ".join(said) or "nothing was old enough"

    def told(self, action: Action) -> str:
        """An action in the tense that is true of it."""
        return action if self.is_done else f"would be {action}"

    def _size(self, policy: str, action: Action) -> str:
        """How much an action of a policy is about: rows where rows go, files where files do."""
        acts = [act for act in self.acts if (act.policy, act.action) == (policy, action)]
        rows = [act.rows for act in acts if act.rows is not None]
        return count(sum(rows), "row") if rows else count(len(acts), "file")


def record(connection: psycopg.Connection, act: Act, requested_by: str, *, is_finished: bool = True) -> int:
    """Enter an act into the record, in the caller's transaction, and return its number.

    Args:
        connection: in a transaction.
        act: what was done.
        requested_by: the schedule, or a person.
        is_finished: False where the old place is still to be emptied; `finish` is called after that.
    """
    values = asdict(act) | {"requested_by": requested_by, "is_finished": is_finished}
    row = connection.execute(queries("lifecycle")["insert_action"], values).fetchone()
    assert row is not None  # noqa: S101 - it returns one number or raises
    return int(row[0])


def finish(connection: psycopg.Connection, number: int) -> None:
    """Note that the old place of what was moved is empty."""
    connection.execute(queries("lifecycle")["finish_action"], {"action_id": number})
