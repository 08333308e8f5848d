"""Personal data in fields that the contract does not mark.

Numbers, addresses and places are told by their form, names by what stands above or before them: a bare name in a text
looks like that of a village, and is not found.
"""

from collections.abc import Collection, Mapping, Sequence

from ingest_api.detection.answers import Kind, fits, kind_of_text
from ingest_api.detection.headers import kind_of_header
from ingest_api.detection.suspicion import suspicious_lines

__all__ = ["Detector", "Kind", "kind_of_header", "kind_of_text", "say_header"]


class Detector:
    """Finds what is personal in rows of one shape.

    Args:
        names: the fields that every row has, in order.
        skipped: those of them that are known to be personal already.
    """

    def __init__(self, names: Sequence[str], skipped: Collection[str]) -> None:
        self._checked = [
            (position, name, kind_of_header(name)) for position, name in enumerate(names) if name not in skipped
        ]
        self._is_told = any(kind for _, _, kind in self._checked)

    def suspicious(self, lines: Sequence[str]) -> list[int]:
        """The positions of lines of CSV, each with its extras as JSON behind it, that may hold personal data.

        Whatever `find` finds is in one of them.
        """
        return list(range(len(lines))) if self._is_told else suspicious_lines(lines)

    def find(self, cells: Sequence[str], extras: Mapping[str, str]) -> dict[str, Kind]:
        """The kind of each field, or header of the extras, whose answer is personal."""
        found: dict[str, Kind] = {}
        for position, name, told in self._checked:
            kind = _judge(cells[position], told)
            if kind:
                found[name] = kind
        for header, answer in extras.items():
            kind = _judge(answer, kind_of_header(header)) or kind_of_text(header)
            if kind:
                found[header] = kind
        return found


def say_header(header: str) -> str:
    """A header as a notice may repeat it: where data was taken for a header, it may be somebody's."""
    return f"({kind})" if (kind := kind_of_text(header)) else repr(header)


def _judge(answer: str, told: Kind | None) -> Kind | None:
    return told if told and fits(told, answer) else kind_of_text(answer)
