"""What the columns of one SQL statement are computed from, column by column, through its subqueries.

Only what decides a value counts: what is written in its expression, and no filter or join that merely keeps rows out.
A filter does decide a value where rows are counted, and where an outer join tells whether there is a row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ml.leakage.rows import (
    Cells,
    ColumnsOf,
    Relation,
    RenamedRows,
    Rows,
    TableRows,
    UnionRows,
    UntraceableError,
    unite,
)


def read_statement(text: str, columns_of: ColumnsOf, shortcuts: Iterable[str] = ()) -> Rows:
    """Read a query in PostgreSQL's dialect.

    Args:
        text: a `select`, with all that belongs to it.
        columns_of: tells the columns of a table that the query names.
        shortcuts: columns that only choose between two ways to read the same answer. They decide no value in
            `case when <shortcut> then .. else .. end` with both branches computed from the same columns.

    Raises:
        UntraceableError: it cannot be read, or is no query.
    """
    try:
        parsed = sqlglot.parse_one(text, dialect="postgres")
        return _query(parsed, _Surroundings({}, None, columns_of, frozenset(shortcuts)))
    except (SqlglotError, RecursionError) as error:
        raise UntraceableError(f"its SQL cannot be read: {str(error).splitlines()[0]}") from error


class _Surroundings(NamedTuple):
    """What a query can see from where it stands."""

    queries: Mapping[str, Rows]
    outer: "_Select | None"
    columns_of: ColumnsOf
    shortcuts: frozenset[str]


def _query(query: Any, around: _Surroundings) -> Rows:
    for named in query.args["with_"].expressions if query.args.get("with_") else ():
        rows = _renamed(_query(named.this, around), named)
        around = around._replace(queries={**around.queries, named.alias.lower(): rows})
    if isinstance(query, exp.Subquery):
        return _query(query.this, around)
    if isinstance(query, exp.SetOperation):
        return UnionRows(_query(query.this, around), _query(query.expression, around))
    if isinstance(query, exp.Select):
        return _Select(query, around)
    raise UntraceableError(f"a part of its SQL is no query: {query.sql('postgres')[:60]}")


def _renamed(rows: Rows, item: exp.Expression) -> Rows:
    names = _column_aliases(item)
    return RenamedRows(rows, names) if names else rows


def _column_aliases(item: exp.Expression) -> list[str]:
    alias = item.args.get("alias")
    return [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []


def _parts(expression: exp.Expression) -> Iterator[exp.Expression]:
    """What is written directly in an expression, its aliases left out."""
    for key, value in expression.args.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Expression) and key != "alias":
                yield part


class _Function:
    """The rows of a function or of a list of values: each column is computed from all that is written in it."""

    def __init__(self, item: exp.Expression, select: "_Select") -> None:
        self._item = item
        self._select = select
        self.names: Sequence[str] = _column_aliases(item) or [item.alias_or_name.lower()]

    def read(self, name: str) -> Cells:
        for table in self._item.find_all(exp.Table):
            if table.db and isinstance(table.this, exp.Func):
                raise UntraceableError(f"{name} comes from the function {table.db}.{table.this.name}")
        return self.read_rows()

    def read_rows(self) -> Cells:
        return unite(map(self._select.read_expression, _parts(self._item)))


class _Select:
    """The rows of one `select`."""

    def __init__(self, select: exp.Select, around: _Surroundings) -> None:
        self._select = select
        self._around = around
        self._tables: dict[str, Rows] = {}
        self._outer_joins: dict[str, list[exp.Expression]] = {}
        self._known: dict[str, Cells | None] = {}
        start = select.args.get("from_")
        if start is not None:
            self._add(start.this)
        self._join(select)

    @cached_property
    def names(self) -> Sequence[str]:
        return [name for name, _ in self._outputs]

    def read(self, name: str) -> Cells:
        if name not in self._known:
            self._known[name] = None
            self._known[name] = unite(self._read_output(part) for own, part in self._outputs if own == name)
        known = self._known[name]
        if known is None:
            raise UntraceableError(f"{name} is computed from itself")
        return known

    def read_rows(self) -> Cells:
        keys = ["where", "group", "having"]
        if any(self._select.args.get(key) for key in ("limit", "fetch", "distinct")):
            keys += ["order", "distinct"]
        parts = [part for part in map(self._select.args.get, keys) if isinstance(part, exp.Expression)]
        parts += [condition for join in self._select.args.get("joins") or () for condition in _conditions(join)]
        own = (self.read_expression(part) for part in parts)
        return unite([*own, *(rows.read_rows() for rows in self._tables.values())])

    def read_expression(self, part: exp.Expression) -> Cells:
        """What an expression of this query is computed from."""
        if isinstance(part, exp.Column):
            return self._read_column(part)
        if isinstance(part, exp.Query):
            inner = _query(part, self._around._replace(outer=self))
            return unite([*map(inner.read, inner.names), inner.read_rows()])
        if isinstance(part, exp.Dot) and isinstance(part.expression, exp.Func) and part.this.name != "pg_catalog":
            raise UntraceableError(f"it calls the function {part.this.name}.{part.expression.name}")
        if isinstance(part, exp.Case) and self._is_shortcut(part):
            return self.read_expression(part.args["default"])
        return unite(map(self.read_expression, _parts(part)))

    def _is_shortcut(self, case: exp.Case) -> bool:
        first, *others = case.args["ifs"]
        if case.this is not None or others or not case.args.get("default"):
            return False
        asked = first.this
        is_known = isinstance(asked, exp.Column) and asked.name.lower() in self._around.shortcuts
        return is_known and self.read_expression(first.args["true"]) == self.read_expression(case.args["default"])

    def read_cell(self, alias: str, name: str | None) -> Cells:
        """What a column of something that is selected from, here or in a query around, is computed from.

        Args:
            alias: what it is called.
            name: the column; None for the whole row.
        """
        if alias not in self._tables:
            if self._around.outer is None:
                raise UntraceableError(f"{alias} is nothing that is selected from")
            return self._around.outer.read_cell(alias, name)
        return unite(self._read_from(alias, each) for each in ([name] if name else self._tables[alias].names))

    def find(self, name: str) -> Cells | None:
        """What a name alone stands for, a column or a whole row, here or in a query around; None where neither."""
        owners = [alias for alias, rows in self._tables.items() if name in rows.names]
        if owners:
            return unite(self._read_from(alias, name) for alias in owners)
        if name in self._tables:
            return self.read_cell(name, None)
        return self._around.outer.find(name) if self._around.outer is not None else None

    def _read_column(self, column: exp.Column) -> Cells:
        name, alias = column.name.lower(), column.table.lower()
        if alias:
            return self.read_cell(alias, None if isinstance(column.this, exp.Star) else name)
        found = self.find(name)
        if found is None and name not in self.names:
            raise UntraceableError(f"nothing that is selected from has a column {name}")
        return self.read(name) if found is None else found

    def _read_from(self, alias: str, name: str) -> Cells:
        rows = self._tables[alias]
        if name not in rows.names:
            raise UntraceableError(f"{alias} has no column {name}")
        conditions = self._outer_joins.pop(alias, None)
        if conditions is None:
            return rows.read(name)
        try:
            return unite([rows.read(name), rows.read_rows(), *map(self.read_expression, conditions)])
        finally:
            self._outer_joins[alias] = conditions

    @cached_property
    def _outputs(self) -> list[tuple[str, exp.Expression]]:
        return [output for projection in self._select.expressions for output in self._expand(projection)]

    def _expand(self, projection: exp.Expression) -> Iterator[tuple[str, exp.Expression]]:
        is_own_star = isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
        if not is_own_star and not isinstance(projection, exp.Star):
            yield projection.alias_or_name.lower(), projection
            return
        for alias in [projection.args["table"].name.lower()] if is_own_star else self._tables:
            for name in self._tables[alias].names:
                yield name, exp.column(name, table=alias)

    def _read_output(self, part: exp.Expression) -> Cells:
        kinds = (
            (exp.AggFunc, exp.Window, exp.Anonymous) if self._select.args.get("group") else (exp.AggFunc, exp.Window)
        )
        if part.find(*kinds) is None:
            return self.read_expression(part)
        windows = self._select.args.get("windows") or []
        return unite([*map(self.read_expression, [part, *windows]), self.read_rows()])

    def _join(self, joining: exp.Expression) -> None:
        for join in joining.args.get("joins") or ():
            before = set(self._tables)
            self._add(join.this)
            added = set(self._tables) - before
            optional = {"LEFT": added, "RIGHT": before, "FULL": added | before}.get(join.side, set())
            for alias in optional:
                self._outer_joins.setdefault(alias, []).extend(_conditions(join))

    def _add(self, item: exp.Expression) -> None:
        if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table):
            self._add(item.this)
            self._join(item.this)
            return
        self._tables[item.alias_or_name.lower()] = _renamed(self._rows_of(item), item)

    def _rows_of(self, item: exp.Expression) -> Rows:
        if isinstance(item, exp.Lateral | exp.Subquery) and isinstance(item.this, exp.Query):
            return _query(item.this, self._around._replace(outer=self))
        if not isinstance(item, exp.Table) or not isinstance(item.this, exp.Identifier):
            return _Function(item, self)
        name = item.name.lower()
        if not item.db and name in self._around.queries:
            return self._around.queries[name]
        return TableRows(Relation(item.db.lower(), name), self._around.columns_of)


def _conditions(join: exp.Expression) -> list[exp.Expression]:
    on, using = join.args.get("on"), join.args.get("using") or []
    return [*([on] if on is not None else []), *(exp.column(key.name) for key in using)]
