"""Why a model says what it says: for each household the features that moved its score most, in words and numbers."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.encoding import UNKNOWN
from ml.features import Kind
from ml.model import NO_REASON, Model, Predictions

Floats = NDArray[np.float64]

EFFECT_DECIMALS = 4
OTHER = "other"
NULL = "null"


class Explainer:
    """Tells reasons as `[{"feature": ..., "value": ..., "effect": ...}]`, the strongest first.

    The value is the household's own: null where it is missing, `other` where training never saw such a category. The
    effect is what it adds to the log odds of being vulnerable, against an average household.

    Args:
        model: whose reasons they are.
        kinds: what each feature holds.
    """

    def __init__(self, model: Model, kinds: Mapping[str, Kind]) -> None:
        self._names = model.feature_names
        self._words: dict[int, Sequence[Any]] = {
            place: [OTHER, *model.categories[name]]
            for place, name in enumerate(self._names)
            if name in model.categories
        }
        booleans = [place for place, name in enumerate(self._names) if kinds[name] == "boolean"]
        self._words |= {place: [None, False, True] for place in booleans}

    def as_lists(self, matrix: Floats, predictions: Predictions) -> list[list[dict[str, Any]]]:
        """The reasons of each row of a matrix."""
        pairs = zip(predictions.reason_features.tolist(), predictions.reason_effects.tolist(), strict=True)
        return [
            [self._reason(row, place, effect) for place, effect in zip(*pair, strict=True) if place != NO_REASON]
            for row, pair in zip(matrix, pairs, strict=True)
        ]

    def as_json(self, matrix: Floats, predictions: Predictions) -> pa.Array:
        """The same as JSON text, a string for each row, for many rows at once."""
        slots = [self._slot(matrix, predictions, slot) for slot in range(predictions.reason_features.shape[1])]
        return pc.binary_join_element_wise(pa.scalar("["), *slots, pa.scalar("]"), pa.scalar(""))

    def _reason(self, row: Floats, place: int, effect: float) -> dict[str, Any]:
        return {
            "feature": self._names[place],
            "value": self._value(row, place),
            "effect": round(effect, EFFECT_DECIMALS),
        }

    def _value(self, row: Floats, place: int) -> Any:
        value = float(row[place])
        if np.isnan(value):
            return None
        words = self._words.get(place)
        return words[int(value - UNKNOWN)] if words else value

    def _slot(self, matrix: Floats, predictions: Predictions, slot: int) -> pa.Array:
        features = predictions.reason_features[:, slot].astype(np.int64)
        values = matrix[np.arange(len(matrix)), np.maximum(features, 0)]
        effects = predictions.reason_effects[:, slot].round(EFFECT_DECIMALS)
        told = pc.binary_join_element_wise(
            pa.array([f'{"," if slot else ""}{{"feature":"{name}","value":' for name in self._names]).take(
                pa.array(np.maximum(features, 0))
            ),
            self._texts(features, values),
            pa.scalar(',"effect":'),
            pc.cast(pa.array(effects), pa.string()),
            pa.scalar("}"),
            pa.scalar(""),
        )
        return pc.if_else(pa.array(features != NO_REASON), told, pa.scalar(""))

    def _texts(self, features: NDArray[np.int64], values: Floats) -> pa.Array:
        """The values as JSON: from the table of words where the feature has words, else as numbers."""
        tokens, starts = self._tokens
        start = starts[features]
        has_words = start >= 0
        places = np.where(has_words, start + np.nan_to_num(values - UNKNOWN), 0).astype(np.int64)
        said = pc.if_else(pa.array(has_words), tokens.take(pa.array(places)), pc.cast(pa.array(values), pa.string()))
        return pc.if_else(pa.array(np.isnan(values)), pa.scalar(NULL), said)

    @cached_property
    def _tokens(self) -> tuple[pa.Array, NDArray[np.int64]]:
        """All words as JSON, and where those of each feature begin; -1 for a feature of numbers."""
        tokens: list[str] = [NULL]
        starts = np.full(len(self._names), -1, dtype=np.int64)
        for place, words in self._words.items():
            starts[place] = len(tokens)
            tokens += [orjson.dumps(word).decode() for word in words]
        return pa.array(tokens), starts
