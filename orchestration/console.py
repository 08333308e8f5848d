"""What the commands say, and how: to people on a terminal, to programs as JSON."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from warehouse.errors import KyaloError
from warehouse.logs import hide_secrets

PIPE_WIDTH = 120
out = Console(markup=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, markup=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with what it counts, which is in the plural but for one; `many` where the plural is not with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def print_json(value: Any) -> None:
    """Print a value as JSON; times and other types as their text."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_error(error: KyaloError, *, about: str = "") -> None:
    """Print what went wrong, with what, and what to do about it."""
    told = f"error {error.error_code}: {f'{about}: ' if about else ''}{error.message}"
    err.print(hide_secrets(told), highlight=False)
    if error.remedy:
        err.print(hide_secrets(error.remedy), highlight=False)
