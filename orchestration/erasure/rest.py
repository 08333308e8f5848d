"""What is left of a content that a household was taken out of."""

from dataclasses import dataclass

JSON_LINES = ".jsonl"


@dataclass
class Rest:
    """What is left of one content.

    Attributes:
        kept: how many surveys of others are in it.
        gone: how many were the household's.
        suffix: what its name ends with now, None where it is of the kind it was.
    """

    kept: int = 0
    gone: int = 0
    suffix: str | None = None

    def count(self, *, is_its: bool) -> None:
        """Count one survey."""
        self.kept += not is_its
        self.gone += is_its

    def found(self) -> "Rest | None":
        """This one, where something was the household's."""
        return self if self.gone else None
