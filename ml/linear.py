"""A linear score as plain numbers: a weight for each column."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearScore:
    """score = base + sum of weight x (value - centre), a missing value replaced first.

    Attributes:
        owners: the place of the feature that each column is of.
        features: how many features there are.
        replacements: what stands for a missing value, the training rows' median.
        centres: the training rows' means, so that a contribution is the distance from an average household.
    """

    owners: NDArray[np.int64]
    features: int
    weights: Floats
    centres: Floats
    replacements: Floats
    base: float

    def contributions(self, wide: Floats) -> tuple[Floats, Floats]:
        """The scores of rows, and what each feature adds to them: features x rows."""
        filled = np.where(np.isnan(wide), self.replacements, wide)
        by_feature = np.zeros((self.features, len(wide)))
        for column, owner in enumerate(self.owners):
            by_feature[owner] += (filled[:, column] - self.centres[column]) * self.weights[column]
        return self.base + by_feature.sum(axis=0), by_feature

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as plain JSON."""
        return {
            "kind": "linear",
            "owners": self.owners.tolist(),
            "features": self.features,
            "weights": self.weights.tolist(),
            "centres": self.centres.tolist(),
            "replacements": self.replacements.tolist(),
            "base": self.base,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            owners=np.array(document["owners"], dtype=np.int64),
            features=int(document["features"]),
            weights=np.array(document["weights"], dtype=np.float64),
            centres=np.array(document["centres"], dtype=np.float64),
            replacements=np.array(document["replacements"], dtype=np.float64),
            base=float(document["base"]),
        )
