"""What a household is known by: its identifier, and the surveys that bear it."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

from ingest_api.personal import STAND_IN

SPACES = "".join(
    character for character in map(chr, range(0x3001)) if character.isspace()
)  # what `str.strip` takes off
WORD = "[:alnum:]_-"
CELL_ENDS = re.compile(r"[,;|\t\r\n\"]")
DISTINCT_DIGITS = 6


def as_sent(name: str) -> str:
    """A name as it came, where nobody's number or address can be one."""
    return name


@dataclass(frozen=True)
class Household:
    """A household, and what it sent.

    Attributes:
        identifier: as the surveys have it, or the stand-in that rows have in its place.
        hide: gives the stand-in of an identifier that is somebody's number or address, and any other as it is.
        keys: the keys of its stored submissions.
        shared_keys: those of them under which a submission of another form is stored, too.
        stored: upload and row of each that is stored.
        conflicts: upload and row of each that is kept as a conflict.
    """

    identifier: str
    hide: Callable[[str], str] = as_sent
    keys: Collection[str] = ()
    shared_keys: Collection[str] = ()
    stored: Collection[tuple[str, int]] = ()
    conflicts: Collection[tuple[str, int]] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it is called: its identifier, and the stand-in where rows have one."""
        plain = self.identifier.strip()
        return tuple(dict.fromkeys([plain.upper(), self.hide(plain).upper()]))

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys that name its submissions and no other form's."""
        return frozenset(self.keys) - frozenset(self.shared_keys)

    @property
    def is_hidden(self) -> bool:
        """Whether rows have a stand-in for its identifier."""
        return self.names[-1].startswith(STAND_IN.upper())

    @property
    def is_distinct(self) -> bool:
        """Whether the identifier as a word can hardly be anything else: 5 may be a number of rooms, KAN-5 may not."""
        letters, digits = (sum(map(kind, self.names[0])) for kind in (str.isalpha, str.isdigit))
        return self.is_hidden or (digits > 0 and (letters > 0 or digits >= DISTINCT_DIGITS))

    @property
    def pattern(self) -> str:
        """Tells, to PostgreSQL, a text that holds one of its names as a word."""
        named = "|".join(re.sub(r"([^\w])", r"\\\1", name) for name in self.names)
        return rf"(^|[^{WORD}])({named})($|[^{WORD}])"

    def is_it(self, answer: object) -> bool:
        """Whether an answer is its identifier."""
        if not isinstance(answer, str):
            return False
        plain = answer.strip()
        return plain.upper() in self.names or (self.is_hidden and self.hide(plain).upper() == self.names[-1])

    def may_be_in(self, line: str) -> bool:
        """Whether it can be among the answers of a line; cheap to ask before they are parted."""
        return self.is_hidden or any(name in line.upper() for name in self.names)

    def is_named_in(self, text: str) -> bool:
        """Whether a text holds one of its names as a word."""
        return self._word.search(text) is not None

    def is_told_by(self, text: str) -> bool:
        """Whether a row that could not be read is its own: a cell is its identifier, the first where that is common."""
        cells = [cell for cell in CELL_ENDS.split(text) if cell.strip()]
        return any(map(self.is_it, cells if self.is_distinct else cells[:1]))

    @cached_property
    def _word(self) -> re.Pattern[str]:
        named = "|".join(map(re.escape, self.names))
        return re.compile(rf"(?<![\w-])(?:{named})(?![\w-])", re.IGNORECASE)
