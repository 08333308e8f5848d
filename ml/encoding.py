"""Rows of features as numbers: one column for each feature, and the wider matrix that linear models and trees read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MISSING = "missing"
UNKNOWN = -1.0


@dataclass(frozen=True)
class Encoding:
    """How features become numbers.

    Attributes:
        feature_names: the features, in the order of the columns of a matrix.
        categories: of each category, the values that training saw; one of them may be MISSING.
    """

    feature_names: list[str]
    categories: dict[str, list[str]]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """The columns of the wide matrix: the feature's place and, where it is one value of a category, that value's.

        Numbers come first, then the values of the categories, each in the order of the features.
        """
        places = {name: place for place, name in enumerate(self.feature_names)}
        numbers = [(place, -1) for name, place in places.items() if name not in self.categories]
        values = [(places[name], code) for name, known in self.categories.items() for code in range(len(known))]
        return numbers + values

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Rows as a matrix of one column a feature.

        A boolean is 1 or 0, a category the place of its value among those that training saw, UNKNOWN where it
        saw no such value; what is missing or no finite number is NaN.
        """
        matrix = np.empty((len(rows), len(self.feature_names)))
        for place, name in enumerate(self.feature_names):
            known = self.categories.get(name)
            codes = {value: float(code) for code, value in enumerate(known)} if known is not None else None
            matrix[:, place] = [_number(row[name], codes) for row in rows]
        return matrix

    def widen(self, matrix: Floats) -> Floats:
        """The matrix with each category as one column of zeros and ones for every value that training saw."""
        wide = np.empty((len(matrix), len(self.columns)), order="F")
        codes = {self.feature_names.index(name): self._codes(matrix, name) for name in self.categories}
        for column, (place, code) in enumerate(self.columns):
            wide[:, column] = matrix[:, place] if code < 0 else codes[place] == code
        return wide

    def _codes(self, matrix: Floats, name: str) -> Floats:
        codes = matrix[:, self.feature_names.index(name)]
        known = self.categories[name]
        return np.where(np.isnan(codes), float(known.index(MISSING)) if MISSING in known else UNKNOWN, codes)


def _number(value: Any, codes: dict[str, float] | None) -> float:
    if value is None:
        return np.nan
    if codes is not None:
        return codes.get(value, UNKNOWN)
    number = float(value)
    return number if np.isfinite(number) else np.nan
