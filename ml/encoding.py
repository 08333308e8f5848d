"""Rows of features as numbers: one column for each feature, and the wider matrix that linear models and trees read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def columns(self) -> list[tuple[int, int]]:
        """The columns of the wide matrix: the feature's place and, where it is one value of a category, that value's.

        Numbers come first, then the values of the categories, each in the order of the features.
        """
        return [(place, -1) for place in self._numbers] + [
            (place, code) for place, known in self._known.items() for code in range(len(known))
        ]

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Rows as a matrix of one column a feature.

        A boolean is 1 or 0, a category the place of its value among those that training saw, UNKNOWN where it
        saw no such value; what is missing or no finite number is NaN.
        """
        matrix = np.empty((len(rows), len(self.feature_names)))
        for place, name in enumerate(self.feature_names):
            codes = self._known.get(place)
            matrix[:, place] = [_number(row[name], codes) for row in rows]
        return matrix

    def widen(self, matrix: Floats) -> Floats:
        """The matrix with each category as one column of zeros and ones for every value that training saw."""
        wide = np.empty((len(matrix), len(self.columns)), order="F")
        first = len(self._numbers)
        wide[:, :first] = matrix[:, self._numbers]
        for place, known in self._known.items():
            codes = matrix[:, place]
            codes = np.where(np.isnan(codes), known.get(MISSING, UNKNOWN), codes)
            wide[:, first : first + len(known)] = codes[:, np.newaxis] == np.arange(len(known))
            first += len(known)
        return wide

    @cached_property
    def _numbers(self) -> list[int]:
        """The places of the features that are no categories."""
        return [place for place, name in enumerate(self.feature_names) if name not in self.categories]

    @cached_property
    def _known(self) -> dict[int, dict[str, float]]:
        """The places of the categories, each with the number of every value."""
        places = {name: place for place, name in enumerate(self.feature_names)}
        return {
            places[name]: {value: float(code) for code, value in enumerate(known)}
            for name, known in self.categories.items()
        }


def _number(value: Any, codes: dict[str, float] | None) -> float:
    if value is None:
        return np.nan
    if codes is not None:
        return codes.get(value, UNKNOWN)
    number = float(value)
    return number if np.isfinite(number) else np.nan
