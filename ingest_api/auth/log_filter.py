"""Keeps URL tokens out of what a server of another's writes of requests; our own logs hide them by themselves."""

import logging

from warehouse.logs import hide_secrets


class HideTokens(logging.Filter):
    """Takes URL tokens out of the records of a logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's message and arguments; none is left out."""
        if isinstance(record.args, tuple):
            record.args = tuple(hide_secrets(value) if isinstance(value, str) else value for value in record.args)
        record.msg = hide_secrets(str(record.msg))
        return True


def hide_tokens_in_logs() -> None:
    """Filter what the server writes of requests; call it once the server has set up its logging."""
    for name in ("uvicorn.access", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, HideTokens) for known in logger.filters):
            logger.addFilter(HideTokens())
