"""A fitted model, ready to predict: its encoding, its score, its calibration and its verdicts, all plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ml.calibration import Calibration
from ml.conformal import Conformal
from ml.encoding import Encoding
from ml.tracks import Track

Floats = NDArray[np.float64]

REASONS = 3
ROWS_AT_A_TIME = 16_384  # what a processor's cache holds
NO_REASON = -1


class Score(Protocol):
    """Whatever gives a row a number, and says what each feature adds to it."""

    def contributions(self, wide: Floats) -> tuple[Floats, Floats]:
        """The scores of rows, and what each feature adds to them: features x rows."""


@dataclass(frozen=True)
class Predictions:
    """What a model says of households, an entry for each.

    Attributes:
        probability: of living below 1.77 USD a day, calibrated.
        probability_below_125, probability_below_215: of the other two cuts; never out of order.
        verdict: place in VERDICTS.
        reason_features: places of the features that moved the score most, the strongest first, NO_REASON where there
            are fewer; rows x REASONS.
        reason_effects: what they add, in log odds of being vulnerable, signed; rows x REASONS.
        missing_features: how many features had no value.
    """

    probability: Floats
    probability_below_125: Floats
    probability_below_215: Floats
    verdict: NDArray[np.int8]
    reason_features: NDArray[np.int16]
    reason_effects: Floats
    missing_features: NDArray[np.int16]


@dataclass(frozen=True)
class Model:
    """A model that needs nothing but numbers."""

    track: Track
    encoding: Encoding
    score: Score
    calibration: Calibration
    conformal: Conformal

    @property
    def feature_names(self) -> list[str]:
        """The features, in the order of a matrix's columns."""
        return self.encoding.feature_names

    @property
    def categories(self) -> dict[str, list[str]]:
        """Of each category the values that training saw."""
        return self.encoding.categories

    def encode(self, rows: Sequence[Mapping[str, Any]]) -> Floats:
        """Rows as a matrix of one column a feature; see `Encoding.encode`."""
        return self.encoding.encode(rows)

    def predict(self, matrix: Floats) -> Predictions:
        """Predict for the rows of a matrix; the result does not depend on which other rows are in it."""
        starts = range(0, max(len(matrix), 1), ROWS_AT_A_TIME)
        parts = [self._predict(matrix[start : start + ROWS_AT_A_TIME]) for start in starts]
        if len(parts) == 1:
            return parts[0]
        fields = {name: [getattr(part, name) for part in parts] for name in Predictions.__dataclass_fields__}
        return Predictions(**{name: np.concatenate(arrays) for name, arrays in fields.items()})

    def importance(self, matrix: Floats) -> dict[str, float]:
        """The mean size of what each feature adds, in log odds, over the rows of a matrix; the largest first."""
        _, by_feature = self.score.contributions(self.encoding.widen(matrix))
        sizes = np.abs(by_feature * self.calibration.below_177.slope).mean(axis=1)
        order = np.argsort(-sizes, kind="stable")
        return {self.feature_names[place]: float(sizes[place]) for place in order}

    def _predict(self, matrix: Floats) -> Predictions:
        score, by_feature = self.score.contributions(self.encoding.widen(matrix))
        lower, middle, upper = self.calibration.probabilities(score)
        features, effects = strongest(by_feature * self.calibration.below_177.slope)
        return Predictions(
            probability=middle,
            probability_below_125=lower,
            probability_below_215=upper,
            verdict=self.conformal.verdicts(middle),
            reason_features=features,
            reason_effects=effects,
            missing_features=np.isnan(matrix).sum(axis=1).astype(np.int16),
        )


def strongest(by_feature: Floats) -> tuple[NDArray[np.int16], Floats]:
    """The features that add most, whichever way, and what they add; features x rows in, rows x REASONS out."""
    left = np.abs(by_feature)
    count = left.shape[1]
    rows = np.arange(count)
    features = np.full((count, REASONS), NO_REASON, dtype=np.int16)
    effects = np.zeros((count, REASONS))
    for place in range(min(REASONS, len(left))):
        best = left.argmax(axis=0)
        is_reason = left[best, rows] > 0
        features[is_reason, place] = best[is_reason]
        effects[is_reason, place] = by_feature[best, rows][is_reason]
        left[best, rows] = 0.0
    return features, effects
