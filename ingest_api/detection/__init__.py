"""Personal data in fields that the contract does not mark.

Numbers, addresses and places are told by their form, names by what stands above or before them: a bare name in a text
looks like that of a village, and is not found.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ingest_api.detection.answers import Kind, fits, kinds_of_text
from ingest_api.detection.headers import bare_names, kinds_of_header
from ingest_api.detection.nested import document_in, parts_of
from ingest_api.detection.suspicion import suspicious_lines
from ingest_api.records import csv_line

__all__ = ["Detector", "Found", "Kind", "bare_names", "kinds_of_header", "kinds_of_text", "kinds_within", "say_header"]

Kinds = tuple[Kind, ...]


class Found(NamedTuple):
    """What is personal in a row: the kinds of each answer, by field and by header of the extras."""

    fields: dict[str, Kinds]
    extras: dict[str, Kinds]


def _marks_nothing(header: str) -> Kind | None:  # noqa: ARG001 - it is asked as a contract is
    return None


class Detector:
    """Finds what is personal in rows of one shape.

    Args:
        names: the fields that every row has, in order.
        skipped: those of them that are known to be personal already.
        marks: what a contract that marks fields says of the header of an extra, or of a key within one.
    """

    def __init__(
        self,
        names: Sequence[str],
        skipped: Collection[str],
        marks: Callable[[str], Kind | None] = _marks_nothing,
    ) -> None:
        self._checked = [(position, name) for position, name in enumerate(names) if name not in skipped]
        self._marks = marks
        self._is_told = any(kinds_of_header(name) for _, name in self._checked)

    def suspicious(self, lines: Sequence[str]) -> list[int]:
        """The positions of lines of CSV, each with its extras as JSON behind it, that may hold personal data.

        Whatever `find` finds is in one of them.
        """
        return list(range(len(lines))) if self._is_told else suspicious_lines(lines, self._tells)

    def find(self, cells: Sequence[str], extras: Mapping[str, str]) -> Found:
        """The kinds of each field, and of each header of the extras, whose answer is personal."""
        # Of rows that come here for their extras, most cells are ordinary.
        checked = self._checked if not extras or self.suspicious([csv_line(cells)]) else ()
        fields = {
            name: kinds
            for position, name in checked
            if cells[position] and (kinds := self._judge(name, cells[position]))
        }
        beside = {
            header: kinds
            for header, answer in extras.items()
            if (kinds := self._judge(header, answer) or kinds_within(header))
        }
        return Found(fields, beside)

    def _tells(self, header: str) -> bool:
        return bool(kinds_of_header(header)) or self._marks(header) is not None

    def _judge(self, header: str, answer: str) -> Kinds:
        document = document_in(answer)
        if document is None:
            return _kinds(header, answer)
        kinds: dict[Kind, None] = {}
        for name, part in parts_of(header, document):
            kinds |= dict.fromkeys(_kinds(name, part))
            if name is not header and (marked := self._marks(name)):
                kinds[marked] = None
        return tuple(kinds)


def _kinds(header: str, answer: str) -> Kinds:
    """What an answer is by itself, and by the name above it."""
    kinds = kinds_of_text(answer)
    return kinds + tuple(kind for kind in kinds_of_header(header) if kind not in kinds and fits(kind, answer))


@lru_cache(4096)
def kinds_within(header: str) -> Kinds:
    """What a header gives away itself: where data was taken for one, it may be somebody's."""
    return kinds_of_text(header)


def say_header(header: str) -> str:
    """A header as a notice may repeat it."""
    return f"({', '.join(kinds)})" if (kinds := kinds_within(header)) else repr(header)
