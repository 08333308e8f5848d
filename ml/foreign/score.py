"""The score of a pipeline that is none of ours: kept in the format of skops, and asked through scikit-learn.

What a feature adds is told by asking again without it: with the value that is typical in its place.
"""

import base64
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import skops.io
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ml.encoding import MISSING, Encoding
from ml.models import raw_score
from ml.threads import one_thread
from warehouse.errors import IntegrityError

Floats = NDArray[np.float64]

UNKNOWN_CATEGORY = "unknown"
QUESTIONS_AT_A_TIME = 50_000  # rows that are asked about at once, one for each household and feature
# What a pipeline may hold beside the public estimators that skops knows. The list is here and in no artifact.
TRUSTED = (
    "numpy.dtype",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


@dataclass(frozen=True)
class PipelineScore:
    """A fitted pipeline that takes a data frame with the features' columns.

    Attributes:
        encoding: how the features were made numbers.
        typical: a row of the wide matrix, as of a household that is like most.
    """

    pipeline: Pipeline
    encoding: Encoding
    typical: Floats

    def contributions(self, wide: Floats) -> tuple[Floats, Floats]:
        """The scores of rows, and what each feature adds to them: features x rows."""
        features = len(self.encoding.feature_names)
        at_a_time = max(1, QUESTIONS_AT_A_TIME // (features + 1))
        parts = [self._ask(wide[start : start + at_a_time]) for start in range(0, max(len(wide), 1), at_a_time)]
        asked = np.concatenate(parts, axis=1)
        return asked[0], asked[0] - asked[1:]

    def to_dict(self) -> dict[str, Any]:
        """The pipeline and what goes with it, as plain JSON."""
        return {
            "kind": "skops",
            "pipeline": base64.b64encode(skops.io.dumps(self.pipeline)).decode(),
            "feature_names": self.encoding.feature_names,
            "categories": self.encoding.categories,
            "typical": self.typical.tolist(),
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            IntegrityError: it holds what is not on our list (ml.untrusted_type).
        """
        return cls(
            pipeline=_read(base64.b64decode(document["pipeline"])),
            encoding=Encoding(document["feature_names"], document["categories"]),
            typical=np.array(document["typical"]),
        )

    def _ask(self, wide: Floats) -> Floats:
        """The scores of rows as they are, and with each feature's columns as they typically are."""
        count = len(self.encoding.feature_names)
        variants = np.repeat(wide[None], count + 1, axis=0)
        for column, (place, _) in enumerate(self.encoding.columns):
            variants[place + 1, :, column] = self.typical[column]
        frame = self._frame(variants.reshape(-1, wide.shape[1]))
        with one_thread():
            return raw_score(self.pipeline, frame).reshape(count + 1, len(wide))

    def _frame(self, wide: Floats) -> pd.DataFrame:
        """The rows as the pipeline was trained on them: numbers, and categories as text."""
        encoding = self.encoding
        columns: dict[str, Any] = {}
        for column, (place, code) in enumerate(encoding.columns):
            name = encoding.feature_names[place]
            if code < 0:
                columns[name] = wide[:, column]
            else:
                values = columns.setdefault(name, np.full(len(wide), UNKNOWN_CATEGORY, dtype=object))
                known = encoding.categories[name][code]
                values[wide[:, column] == 1] = np.nan if known == MISSING else known
        texts = dict.fromkeys(encoding.categories, "str")
        return pd.DataFrame(columns, columns=encoding.feature_names).astype(texts)


def _read(content: bytes) -> Pipeline:
    unknown = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED)
    if unknown:
        raise IntegrityError(
            f"The model holds what Kyalo does not load: {', '.join(sorted(unknown))}.",
            code="ml.untrusted_type",
            remedy="Build the pipeline of scikit-learn's own estimators.",
        )
    return skops.io.loads(content, trusted=list(TRUSTED))
