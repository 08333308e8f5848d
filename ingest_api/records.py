"""What a reader hands to the landing: records and rejections, and how a file's columns map to fields."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.contract import IDENTIFIER, Contract

SUBMISSION_ID = "submission_id"
LONGEST_CELL = 65_536
LONGEST_NAME = 255
EXCERPT_LENGTH = 2_000
NAMES = (IDENTIFIER, SUBMISSION_ID, "district", "cluster", "village", "survey_round")  # indexed or grouped by
SEPARATOR = "\x1f"
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Record:
    """One survey: the line where it begins, its cells in the order of the header."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that cannot be kept as a survey, with its reason and (the beginning of) its text."""

    number: int
    code: str
    message: str
    content: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A record that can be stored: its identity, its content's hash and its cells by field."""

    number: int
    key: str
    content_hash: str
    values: Sequence[str]
    extras: str | None


class Layout:
    """How the columns of one file map to the fields of a form.

    Attributes:
        names: the fields that the file has, in the file's order.
        unknown: the headers that the contract does not know.
    """

    def __init__(self, contract: Contract, headers: Sequence[str]) -> None:
        headers = [header.replace("\0", REPLACEMENT) for header in headers]
        resolved = contract.resolve(headers)
        self.width = len(headers)
        self.names = [name for name in resolved if name]
        self.unknown = [header for header, name in zip(headers, resolved, strict=True) if not name]
        self._known = [position for position, name in enumerate(resolved) if name]
        self._extra = _tell_apart([(position, headers[position]) for position, name in enumerate(resolved) if not name])
        self._identifier = self.names.index(IDENTIFIER) if IDENTIFIER in self.names else None
        self._submission_id = self.names.index(SUBMISSION_ID) if SUBMISSION_ID in self.names else None
        self._bounded = [(name, position) for position, name in enumerate(self.names) if name in NAMES]
        # The hash does not depend on the order of columns, so the same survey from another file is the same.
        self._hash_order = sorted((f"{name}=", position) for position, name in enumerate(self.names))

    @property
    def has_identifier(self) -> bool:
        """Whether the file says which household a row is about."""
        return self._identifier is not None

    def submission(self, record: Record) -> Submission | Rejection:
        """The record as it will be stored, or the reason why it cannot be."""
        cells = record.cells
        if problem := _find_problem(cells):
            return Rejection(record.number, *problem, _excerpt_of_cells(cells))
        values = cells if not self._extra else [cells[position] for position in self._known]
        if self._identifier is None or not values[self._identifier].strip():
            return Rejection(record.number, "row.no_household_id", f"{IDENTIFIER} is blank.", _excerpt_of_cells(cells))
        extras = {header: cells[position] for position, header in self._extra if cells[position].strip()}
        content_hash = self._hash(values, extras)
        for name, position in self._bounded:
            if len(values[position]) > LONGEST_NAME:
                message = f"{name} has {len(values[position]):,} characters, {LONGEST_NAME} are allowed."
                return Rejection(record.number, "row.name_too_long", message, _excerpt_of_cells(cells))
        identity = values[self._submission_id].strip() if self._submission_id is not None else ""
        return Submission(
            number=record.number,
            key=identity or f"content:{content_hash}",
            content_hash=content_hash,
            values=values,
            extras=json.dumps(extras, ensure_ascii=False) if extras else None,
        )

    def _hash(self, values: Sequence[str], extras: dict[str, str]) -> str:
        answers = list(map(str.strip, values))
        filled = [label + answers[position] for label, position in self._hash_order if answers[position]]
        filled += [f"{header}={extras[header].strip()}" for header in sorted(extras)]
        return hashlib.blake2b(SEPARATOR.join(filled).encode(), digest_size=16).hexdigest()


def _tell_apart(columns: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Unknown columns under names of their own: the second of two equal headers H is H#2."""
    seen: Counter[str] = Counter()
    named = []
    for position, header in columns:
        seen[header] += 1
        named.append((position, header if seen[header] == 1 else f"{header}#{seen[header]}"))
    return named


def _find_problem(cells: Sequence[str]) -> tuple[str, str] | None:
    longest = max(map(len, cells), default=0)
    if longest > LONGEST_CELL:
        return "row.cell_too_large", f"A cell has {longest:,} characters, {LONGEST_CELL:,} are allowed."
    if "\0" in SEPARATOR.join(cells):
        return "row.nul_byte", "A cell holds a NUL byte, which no text can."
    return None


def excerpt(text: str) -> str:
    """The beginning of a rejected row, as a table can keep it."""
    return text[:EXCERPT_LENGTH].replace("\0", REPLACEMENT)


def _excerpt_of_cells(cells: Sequence[str]) -> str:
    return excerpt(",".join(cell[:EXCERPT_LENGTH] for cell in cells))
