"""Columns of tables, and rows that are made of other rows: what a statement is traced through."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol


class Relation(NamedTuple):
    """A table or view of the warehouse."""

    schema: str
    name: str


class Cell(NamedTuple):
    """A column of a table or view."""

    relation: Relation
    column: str


Cells = frozenset[Cell]
ColumnsOf = Callable[[Relation], Sequence[str]]


class UntraceableError(Exception):
    """Nobody can tell what a column is computed from; the message says why."""


class Rows(Protocol):
    """Anything that rows can be selected from."""

    @property
    def names(self) -> Sequence[str]:
        """Its columns, in order."""

    def read(self, name: str) -> Cells:
        """What a column is computed from."""

    def read_rows(self) -> Cells:
        """What decides which rows there are."""


class TableRows:
    """A table or view."""

    def __init__(self, relation: Relation, columns_of: ColumnsOf) -> None:
        self._relation = relation
        self._columns_of = columns_of

    @cached_property
    def names(self) -> Sequence[str]:
        """Its columns, asked for when they are needed."""
        return self._columns_of(self._relation)

    def read(self, name: str) -> Cells:
        """The column itself: the trace goes on in the statement that makes the table."""
        return frozenset({Cell(self._relation, name)})

    def read_rows(self) -> Cells:
        """Nothing: which rows a table has is no matter of the statement that reads it."""
        return frozenset()


class RenamedRows:
    """Rows whose first columns have other names outside."""

    def __init__(self, rows: Rows, names: Sequence[str]) -> None:
        self._rows = rows
        self._given = names

    @cached_property
    def names(self) -> Sequence[str]:
        """The names outside."""
        return [*self._given, *self._rows.names[len(self._given) :]]

    def read(self, name: str) -> Cells:
        """What the columns of that name outside are computed from."""
        pairs = zip(self.names, self._rows.names, strict=True)
        return unite(self._rows.read(inner) for own, inner in pairs if own == name)

    def read_rows(self) -> Cells:
        """The same as inside."""
        return self._rows.read_rows()


class UnionRows:
    """The rows of two queries, one below the other."""

    def __init__(self, left: Rows, right: Rows) -> None:
        self._sides = (left, right)

    @cached_property
    def names(self) -> Sequence[str]:
        """The columns of the first query."""
        return self._sides[0].names

    def read(self, name: str) -> Cells:
        """What the columns at that place of both are computed from."""
        places = [place for place, own in enumerate(self.names) if own == name]
        return unite(side.read(side.names[place]) for side in self._sides for place in places)

    def read_rows(self) -> Cells:
        """What decides which rows both have."""
        return unite(side.read_rows() for side in self._sides)


def unite(parts: Iterable[Cells]) -> Cells:
    """All of them."""
    return frozenset[Cell]().union(*parts)
