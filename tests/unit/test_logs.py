"""Logs: one form for all lines, what is bound stands on each, and no payload or secret is ever on one."""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from warehouse import logs
from warehouse.logs import LineFormatter, configure_logging, get_logger, hide_secrets, log_context, run_log
from warehouse.settings import Settings

logger = get_logger("tests.logs")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwaG9uZSJ9.c2lnbmF0dXJl"  # noqa: S105 - nobody's


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written to standard error since it was last asked; the process logs as before afterwards."""
    root = logging.getLogger()
    level = root.level
    yield lambda: capsys.readouterr().err
    root.setLevel(level)
    for handler in [one for one in root.handlers if isinstance(one.formatter, LineFormatter)]:
        root.removeHandler(handler)


def settings(home: Path = Path("unused"), **values: Any) -> Settings:
    return Settings(_env_file=None, kyalo_home=home, **values)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_line_says_what_happened_where_and_in_which_process(said: Callable[[], str]) -> None:
    configure_logging(settings(), "worker")
    with log_context(ingestion_id="i-1"):
        logger.info("landed", rows=12, seconds=0.5)
    logging.getLogger("a library").warning("it took %d tries", 3)
    ours, theirs = lines(said())
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "level": "info",
        "event": "landed",
        "logger": "tests.logs",
        "process": "worker",
        "ingestion_id": "i-1",
        "rows": 12,
        "seconds": 0.5,
    }
    assert (theirs["event"], theirs["level"], theirs["process"]) == ("it took 3 tries", "warning", "worker")


def test_terminal_gets_columns_and_commands_only_warnings(said: Callable[[], str]) -> None:
    configure_logging(settings(log_format="console"), "load", quiet=True)
    logger.info("not for people")
    logger.warning("the store is away", key="raw/x", error="two\nlines")
    (line,) = said().splitlines()
    assert "the store is away" in line
    assert "key=raw/x" in line


def test_level_is_a_setting(said: Callable[[], str]) -> None:
    configure_logging(settings(log_level="ERROR"), "api")
    logger.warning("not now")
    logger.error("now")
    assert [line["event"] for line in lines(said())] == ["now"]


def test_configuring_again_does_not_write_twice(said: Callable[[], str]) -> None:
    configure_logging(settings(), "command", quiet=True)
    configure_logging(settings(), "api")
    logger.info("once")
    assert [line["process"] for line in lines(said())] == ["api"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2hunter2"),
        ("client_secret", "hunter2hunter2"),
        ("access_token", "hunter2hunter2"),
        ("Authorization", "hunter2hunter2"),
        ("body", '{"household_id": "hunter2hunter2"}'),
        ("survey", "hunter2hunter2"),
        ("answers", {"name": "hunter2hunter2"}),
        ("anything", {"name": "hunter2hunter2"}),
        ("anything", b"hunter2hunter2"),
        ("anything", [{"name": "hunter2hunter2"}]),
        ("path", "/openrosa/key/hunter2hunter2/formList"),
        ("header", "Basic hunter2hunter2"),
        ("url", "mailto://office:hunter2hunter2@mail.example"),
        ("error", "duplicate key\nDETAIL:  Key (name)=(hunter2hunter2) already exists."),
        ("error", 'COPY failed\nCONTEXT:  COPY household_survey, line 3: "hunter2hunter2"'),
        ("error", psycopg.DataError('invalid input syntax for type integer: "hunter2hunter2"')),
    ],
)
def test_neither_payload_nor_secret_is_written(said: Callable[[], str], name: str, value: object) -> None:
    configure_logging(settings(), "api")
    logger.warning("something", **{name: value})
    try:
        raise ValueError(value)
    except ValueError as error:
        if name in ("path", "header", "url", "error"):
            logger.exception(str(value), exc_info=error)
    written = said()
    assert "something" in written
    assert "hunter2" not in written


def test_tokens_are_hidden_wherever_they_stand() -> None:
    assert TOKEN not in hide_secrets(f"refused {TOKEN} of phone-1")
    assert hide_secrets("a plain basic sentence: nothing in it") == "a plain basic sentence: nothing in it"


def test_what_is_no_text_is_still_written(said: Callable[[], str]) -> None:
    configure_logging(settings(), "api")
    logger.warning("unreadable", key="name-\udc80.csv", total=2**70)
    (line,) = lines(said())
    assert line["key"] == "name-\udc80.csv"


def test_run_log_holds_every_line_of_the_run_with_its_identifier(said: Callable[[], str], tmp_path: Path) -> None:
    configure_logging(settings(tmp_path), "pipeline", quiet=True)
    with run_log(settings(tmp_path), "r-1") as path:
        logger.info("step", step="build")
        other = threading.Thread(target=lambda: logger.info("step", step="watch"))
        other.start()
        other.join()
    logger.info("after the run")
    assert path == tmp_path / "logs" / "runs" / "r-1.log"
    assert [(line["run_id"], line["step"]) for line in lines(path.read_text())] == [("r-1", "build"), ("r-1", "watch")]
    assert not said()


def test_run_log_is_written_where_nobody_configured_logging(tmp_path: Path) -> None:
    with run_log(settings(tmp_path), "r-2") as path:
        logger.info("step", step="build")
    assert len(lines(path.read_text())) == 1
    assert logging.getLogger().level == logging.WARNING


def test_no_line_holds_a_secret_of_the_settings_wherever_it_stands(
    said: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "KNOWN_SECRETS", set())
    key, old_key, account, password = (secrets.token_urlsafe(32) for _ in range(4))
    stated = settings(
        secret_key=key,
        secret_keys_retired=f"old:{old_key}",
        azure_storage_connection_string=f"AccountName=kyalo;AccountKey={account};",
        smtp_url=f"smtp://kyalo:{password}@127.0.0.1:25",
    )
    configure_logging(stated, "test")
    for secret in (key, old_key, account, password):
        logger.warning("it was %s", secret, what=secret, many=[secret], address=f"x={quote(secret)}")
        try:
            raise ValueError(f"cannot use {secret}")
        except ValueError:
            logger.exception("something failed")
    logger.warning("127.0.0.1 is no secret")
    written = said()
    assert [secret for secret in (key, old_key, account, password) if secret in written] == []
    assert written.count("something failed") == 4
    assert "127.0.0.1 is no secret" in written
