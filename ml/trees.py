"""A score of many small decision trees as plain numbers, computed for many rows at once.

A row's leaf is found without walking down the tree: each column's value is looked up once among all the thresholds
that the trees ask it for; for each tree and column a table says, for each place among the thresholds, which leaves
remain; the leaf is the leftmost one that remains for every column (Lucchese and others, QuickScorer, 2015).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Masks = NDArray[np.uint8] | NDArray[np.uint64]

MOST_LEAVES = 64
LEAF = -1
WALKED_ROWS = 8  # so few are faster down the trees


@dataclass(frozen=True)
class Tree:
    """The nodes of a tree, the root first; one list entry for each.

    Attributes:
        column: the column that is asked for, LEAF at a leaf.
        threshold: a value up to it goes left.
        missing_left: whether a missing value goes left.
        left, right: places of the two next nodes; 0 at a leaf.
        value: what a row at this node scores: at a leaf the leaf's value, before it the mean of its training rows.
    """

    column: list[int]
    threshold: list[float]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]


@dataclass(frozen=True)
class TreeScore:
    """score = base + sum over the trees of the value of the row's leaf.

    What a feature adds is told by the way to the leaf: each step changes the mean of the training rows at the node,
    and the change belongs to the feature that was asked (Saabas, 2014). The parts add up to the distance of the score
    from the trees' mean.

    Attributes:
        owners: the place of the feature that each column is of.
        features: how many features there are.
        is_single_precision: whether the trees were grown on values of 32 bits.
    """

    owners: NDArray[np.int64]
    features: int
    trees: list[Tree]
    base: float
    is_single_precision: bool = False

    def contributions(self, wide: Floats) -> tuple[Floats, Floats]:
        """The scores of rows, and what each feature adds to them: features x rows."""
        if self.is_single_precision:
            with np.errstate(over="ignore"):  # beyond 32 bits is infinite, as for scikit-learn
                wide = wide.astype(np.float32).astype(np.float64)
        if len(wide) < WALKED_ROWS:
            return self._walk(wide)
        places = self._places(wide)
        score = np.full(len(wide), self.base)
        by_feature = np.zeros((self.features, len(wide)))
        for tables in self._tables:
            leaf = tables.leaves(places, len(wide))
            score += tables.values[leaf]
            for owner, effects in tables.effects:
                by_feature[owner] += effects[leaf]
        return score, by_feature

    def _walk(self, wide: Floats) -> tuple[Floats, Floats]:
        """The same, in the same order of sums, row by row: for a few rows numpy's calls cost more than the steps."""
        score = np.full(len(wide), self.base)
        by_feature = np.zeros((self.features, len(wide)))
        for place, row in enumerate(wide.tolist()):
            total, parts = self.base, [0.0] * self.features
            for tree, leaf_effects in self._walks:
                leaf = _walk_down(tree, row)
                total += tree.value[leaf]
                for owner, effect in leaf_effects[leaf]:
                    parts[owner] += effect
            score[place], by_feature[:, place] = total, parts
        return score, by_feature

    @cached_property
    def _walks(self) -> list[tuple[Tree, dict[int, list[tuple[int, float]]]]]:
        """Each tree with what every feature adds at each of its leaves."""
        walks = []
        for tree, tables in zip(self.trees, self._tables, strict=True):
            leaves, _ = _number_leaves(tree)
            effects = {
                leaf: [(owner, float(values[place])) for owner, values in tables.effects]
                for place, leaf in enumerate(leaves)
            }
            walks.append((tree, effects))
        return walks

    @cached_property
    def _thresholds(self) -> dict[int, Floats]:
        asked: dict[int, set[float]] = {}
        for tree in self.trees:
            for column, threshold in zip(tree.column, tree.threshold, strict=True):
                if column != LEAF:
                    asked.setdefault(column, set()).add(threshold)
        return {column: np.array(sorted(values)) for column, values in asked.items()}

    @cached_property
    def _tables(self) -> list["_TreeTables"]:
        return [_TreeTables.of(tree, self._thresholds, self.owners) for tree in self.trees]

    def _places(self, wide: Floats) -> dict[int, NDArray[np.intp]]:
        """For each column that is asked, how many thresholds lie below each value; one more than all: missing."""
        places = {}
        for column, thresholds in self._thresholds.items():
            values = wide[:, column]
            found = np.searchsorted(thresholds, values)
            found[np.isnan(values)] = len(thresholds) + 1
            places[column] = found
        return places

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as plain JSON."""
        return {
            "kind": "trees",
            "owners": self.owners.tolist(),
            "features": self.features,
            "trees": [asdict(tree) for tree in self.trees],
            "base": self.base,
            "is_single_precision": self.is_single_precision,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            owners=np.array(document["owners"], dtype=np.int64),
            features=int(document["features"]),
            trees=[Tree(**tree) for tree in document["trees"]],
            base=float(document["base"]),
            is_single_precision=bool(document["is_single_precision"]),
        )


@dataclass(frozen=True)
class _TreeTables:
    """A tree as tables over the places of its columns' values.

    Attributes:
        masks: for each column, the leaves that remain at each place, one bit a leaf, the leftmost the lowest.
        values: of each leaf.
        effects: for each feature that is asked, what it adds at each leaf.
    """

    masks: list[tuple[int, Masks]]
    values: Floats
    effects: list[tuple[int, Floats]]

    @classmethod
    def of(cls, tree: Tree, thresholds: dict[int, Floats], owners: NDArray[np.int64]) -> Self:
        leaves, spans = _number_leaves(tree)
        kind = np.uint8 if len(leaves) <= 8 else np.uint64
        masks: dict[int, Masks] = {}
        for node, column in enumerate(tree.column):
            if column == LEAF:
                continue
            known = thresholds[column]
            mask = masks.setdefault(column, _all_leaves(len(known) + 2, kind))
            first, middle, _ = spans[node]
            kept = kind(~_bits(first, middle) & int(np.iinfo(kind).max))
            goes_right = np.arange(len(known) + 2) > np.searchsorted(known, tree.threshold[node])
            goes_right[-1] = not tree.missing_left[node]
            mask[goes_right] &= kept
        return cls(list(masks.items()), np.array([tree.value[leaf] for leaf in leaves]), _effects(tree, leaves, owners))

    def leaves(self, places: dict[int, NDArray[np.intp]], rows: int) -> NDArray[np.intp]:
        """The leaf of each row, counted from the left."""
        if not self.masks:
            return np.zeros(rows, dtype=np.intp)
        (column, table), *others = self.masks
        remaining = table.take(places[column])
        for column, table in others:
            remaining &= table.take(places[column])
        return _lowest_bit(remaining)


def _walk_down(tree: Tree, row: list[float]) -> int:
    """The leaf of a row."""
    node, column, threshold = 0, tree.column, tree.threshold
    while (asked := column[node]) != LEAF:
        value = row[asked]
        goes_left = value <= threshold[node] or (value != value and tree.missing_left[node])  # noqa: PLR0124 - NaN
        node = tree.left[node] if goes_left else tree.right[node]
    return node


def _number_leaves(tree: Tree) -> tuple[list[int], dict[int, tuple[int, int, int]]]:
    """The leaves from left to right; of each other node the first leaf, the first on its right, the one after."""
    leaves: list[int] = []
    spans: dict[int, tuple[int, int, int]] = {}

    def visit(node: int) -> None:
        if tree.column[node] == LEAF:
            leaves.append(node)
            return
        first = len(leaves)
        visit(tree.left[node])
        middle = len(leaves)
        visit(tree.right[node])
        spans[node] = (first, middle, len(leaves))

    visit(0)
    return leaves, spans


def _effects(tree: Tree, leaves: Sequence[int], owners: NDArray[np.int64]) -> list[tuple[int, Floats]]:
    places = {leaf: place for place, leaf in enumerate(leaves)}
    effects: dict[int, Floats] = {}

    def visit(node: int, way: list[tuple[int, float]]) -> None:
        if tree.column[node] == LEAF:
            for owner, change in way:
                effects.setdefault(owner, np.zeros(len(leaves)))[places[node]] += change
            return
        owner = int(owners[tree.column[node]])
        for child in (tree.left[node], tree.right[node]):
            visit(child, [*way, (owner, tree.value[child] - tree.value[node])])

    visit(0, [])
    return sorted(effects.items(), key=lambda item: item[0])


def _all_leaves(places: int, kind: type[np.uint8] | type[np.uint64]) -> Masks:
    if kind is np.uint8:
        return np.full(places, np.iinfo(np.uint8).max, dtype=np.uint8)
    return np.full(places, np.iinfo(np.uint64).max, dtype=np.uint64)


def _bits(first: int, last: int) -> int:
    return (1 << last) - (1 << first)


LOWEST_OF_EIGHT = np.array([8, *((byte & -byte).bit_length() - 1 for byte in range(1, 256))], dtype=np.intp)


def _lowest_bit(masks: Masks) -> NDArray[np.intp]:
    if masks.dtype == np.uint8:
        return LOWEST_OF_EIGHT.take(masks)
    alone = np.asarray(masks & (~masks + 1), dtype=np.uint64)
    return np.log2(alone.astype(np.float64)).astype(np.intp)
