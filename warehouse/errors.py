"""Every error Kyalo raises on purpose.

    KyaloError
    ├── Terminal            the same input will fail again: 4xx, no retry
    │   ├── ConfigurationError    a setting is missing or contradicts another
    │   ├── MisuseError           a command is called with what it does not take
    │   ├── ContractError         a form's contract cannot be read
    │   ├── UnreadableFileError   an upload is no survey file at all
    │   ├── RefusedSurveyError    one survey cannot be kept
    │   ├── RefusedRequestError   a request cannot be read or is out of bounds
    │   ├── UnauthenticatedError  nobody knows who is asking
    │   ├── ForbiddenError        whoever asks may not do this
    │   ├── ConflictError         it contradicts what there is
    │   ├── NotFoundError         the thing asked for does not exist
    │   ├── BuildError            dbt failed: a model or a test
    │   │   └── GateClosedError   what is new is too bad to be published
    │   ├── TrainingError         a model cannot be fitted honestly
    │   ├── StepTimedOutError     a step of a run took too long
    │   └── IntegrityError        stored bytes are not what was written
    └── Transient           the same input may succeed later: 503, retry
        ├── DatabaseUnavailableError
        ├── StorageUnavailableError
        ├── TooManyRequestsError  the sender is faster than its limit
        ├── ProcessLostError      a process that did the work was killed
        └── BusyError             somebody else holds the lock

Terminal or Transient alone decides the HTTP status, the retry and the alert.
"""

from typing import ClassVar


class KyaloError(Exception):
    """Base of every error that is shown to a user.

    Args:
        message: what happened, and to what.
        code: the error's stable name, `area.reason`; the class's own when omitted.
        remedy: what the reader can do about it.
        facts: what a program needs to know (identifiers, counts, line numbers).
    """

    code: ClassVar[str] = "internal.error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, code: str | None = None, remedy: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or type(self).code
        self.remedy = remedy
        self.facts = facts

    def __str__(self) -> str:
        """The message, and what to do about it."""
        return f"{self.message} {self.remedy}".strip()


class Terminal(KyaloError):
    """Trying again with the same input fails again."""

    http_status = 422


class Transient(KyaloError):
    """Trying again later may succeed."""

    http_status = 503


class ConfigurationError(Terminal):
    """A setting is missing, or contradicts another or the machine."""

    code = "configuration.invalid"
    http_status = 500


class MisuseError(Terminal):
    """A command is called without what it needs, or with what it does not take."""

    code = "command.misused"


class ContractError(Terminal):
    """A form's contract does not exist or cannot be read."""

    code = "contract.invalid"
    http_status = 404


class UnreadableFileError(Terminal):
    """An upload cannot be read as a survey file, so no row of it can be kept."""

    code = "file.unreadable"


class RefusedSurveyError(Terminal):
    """One survey cannot be kept."""

    code = "survey.refused"


class RefusedRequestError(Terminal):
    """A request cannot be read, or is larger, deeper or stranger than any honest one."""

    code = "request.invalid"
    http_status = 400


class UnauthenticatedError(Terminal):
    """Nobody knows who is asking; `challenge` among the facts says how to sign in."""

    code = "auth.missing_token"
    http_status = 401


class ForbiddenError(Terminal):
    """Whoever asks is known and may not do this."""

    code = "auth.wrong_role"
    http_status = 403


class ConflictError(Terminal):
    """What is asked for contradicts what there is."""

    code = "conflict"
    http_status = 409


class NotFoundError(Terminal):
    """What was asked for does not exist."""

    code = "not_found"
    http_status = 404


class BuildError(Terminal):
    """A dbt build failed: a model could not be made, or a test of one failed."""

    code = "build.failed"
    http_status = 500


class GateClosedError(BuildError):
    """What is new is too bad: a gate stopped the build before anything that people read."""

    code = "build.gate_closed"


class TrainingError(Terminal):
    """A model cannot be fitted honestly on what there is."""

    code = "training.failed"
    http_status = 500


class StepTimedOutError(Terminal):
    """A step of a run took longer than it may, and was ended."""

    code = "run.step_timed_out"
    http_status = 500


class IntegrityError(Terminal):
    """Stored bytes are not what was written."""

    code = "integrity.mismatch"
    http_status = 500


class DatabaseUnavailableError(Transient):
    """PostgreSQL does not answer."""

    code = "database.unavailable"


class StorageUnavailableError(Transient):
    """The object store does not answer or cannot take more."""

    code = "storage.unavailable"


class TooManyRequestsError(Transient):
    """The sender is faster than its limit; `retry_seconds` among the facts says when to try again."""

    code = "rate.too_many_requests"
    http_status = 429


class ProcessLostError(Transient):
    """A process that did part of the work ended in the middle of it."""

    code = "process.lost"


class BusyError(Transient):
    """Another process holds the lock that this work needs."""

    code = "busy"
