"""What decides the result of a training, and the hash that tells two trainings apart."""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline

from ml.evaluate import FOLDS
from ml.features import KEYS, TARGET, Feature
from ml.models import ALGORITHMS, SEED, Algorithm, build_pipeline
from ml.selection import RULE
from ml.tracks import Track

LIBRARIES = ("scikit-learn", "numpy", "pandas", "joblib")


@dataclass(frozen=True)
class Recipe:
    """A track and the features it sees."""

    track: Track
    features: tuple[Feature, ...]

    @property
    def feature_names(self) -> list[str]:
        """The columns that the models read, in order."""
        return [feature.name for feature in self.features]

    def build(self, algorithm: Algorithm) -> Pipeline:
        """An unfitted candidate."""
        return build_pipeline(algorithm, self.track, self.features)

    def hash_rows(self, rows: pd.DataFrame) -> str:
        """A SHA-256 of the values and the order of the rows that this track is trained on."""
        columns = list(dict.fromkeys([*KEYS, TARGET, *self.feature_names]))
        hashes = pd.util.hash_pandas_object(rows[columns], index=False)
        return hashlib.sha256(hashes.to_numpy().tobytes()).hexdigest()

    def fingerprint(self, rows: pd.DataFrame) -> str:
        """A SHA-256 of all that the result depends on: rows, settings, folds, rule and libraries."""
        ingredients = {
            "rows": self.hash_rows(rows),
            "settings": joblib.hash([self.build(algorithm) for algorithm in ALGORITHMS]),
            "folds": FOLDS,
            "seed": SEED,
            "rule": RULE,
            "libraries": library_versions(),
        }
        return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()


def library_versions() -> dict[str, str]:
    """The versions of the libraries that a fitted model depends on."""
    return {name: version(name) for name in LIBRARIES}
