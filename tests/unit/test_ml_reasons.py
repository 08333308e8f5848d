"""Reasons, told one by one and as text for many."""

import numpy as np
import orjson

from ml.calibration import Calibration, Sigmoid
from ml.conformal import Conformal
from ml.encoding import Encoding
from ml.linear import LinearScore
from ml.model import Model
from ml.reasons import Explainer

NAMES = ["meals", "roof", "literate", "radios"]
PLAIN = Sigmoid(0.0, 2.0)
ENCODING = Encoding(NAMES, {"roof": ["iron", 'th"atch', "missing"]})
WEIGHTS = np.array([-1.0, 0.5, 0.25, 1.0, -3.0, 4.0])
MODEL = Model(
    "screening",
    ENCODING,
    LinearScore(
        owners=np.array([place for place, _ in ENCODING.columns]),
        features=len(NAMES),
        weights=WEIGHTS,
        centres=np.zeros(6),
        replacements=np.zeros(6),
        base=0.0,
    ),
    Calibration(PLAIN, PLAIN, PLAIN),
    Conformal(0.9, 0.5, 0.5),
)
EXPLAINER = Explainer(MODEL, {"meals": "numeric", "roof": "category", "literate": "boolean", "radios": "numeric"})
HOUSEHOLDS = [
    {"meals": 3, "roof": 'th"atch', "literate": True, "radios": 0},
    {"meals": None, "roof": None, "literate": False, "radios": 0.5},
    {"meals": float("nan"), "roof": "tile", "literate": None, "radios": None},
]
TOLD = [
    [
        {"feature": "roof", "value": 'th"atch', "effect": -6.0},
        {"feature": "meals", "value": 3.0, "effect": -6.0},
        {"feature": "literate", "value": True, "effect": 1.0},
    ],
    [{"feature": "roof", "value": None, "effect": 8.0}, {"feature": "radios", "value": 0.5, "effect": 0.25}],
    [],
]


def test_reasons_name_the_strongest_first_with_the_households_own_value() -> None:
    matrix = MODEL.encode(HOUSEHOLDS)
    predictions = MODEL.predict(matrix)
    lists = EXPLAINER.as_lists(matrix, predictions)
    assert [sorted(reasons, key=str) for reasons in lists] == [sorted(reasons, key=str) for reasons in TOLD]
    assert [orjson.loads(text) for text in EXPLAINER.as_json(matrix, predictions).to_pylist()] == lists
    assert predictions.missing_features.tolist() == [0, 2, 3]


def test_every_word_survives_its_way_into_json() -> None:
    matrix = np.array([[np.nan, place, 0.0, 0.0] for place in (-1.0, 0.0, 1.0, np.nan)])
    predictions = MODEL.predict(matrix)
    told = [orjson.loads(text) for text in EXPLAINER.as_json(matrix, predictions).to_pylist()]
    assert [[reason["value"] for reason in reasons] for reasons in told] == [[], ["iron"], ['th"atch'], [None]]
