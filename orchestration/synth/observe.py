"""From an export back to the variables a household is drawn from: the reading half of the fit."""

from pathlib import Path

import numpy as np
import pandas as pd

from orchestration.synth.catalogue import FERTILIZER_ORDER, NOT_APPLICABLE, SALES, VARIABLES
from orchestration.synth.headers import NAMES
from orchestration.synth.money import MONEY_COLUMNS, USD_PER_UGX
from warehouse.errors import UnreadableFileError

_TEXT = ("district", "cluster", "village", "household_id", "loan_sources", "banana_diseases")
_LARGEST = {"agricultural_land_acres": 50.0, "radios_owned": 10.0}
"""Above these an answer is a slip of the pen and tells nothing of the distribution."""


def read_export(path: Path) -> pd.DataFrame:
    """The export at `path` under the vocabulary's names: text where it is text, numbers with NaN elsewhere.

    Raises:
        UnreadableFileError: the file has another number of columns.
    """
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, header=0)
    if len(frame.columns) != len(NAMES):
        raise UnreadableFileError(
            f"{path} has {len(frame.columns)} columns where the household survey's export has {len(NAMES)}.",
            remedy="Give a file of the export's shape.",
            columns=len(frame.columns),
        )
    frame.columns = pd.Index(NAMES)
    for name in NAMES:
        if name not in _TEXT:
            frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
    return frame


def _rank(codes: "pd.Series[float]") -> "pd.Series[float]":
    return codes.map({code: float(rank) for rank, code in enumerate(FERTILIZER_ORDER)})


def observe(frame: pd.DataFrame) -> pd.DataFrame:
    """Every variable of the catalogue for every household, NaN where it is unanswered or does not exist."""
    seen = frame.copy()
    seen[list(MONEY_COLUMNS)] = (seen[list(MONEY_COLUMNS)] / USD_PER_UGX).round()
    seen["has_loan"] = (seen["loan_sources"] != "").astype(float)
    seen["has_banana_disease"] = (seen["banana_diseases"] != "").astype(float)
    seen["hand_washing_level"] = seen["has_tippy_tap"] + seen["has_soap_or_ash"]
    seen["fertilizer_rank"] = _rank(seen["fertilizer_type"])
    pesticide = "organic_pesticide_expenditure_ugx"
    seen[pesticide] = seen[pesticide].fillna(NOT_APPLICABLE)
    seen["phones_owned"] = seen["phones_owned"].where(seen["phones_owned"] >= 0)
    for name, largest in _LARGEST.items():
        seen[name] = seen[name].where(seen[name] <= largest)
    for sale in SALES:
        seen[sale.share] = (seen[sale.income] / seen[sale.value].replace(0.0, np.nan)).clip(0.0, 1.0)
    for variable in VARIABLES:
        if variable.parent is not None:
            seen[variable.name] = seen[variable.name].where(seen[variable.parent] > 0)
    return seen[[variable.name for variable in VARIABLES]]
