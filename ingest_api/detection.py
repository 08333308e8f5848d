"""STUB for the lead's tests until C's lands: overwrite me."""

from collections.abc import Collection, Mapping, Sequence


class Detector:
    def __init__(self, names: Sequence[str], skipped: Collection[str]) -> None: ...
    def suspicious(self, lines: Sequence[str]) -> list[int]:
        return []

    def find(self, cells: Sequence[str], extras: Mapping[str, str]) -> dict[str, str]:
        return {}
