"""How the columns of a table, or the names in a document, map to the fields of a form."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ingest_api.json_values import answer_text
from ingest_api.records import (
    LONGEST_NAME,
    REPLACEMENT,
    SEPARATOR,
    Rejection,
    Submission,
    csv_line,
    excerpt_of_cells,
    fingerprint,
    given_key,
    identify,
    make_submission,
)
from warehouse.contract import IDENTIFIER, Contract

SUBMISSION_ID = "submission_id"
LONGEST_CELL = 65_536
MOST_EXTRAS = 1_000
UNSEEN = -1


class Layout:
    """How the columns of a table of surveys map to the fields of a form.

    Attributes:
        names: the fields that the table has, in its order.
        unknown: the headers that the contract does not know, told apart as the extras have them.
        width: how many columns it has.
    """

    def __init__(self, contract: Contract, headers: Sequence[str]) -> None:
        headers = [header.replace("\0", REPLACEMENT) for header in headers]
        resolved = contract.resolve(headers)
        self.width = len(headers)
        self.names = [name for name in resolved if name]
        self._form = contract.form
        self._known = [position for position, name in enumerate(resolved) if name]
        self._extra = _tell_apart([(position, headers[position]) for position, name in enumerate(resolved) if not name])
        self.unknown = [header for _, header in self._extra]
        self._identifier_name = contract.identifier
        self._identifier = self.names.index(contract.identifier) if contract.identifier in self.names else None
        self._submission_id = self.names.index(SUBMISSION_ID) if SUBMISSION_ID in self.names else None
        self._bounded = [(name, self.names.index(name)) for name in contract.indexed if name in self.names]
        self._in_contract_order = _arrange(self.names, contract.names)
        named = [position for _, position in self._bounded]
        self._named_width = 1 + max([self._identifier or 0, *named])
        self._is_known = self.has_identifier and not self._extra
        in_order = self.names == list(contract.names[: len(self.names)])
        self._is_plain = self._is_known and in_order and self.width > self._named_width

    @property
    def has_identifier(self) -> bool:
        """Whether the table says which household (or whatever the form's identifier names) a row is about."""
        return self._identifier is not None

    def submission(self, number: int, cells: Sequence[str]) -> Submission | Rejection:
        """The row as it will be stored, or the reason why it cannot be."""
        if problem := _find_problem(cells):
            return Rejection(number, *problem, excerpt_of_cells(cells))
        values = cells if not self._extra else [cells[position] for position in self._known]
        if problem := self._find_name_problem(values):
            return Rejection(number, *problem, excerpt_of_cells(cells))
        extras = {header: cells[position] for position, header in self._extra if cells[position].strip()}
        return make_submission(
            self._form,
            number,
            ordered=self._in_contract_order(values),
            line=csv_line(values),
            extras=extras,
            key=given_key(values[self._submission_id].strip() if self._submission_id is not None else ""),
        )

    def plain_submission(self, number: int, line: str) -> Submission | Rejection:
        """The same of a line of cells parted by commas, without quotes, outer spaces and control characters.

        Where the columns are the contract's own, it is stored as it is, and hashed so where they are in its order.
        """
        if not self._is_known or len(line) > LONGEST_CELL:
            return self.submission(number, line.split(","))
        # Nothing is parted that stands behind the names: a row has many cells.
        cells = line.split(",", self._named_width if self._is_plain else -1)
        if self._find_name_problem(cells):
            return self.submission(number, line.split(","))
        ordered = line.replace(",", SEPARATOR) if self._is_plain else SEPARATOR.join(self._in_contract_order(cells))
        digest = fingerprint(self._form + SEPARATOR + ordered.rstrip(SEPARATOR))
        client_key = cells[self._submission_id] if self._submission_id is not None else ""
        if client_key:
            key = given_key(client_key)
            return Submission(number, key, identify(self._form, key), digest, line)
        return Submission(number, "content:" + digest, digest, digest, line)

    def _find_name_problem(self, values: Sequence[str]) -> tuple[str, str] | None:
        if self._identifier is None or not values[self._identifier].strip():
            return _no_identifier(self._identifier_name)
        for name, position in self._bounded:
            if len(values[position]) > LONGEST_NAME:
                return _too_long(name, values[position])
        return None


class DocumentLayout:
    """How named answers (JSON, a form's XML) map to the fields of a form; every row has all of its fields.

    Attributes:
        names: the contract's fields, in order.
    """

    def __init__(self, contract: Contract) -> None:
        self.names = list(contract.names)
        self._contract = contract
        self._positions = {name: position for position, name in enumerate(contract.names)}
        self._known: dict[str, int | None] = {}
        self._identifier = self._positions[contract.identifier]
        self._bounded = [(name, self._positions[name]) for name in contract.indexed]
        self._submission_id = self._positions.get(SUBMISSION_ID)

    def submission(
        self,
        number: int,
        answers: Mapping[str, Any],
        *,
        key: str | None = None,
        request_key: str = "",
        deprecates: str | None = None,
        needs_household: bool = True,
    ) -> Submission | Rejection:
        """The answers as they will be stored, or the reason why they cannot be.

        Args:
            number: its place among the surveys of its body.
            answers: name (canonical, or any header that the contract knows) to value; None counts as not given.
            key: the sender's identity of it; without one the field `submission_id`.
            request_key: its identity where there is neither; without one the content decides.
            deprecates: the key of the earlier submission that it corrects.
            needs_household: whether it is rejected without its identifier; what is kept then is left to the rules.
        """
        values = [""] * len(self.names)
        extras: dict[str, str] = {}
        known = self._known
        for header, answer in answers.items():
            text = answer if isinstance(answer, str) else answer_text(answer)
            if text is None:
                continue
            position = known.get(header, UNSEEN)
            if position == UNSEEN:
                position = self._find(header)
            if position is None or (values[position] and values[position] != text):
                extras[header] = text
                if len(extras) > MOST_EXTRAS:
                    message = f"More than {MOST_EXTRAS:,} fields are unknown, which is not allowed."
                    return Rejection(number, "row.too_many_fields", message, excerpt_of_cells(list(extras)[:10]))
                if position == self._identifier and text.strip() != values[position].strip():
                    message = "The survey names two households."
                    return Rejection(number, "row.two_households", message, excerpt_of_cells([*values, text]))
            else:
                values[position] = text
        if problem := self._find_problem(values, extras, needs_household):
            return Rejection(number, *problem, excerpt_of_cells([*values, *extras.values()]))
        filled = {header: text for header, text in extras.items() if text.strip()}
        own_key = key or (values[self._submission_id] if self._submission_id is not None else "")
        return make_submission(
            self._contract.form,
            number,
            ordered=values,
            line=csv_line(values),
            extras=filled,
            key=given_key(own_key.strip()) or request_key,
            deprecates=deprecates,
        )

    def _find(self, header: str) -> int | None:
        """The position of a header's field, None for one that the contract does not know; remembered."""
        if len(self._known) > 10 * MOST_EXTRAS:
            self._known.clear()  # a sender that makes names up must not fill the memory
        (name,) = self._contract.resolve([header])
        position = self._known[header] = None if name is None else self._positions[name]
        return position

    def _find_problem(self, values: list[str], extras: dict[str, str], needs_household: bool) -> tuple[str, str] | None:
        if problem := _find_problem([*values, *extras, *extras.values()]):
            return problem
        if needs_household and not values[self._positions[self._contract.identifier]].strip():
            return _no_identifier(self._contract.identifier)
        for name, position in self._bounded:
            if len(values[position]) > LONGEST_NAME:
                return _too_long(name, values[position])
        return None


def _arrange(names: Sequence[str], order: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str]]:
    """A function that puts a row's values in another order, blank where a name is missing."""
    last = len(names)
    positions = {name: position for position, name in enumerate(names)}
    picked = itemgetter(*(positions.get(name, last) for name in order))
    if len(order) == 1:
        return lambda values: [picked([*values, ""])]
    return lambda values: picked([*values, ""])


def _tell_apart(columns: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Unknown columns under names of their own: the second of two equal headers H is H#2."""
    seen: Counter[str] = Counter()
    named = []
    for position, header in columns:
        seen[header] += 1
        named.append((position, header if seen[header] == 1 else f"{header}#{seen[header]}"))
    return named


def _find_problem(cells: Sequence[str]) -> tuple[str, str] | None:
    text = SEPARATOR.join(cells)
    if len(text) > LONGEST_CELL:
        longest = max(map(len, cells), default=0)
        if longest > LONGEST_CELL:
            return "row.cell_too_large", f"A cell has {longest:,} characters, {LONGEST_CELL:,} are allowed."
    if "\0" in text:
        return "row.nul_byte", "A cell holds a NUL byte, which no text can."
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "row.bad_text", "A cell holds a lone surrogate, which is no character."
    return None


def _too_long(name: str, value: str) -> tuple[str, str]:
    return "row.name_too_long", f"{name} has {len(value):,} characters, {LONGEST_NAME} are allowed."


def _no_identifier(name: str) -> tuple[str, str]:
    return "row.no_household_id" if name == IDENTIFIER else "row.no_identifier", f"{name} is blank."
