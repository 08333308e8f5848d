"""Keeps URL tokens out of every log."""

import logging
import re

TOKEN_IN_PATH = re.compile(r"(/key/)[^/?\s\"]+", re.IGNORECASE)


def hide_token(path: str) -> str:
    """A path or line as it may be written down."""
    return TOKEN_IN_PATH.sub(r"\1***", path)


class HideTokens(logging.Filter):
    """Takes URL tokens out of the records of a logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's message and arguments; none is left out."""
        if isinstance(record.args, tuple):
            record.args = tuple(hide_token(value) if isinstance(value, str) else value for value in record.args)
        record.msg = hide_token(str(record.msg))
        return True


def hide_tokens_in_logs() -> None:
    """Filter what the server writes of requests; call it once the server has set up its logging."""
    for name in ("uvicorn.access", "uvicorn.error", "ingest_api.problems"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, HideTokens) for known in logger.filters):
            logger.addFilter(HideTokens())
