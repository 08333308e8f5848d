"""Surveys that are sent again after their household was forgotten: known, not stored, and in no original either."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ResentRows:
    """The rows of one upload that were erased before.

    Attributes:
        ingestion_id: the upload.
        numbers: of the rows, as the ledger counts them.
    """

    ingestion_id: str
    numbers: frozenset[int]

    def behind(self, last: int) -> "ResentRows":
        """The same, counted from the last row of the file before."""
        return replace(self, numbers=frozenset(number - last for number in self.numbers))
