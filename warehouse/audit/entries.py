"""An entry of the log while what it tells of goes on: begun at a door, added to by whoever shows or changes something.

Nothing of what is shown stands in it: names of things and of households, numbers and codes.
"""

import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import orjson

Door = Literal["api", "dashboard", "cli"]
Result = Literal["begun", "allowed", "refused", "failed"]
FIELDS = (
    "at", "door", "action", "actor", "source", "subject", "result", "code", "http_status", "records", "households",
    "request_id",
)  # fmt: skip
LONGEST = 1000  # characters of a name that somebody chose
_current: ContextVar["Draft | None"] = ContextVar("audit_draft", default=None)


@dataclass(slots=True)
class Draft:
    """What will stand in the log of one request or command.

    Attributes:
        door: by way of what it came.
        source: the address or host that it came from.
        action: what was asked for, such as `submission.show`.
        actor: the client or user; None where nobody knows.
        subject: what it is about.
        code: of the error that it ended with.
        records: how many records were shown or changed.
        households: which households were shown or changed.
        request_id: as the process's log names it.
        is_written: whether it stands in the log already.
    """

    door: Door
    source: str | None
    action: str = "unknown"
    actor: str | None = None
    subject: str | None = None
    code: str | None = None
    records: int | None = None
    households: list[str] | None = None
    request_id: str | None = None
    is_written: bool = False

    def entry(self, result: Result, http_status: int | None = None) -> dict[str, object]:
        """The fields of the log, by name; the time is now, in microseconds since 1970."""
        values = (
            time.time_ns() // 1000,
            self.door,
            self.action,
            _bounded(self.actor),
            _bounded(self.source),
            _bounded(self.subject),
            result,
            self.code,
            http_status,
            self.records,
            [kept for household in self.households if (kept := _bounded(household))] if self.households else None,
            self.request_id,
        )
        return dict(zip(FIELDS, values, strict=True))


def begin(draft: Draft) -> Draft:
    """Let what follows, in this context and in those that come of it, add to a draft."""
    _current.set(draft)
    return draft


def end() -> None:
    """Let nothing that follows add to the draft that was begun."""
    _current.set(None)


def current() -> Draft | None:
    """The draft of what goes on; None where no door was passed."""
    return _current.get()


def note(
    *,
    actor: str | None = None,
    subject: str | None = None,
    code: str | None = None,
    records: int | None = None,
    households: Iterable[str | None] = (),
) -> None:
    """Tell the log what is shown or changed; nothing happens where no door was passed.

    Args:
        actor: who it is.
        subject: what it is about; the first that is told stays.
        code: of the error that it ends with.
        records: how many more records.
        households: which more households; those without an identifier are left out.
    """
    draft = _current.get()
    if draft is None:
        return
    draft.actor = actor or draft.actor
    draft.subject = draft.subject or subject
    draft.code = code or draft.code
    if records is not None:
        draft.records = (draft.records or 0) + records
    named = dict.fromkeys(household for household in households if household)
    if named:
        draft.households = list(dict.fromkeys([*(draft.households or ()), *named]))


def message(chain_id: str, sequence: int, values: Iterable[object], previous_hash: bytes) -> bytes:
    """What the hash of an entry is made of: every field of it, and the hash of the entry before it.

    A value of a type that no entry has, which somebody gave a column, makes another hash and no error.
    """
    return orjson.dumps([chain_id, sequence, *values, previous_hash.hex()], default=str)


def _bounded(name: str | None) -> str | None:
    """A name as the database can keep it."""
    if name is None:
        return None
    return name[:LONGEST].replace("\0", "").encode("utf-8", "replace").decode()
