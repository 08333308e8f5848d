"""Where the columns of the feature mart come from: through every model's compiled SQL back to the answers of a form."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml.leakage.rows import Cell, Cells, Relation, Rows, UntraceableError
from ml.leakage.statement import read_statement
from warehouse.errors import TrainingError

MART = "fct_household_features"
PREDICTIONS = "ml"
STAGING = "models/staging/"

# Staging asks of a whole row at once whether its answers are plainly written, the income module's among them, and
# reads each answer by the short or by the careful way; both say the same.
SHORTCUTS = ("is_plain",)

Node = dict[str, Any]


def read_lineage(manifest: Path) -> "Lineage":
    """The lineage that dbt's manifest tells.

    Args:
        manifest: `manifest.json` of an invocation that compiled the feature mart and all that it is made of.

    Raises:
        TrainingError: there is no such manifest, or it does not hold the mart's SQL (ml.no_lineage).
    """
    try:
        return Lineage(json.loads(manifest.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_lineage(f"dbt's manifest {manifest.name} cannot be read: {error!r}") from error


class Lineage:
    """The columns of the warehouse's models, and what each is computed from.

    Args:
        manifest: dbt's manifest, with the compiled SQL of the models.

    Raises:
        TrainingError: the feature mart is not in it (ml.no_lineage).
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
        self._nodes: dict[Relation, Node] = {_relation(node): node for node in nodes if node.get("relation_name")}
        self._statements: dict[Relation, Rows] = {}
        marts = [place for place, node in self._nodes.items() if node["name"] == MART]
        if len(marts) != 1:
            raise _no_lineage(f"dbt's manifest knows no model {MART}")
        self._mart = marts[0]

    def find_leak(self, column: str) -> list[str] | None:
        """The way from a column of the mart to the target, to a component of it or to what a model said about it.

        Returns:
            Table and column of each step, the mart's first; None where no way leads there.

        Raises:
            UntraceableError: nobody can tell what the column is computed from.
            TrainingError: the manifest lacks the SQL of a model on the way (ml.no_lineage).
        """
        start = Cell(self._mart, column)
        came_from: dict[Cell, Cell | None] = {start: None}
        waiting, answers = [start], 0
        lost: list[UntraceableError] = []
        for cell in waiting:
            if self._tells_the_target(cell):
                return _way(cell, came_from)
            answers += self._is_source(cell)
            try:
                parents = sorted(self._parents(cell))
            except UntraceableError as error:
                lost.append(error)
                continue
            fresh = [parent for parent in parents if parent not in came_from]
            came_from.update(dict.fromkeys(fresh, cell))
            waiting.extend(fresh)
        if lost or not answers:
            raise next(iter(lost), UntraceableError("it is computed from no answer at all"))
        return None

    def _parents(self, cell: Cell) -> Cells:
        if self._is_source(cell):
            return self._check_source(cell)
        try:
            rows = self._statement(cell.relation)
            if cell.column not in rows.names:
                raise UntraceableError("its SQL has no such column")
            return rows.read(cell.column)
        except UntraceableError as error:
            raise UntraceableError(f"{_name(cell)}: {error}") from error

    def _check_source(self, cell: Cell) -> Cells:
        declared = self._nodes[cell.relation]["columns"].get(cell.column)
        if declared is None:
            raise UntraceableError(f"{_name(cell)}: no contract knows this column")
        if declared.get("data_type") == "jsonb":
            raise UntraceableError(f"{_name(cell)}: it may hold any answer")
        return frozenset()

    def _tells_the_target(self, cell: Cell) -> bool:
        node = self._node(cell.relation)
        meta = node["columns"].get(cell.column, {}).get("config", {}).get("meta", {})
        says_it = meta.get("component_of_target") or meta.get("role") == "target"
        return bool(says_it) or (self._is_source(cell) and node["source_name"] == PREDICTIONS)

    def _is_source(self, cell: Cell) -> bool:
        return bool(self._node(cell.relation)["resource_type"] == "source")

    def _statement(self, relation: Relation) -> Rows:
        if relation not in self._statements:
            node = self._node(relation)
            if not node.get("compiled_code"):
                raise _no_lineage(f"dbt's manifest holds no SQL of {node['name']}")
            shortcuts = SHORTCUTS if node["original_file_path"].startswith(STAGING) else ()
            self._statements[relation] = read_statement(node["compiled_code"], self._columns_of, shortcuts)
        return self._statements[relation]

    def _columns_of(self, relation: Relation) -> Sequence[str]:
        node = self._node(relation)
        return list(node["columns"]) if node["resource_type"] == "source" else self._statement(relation).names

    def _node(self, relation: Relation) -> Node:
        if relation not in self._nodes:
            raise UntraceableError(f"{'.'.join(filter(None, relation))} is no table that dbt knows")
        return self._nodes[relation]


def _relation(node: Node) -> Relation:
    return Relation(node["schema"].lower(), (node.get("alias") or node["identifier"]).lower())


def _name(cell: Cell) -> str:
    return f"{cell.relation.name}.{cell.column}"


def _way(cell: Cell | None, came_from: Mapping[Cell, Cell | None]) -> list[str]:
    way: list[str] = []
    while cell is not None:
        way.append(_name(cell))
        cell = came_from[cell]
    return way[::-1]


def _no_lineage(problem: str) -> TrainingError:
    return TrainingError(
        f"Nobody can tell where the features come from: {problem}.",
        code="ml.no_lineage",
        remedy="Build the feature mart and all that it is made of: kyalo build.",
    )
