"""What is left of a content that a household was taken out of."""

from dataclasses import dataclass

JSON_LINES = ".jsonl"


@dataclass
class Rest:
    """What is left of one content.

    Attributes:
        kept: how many surveys of others are in it.
        gone: how many were the household's.
        last: the number of the last survey in it.
        suffix: what its name ends with now, None where it is of the kind it was.
    """

    kept: int = 0
    gone: int = 0
    last: int = 0
    suffix: str | None = None

    def count(self, number: int, *, is_its: bool) -> None:
        """Count the survey of that number."""
        self.last = number
        self.kept += not is_its
        self.gone += is_its

    def add(self, other: "Rest") -> None:
        """Count what is left of the file that follows, whose numbers count on."""
        self.kept += other.kept
        self.gone += other.gone
        self.last += other.last
