"""Logs: structlog over the standard library, a line for each event, never a payload or a secret.

Every line, of ours and of the libraries we use, goes through one formatter: JSON for programs, columns for a terminal.
What is bound with `log_context` (`run_id`, `ingestion_id`, `request_id`) stands on each line of its block.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from pydantic import SecretStr
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

from warehouse.settings import Settings

HIDDEN = "***"
LONGEST_TEXT = 2000  # characters of one value; a traceback may have more
LONGEST_TRACEBACK = 20_000
SHORTEST_SECRET = 8  # characters; a shorter one stands in many a word
SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|authorization|cookie|credential"
    r"|(?:api|account|encryption|hash|private|signing)_?key",
    re.IGNORECASE,
)
PAYLOAD_NAME = re.compile(r"(answers|body|content|document|payload|record|row|survey|survey_data|surveys)$")
SECRET_IN_TEXT = re.compile(
    r"(/key/)[^/?\s\"']+|(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{12,}|()\beyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(://[^\s/:@]*:)[^\s/@]+(?=@)|(\bpassword=)\S+|(\bAccountKey=|\bSharedAccessSignature=)[^\s;]+",
    re.IGNORECASE,
)
# PostgreSQL quotes what was sent: the row that failed, the line of a COPY, the value that is no number.
PAYLOAD_IN_TEXT = re.compile(r"^((?:DETAIL|CONTEXT):\s*).*$|(invalid input [^\n:]*: )\".*\"", re.MULTILINE)
SUSPICIOUS = (
    "/key/",
    "bearer",
    "basic",
    "eyj",
    "://",
    "password=",
    "accountkey=",
    "sharedaccess",
    "detail:",
    "context:",
    "invalid input",
)
TALKATIVE = ("alembic", "apscheduler", "azure", "botocore", "httpx2", "mlflow", "procrastinate", "uvicorn.access")
LISTED_KEY = re.compile(r"[^,:\s]+")
PASSWORD_IN_ADDRESS = re.compile(r"(?:://[^\s/:@]*:(?=[^\s/@]+@)|\bAccountKey=)([^\s@;]+)")
KNOWN_SECRETS: set[str] = set()
SCALARS = (str, int, float, bool, type(None))

bind_context, log_context = bind_contextvars, bound_contextvars
Render = Callable[[dict[str, Any]], str]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `logger.info("what happened", what=..., seconds=...)`."""
    return structlog.stdlib.get_logger(name)


def write_often(logger: logging.Logger, level: int, event: str, fields: Mapping[str, object]) -> None:
    """Log what happens thousands of times a second, at half the price: nobody asks from which line it came.

    Args:
        logger: the standard library's, `logging.getLogger(__name__)`.
        level: how much it matters, as a number of the standard library.
        event: what happened.
        fields: what varies.
    """
    if logger.isEnabledFor(level):
        record = logger.makeRecord(logger.name, level, "", 0, event, (), None)
        record.fields = fields
        logger.handle(record)


def configure_logging(settings: Settings, process: str, *, quiet: bool = False) -> None:
    """Let this process log to standard error in one form; call it where a process begins.

    Args:
        settings: LOG_FORMAT and LOG_LEVEL.
        process: what stands on each line as the process: api, worker, scheduler, dashboard or a command.
        quiet: show warnings and worse only, and for people: for commands that print what they do.
    """
    hide_always(*_secrets_of(settings))
    handler = logging.StreamHandler(sys.stderr)
    is_for_people = settings.log_format == "console" or (
        settings.log_format == "auto" and (quiet or sys.stderr.isatty())
    )
    handler.setFormatter(LineFormatter(_console() if is_for_people else _json, process=process))
    handler.setLevel(logging.WARNING if quiet else settings.log_level)
    root = logging.getLogger()
    for other in [one for one in root.handlers if isinstance(one.formatter, LineFormatter)]:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line says them
    _quieten_libraries()


@contextmanager
def run_log(settings: Settings, run_id: str) -> Iterator[Path]:
    """Write the lines of this process to the run's own file as well, with the run's identifier on each.

    Gives the file, `KYALO_HOME/logs/runs/<run_id>.log`: one JSON document a line.
    """
    path = settings.home / "logs" / "runs" / f"{run_id}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(LineFormatter(_json, run_id=run_id))
    handler.setLevel(settings.log_level)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, handler.level))
    try:
        with log_context(run_id=run_id):
            yield path
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


class LineFormatter(logging.Formatter):
    """Makes a line of a record: what happened, when, where, and what is bound to it.

    Args:
        render: how the fields become a line.
        constant: fields that stand on every line.
    """

    def __init__(self, render: Render, **constant: str) -> None:
        super().__init__()
        self._render = render
        self._constant = constant

    def format(self, record: logging.LogRecord) -> str:
        """The line, with what must not be read hidden."""
        fields = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname.lower(),
            "event": _shown_text(record.getMessage()),
            "logger": record.name,
            **self._constant,
            **get_contextvars(),
        }
        for name, value in getattr(record, "fields", {}).items():
            fields[name] = HIDDEN if _is_hidden(name) else _shown(value)
        if record.exc_info:
            fields["exception"] = _hide_by_form(self.formatException(record.exc_info)[-LONGEST_TRACEBACK:])
        return _hide_known(self._render(fields))


def hide_always(*secrets: str) -> None:
    """Let no line hold these texts from now on, wherever they come from."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            KNOWN_SECRETS.update((secret, json.dumps(secret)[1:-1], quote(secret, safe="")))


def hide_secrets(text: str) -> str:
    """A text as it may be written down: without tokens and passwords, and without what PostgreSQL quotes of rows."""
    return _hide_known(_hide_by_form(text))


def _hide_known(text: str) -> str:
    for secret in KNOWN_SECRETS:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def _secrets_of(settings: Settings) -> Iterator[str]:
    """Every secret that the settings hold, each key of a list of keys, and the passwords of addresses."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            yield secret
            yield from LISTED_KEY.findall(secret) if "key" in name else PASSWORD_IN_ADDRESS.findall(secret)


def _hide_by_form(text: str) -> str:
    lowered = text.lower()
    if not any(mark in lowered for mark in SUSPICIOUS):  # most lines: two searches would cost more than all else
        return text
    text = SECRET_IN_TEXT.sub(_keep_groups, text)
    return PAYLOAD_IN_TEXT.sub(_keep_groups, text)


def _keep_groups(found: re.Match[str]) -> str:
    return "".join(filter(None, found.groups())) + HIDDEN


@cache
def _is_hidden(name: str) -> bool:
    """Whether a field of that name is a secret or a payload."""
    return bool(SECRET_NAME.search(name) or PAYLOAD_NAME.match(name))


def _shown(value: object) -> object:
    """What a line says of a value: of what is no single value, how much there is of it."""
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, SCALARS):
        return value
    if isinstance(value, (list, tuple, set)) and all(isinstance(item, SCALARS) for item in value):
        return [_shown(item) for item in value]
    if isinstance(value, (bytes, Mapping, list, tuple, set)):
        return f"<{type(value).__name__} of {len(value)}>"
    return _shown_text(str(value))


def _shown_text(text: str) -> str:
    return _hide_by_form(text[:LONGEST_TEXT])


def _timestamp(seconds: float) -> str:
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03d}Z"


@lru_cache(2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _json(fields: dict[str, Any]) -> str:
    try:
        return orjson.dumps(fields).decode()
    except TypeError:  # the name of a file, say, that is no text
        return json.dumps(fields, default=str)


def _console() -> Render:
    """Columns for people, in colour where standard error is a terminal."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    return lambda fields: str(renderer(None, "", fields))


def _quieten_libraries() -> None:
    """Leave out what libraries tell of their every step; take servers' lines from the servers' own handlers."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the API writes a line of its own for each request


def _to_record(_logger: object, _method: str, event: structlog.typing.EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """What the standard library takes of an event: its fields beside the message, where they collide with nothing."""
    message = event.pop("event")
    exc_info = event.pop("exc_info", None)
    return (message,), {"exc_info": exc_info, "extra": {"fields": event}}


structlog.configure(
    processors=[structlog.stdlib.filter_by_level, _to_record],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
