"""Whether a number is a sum of columns: least squares, judged on villages that were not fitted on."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.features import Feature
from ml.resampling import Floats, Integers
from ml.splits import Folds

LEVELS = 30  # of a category that has more, the most frequent ones have a column of their own
MATTERS = 0.05  # of the variance
WILD = 10.0  # times what ninety-nine of a hundred stay below: a slip of the pen, which hides every sum
RIDGE = 1e-10  # keeps columns that say the same from dividing by zero, and bends nothing else

Scale = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Design:
    """A number and the columns that may add up to it, as the products that least squares is made of.

    Attributes:
        names: the features.
        owners: place of the feature that each column is of.
        products: of every two columns, the number last, summed over each fold's households: folds x columns x columns.
    """

    names: list[str]
    owners: Integers
    products: Floats

    @classmethod
    def of(
        cls, features: Sequence[Feature], rows: pd.DataFrame, number: Floats, scale: Scale, folds: Folds
    ) -> "Design":
        """Encode features, each number and its like on a scale, and take the products of each fold's households."""
        encoded = [_encode(feature, rows[feature.name], scale) for feature in features]
        table = np.column_stack([*encoded, number])
        usual = _are_usual(table)
        table -= table[usual].mean(axis=0)
        spread = table[usual].std(axis=0)
        table /= np.where(spread > 0, spread, 1.0)
        owners = np.repeat(np.arange(len(features)), [columns.shape[1] for columns in encoded])
        parts = [table[test[usual[test]]] for _, test in folds]
        products = np.stack([part.T @ part for part in parts])
        return cls([feature.name for feature in features], owners, products)

    def explained_share(self, names: Collection[str]) -> float:
        """How much of the number's variance the columns of some features explain in villages not fitted on, up to 1."""
        chosen = np.flatnonzero([self.names[owner] in names for owner in self.owners])
        total = self.products.sum(axis=0)
        ridge = RIDGE * total[-1, -1] * np.eye(len(chosen))
        missed = 0.0
        for held_out in self.products:
            known = total - held_out
            weights = np.linalg.solve(known[np.ix_(chosen, chosen)] + ridge, known[chosen, -1])
            inside = held_out[np.ix_(chosen, chosen)]
            missed += held_out[-1, -1] - 2 * weights @ held_out[chosen, -1] + weights @ inside @ weights
        return float(1 - missed / total[-1, -1])

    def find_carriers(self, limit: float) -> tuple[list[str], float]:
        """The features by which the columns of all explain more than a limit, and what all explain; [] where no more.

        Those without which much less is explained; where each can be replaced by others, those of the few that are
        left when all that can be spared are left out one by one.
        """
        share = self.explained_share(self.names) if self.names else 0.0
        if share <= limit:
            return [], share
        found = self._that_matter(self.names)
        if not found:
            few = self._leave_out(limit)
            found = self._that_matter(few) or few
        return found, share

    def _leave_out(self, limit: float) -> list[str]:
        kept = list(self.names)
        for name in sorted(kept, key=lambda name: -self._share_without(self.names, name)):
            fewer = [other for other in kept if other != name]
            if fewer and self.explained_share(fewer) > limit:
                kept = fewer
        return kept

    def _that_matter(self, names: Sequence[str]) -> list[str]:
        """Those without which much less is explained."""
        share = self.explained_share(names)
        return [name for name in names if share - self._share_without(names, name) >= MATTERS]

    def _share_without(self, names: Sequence[str], name: str) -> float:
        others = [other for other in names if other != name]
        return self.explained_share(others) if others else 0.0


def plainly(values: Floats) -> Floats:
    """The numbers as they are."""
    return values


def logarithmically(values: Floats) -> Floats:
    """Their logarithms, in which products and ratios are sums; the sign and zero are told apart by other columns."""
    with np.errstate(divide="ignore"):
        logarithms = np.log(np.abs(values))
    return np.where(np.isfinite(logarithms), logarithms, np.nan)


def _are_usual(table: Floats) -> NDArray[np.bool_]:
    """The rows without a number that is out of all proportion to the others of its column."""
    is_usual = np.ones(len(table), dtype=np.bool_)
    for sizes in np.abs(table).T:
        if sizes.any():
            is_usual &= sizes <= WILD * np.quantile(sizes[sizes > 0], 0.99)
    return is_usual


def _encode(feature: Feature, values: pd.Series, scale: Scale) -> Floats:
    """A feature's columns: the number (a category's place by name), its signs, what is missing, each frequent value."""
    columns: list[NDArray[np.generic]] = []
    if feature.kind == "category":
        codes, known = pd.factorize(values, sort=True)
        frequent = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(known)))[:LEVELS]
        columns = [codes == code for code in frequent]
        numbers = np.where(codes >= 0, codes, np.nan).astype(np.float64)
    else:
        numbers = values.to_numpy(dtype=np.float64)
    if feature.kind == "numeric":
        columns += [np.sign(numbers) == sign for sign in (-1, 0)]
        numbers = scale(numbers) if np.isfinite(numbers).any() else numbers
    missing = np.isnan(numbers)
    middle = numbers[~missing].mean() if not missing.all() else 0.0
    return np.column_stack([np.where(missing, middle, numbers), missing, *columns]).astype(np.float64)
