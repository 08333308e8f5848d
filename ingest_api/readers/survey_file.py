"""What every reader makes of a file."""

from collections.abc import Iterator
from typing import Protocol

from ingest_api.records import Rejection, Submission


class SurveyFile(Protocol):
    """A table or a list of surveys whose beginning has been read; iterate once over `submissions`."""

    @property
    def names(self) -> list[str]:
        """The fields that its submissions have, in the order of their lines."""

    @property
    def unknown(self) -> list[str]:
        """The columns that the contract does not know; of documents none, each has its own names."""

    @property
    def format(self) -> str:
        """csv, excel, json, jsonl or parquet."""

    @property
    def estimated_rows(self) -> int:
        """How many submissions it has, by its size and its first ones."""

    @property
    def notices(self) -> list[str]:
        """What its sender should know; complete after the last submission."""

    def submissions(self) -> Iterator[Submission | Rejection]:
        """Every survey, in order."""
