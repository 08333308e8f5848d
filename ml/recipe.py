"""What decides the result of a training, and the hash that tells two trainings apart."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import pandas as pd
from sklearn.pipeline import Pipeline

from ml.conformal import COVERAGE
from ml.features import INCOME, KEYS, TARGET, Feature
from ml.models import GRIDS, Algorithm, Settings, build_pipeline
from ml.selection import RULE
from ml.splits import FOLDS, SEED
from ml.tracks import Track

LIBRARIES = ("scikit-learn", "numpy", "pandas")


@dataclass(frozen=True)
class Recipe:
    """A track, the features it sees, and what its models are chosen from.

    Attributes:
        grids: the candidate algorithms, and the settings that tuning may choose for each.
    """

    track: Track
    features: tuple[Feature, ...]
    grids: Mapping[Algorithm, tuple[Settings, ...]]

    @classmethod
    def of(cls, track: Track, features: tuple[Feature, ...]) -> "Recipe":
        """The recipe of a track."""
        return cls(track, features, GRIDS[track])

    @property
    def feature_names(self) -> list[str]:
        """The columns that the models read, in order."""
        return [feature.name for feature in self.features]

    def grid(self, algorithm: Algorithm) -> tuple[Settings, ...]:
        """The settings that tuning may choose from."""
        return self.grids[algorithm]

    def build(self, algorithm: Algorithm, settings: Settings) -> Pipeline:
        """An unfitted candidate."""
        return build_pipeline(algorithm, settings, self.features)

    def hash_rows(self, rows: pd.DataFrame) -> str:
        """A SHA-256 of the values and the order of the rows that this track is trained on."""
        columns = list(dict.fromkeys([*KEYS, TARGET, INCOME, *self.feature_names]))
        hashes = pd.util.hash_pandas_object(rows[columns], index=False)
        return hashlib.sha256(hashes.to_numpy().tobytes()).hexdigest()

    def fingerprint(self, rows: pd.DataFrame) -> str:
        """A SHA-256 of all that the result depends on: rows, settings, folds, rule and libraries."""
        settings = {name: [dict(each) for each in grid] for name, grid in self.grids.items()}
        ingredients = {
            "rows": self.hash_rows(rows),
            "settings": settings,
            "folds": FOLDS,
            "seed": SEED,
            "rule": RULE,
            "coverage": COVERAGE,
            "libraries": library_versions(),
        }
        return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()


def library_versions() -> dict[str, str]:
    """The versions of the libraries that a fitted model depends on."""
    return {name: version(name) for name in LIBRARIES}
