"""Features as questions that a person can answer on paper, each with a few answers to choose from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ml.features import Feature, Kind
from ml.resampling import Floats, Integers
from warehouse.contract import Field, load_contract

FORM = "household_survey"
MONEY = ("UGX", "USD")
LEAST_SHARE = 0.05
ANSWERS = 6
FEW_VALUES = 20


@dataclass(frozen=True)
class Choices:
    """A question and its possible answers.

    Attributes:
        text: the question, as the form's contract puts it.
        cuts: of a number, where the second, third ... answer begin.
        categories: of a category, the value of each answer.
        texts: the answers in words.
    """

    feature: str
    text: str
    kind: Kind
    cuts: tuple[float, ...]
    categories: tuple[str, ...]
    texts: tuple[str, ...]

    def encode(self, rows: pd.DataFrame) -> Integers:
        """The place of each household's answer in `texts`; -1 where it is missing or not among them."""
        values = rows[self.feature]
        if self.kind == "category":
            return pd.Index(self.categories).get_indexer(pd.Index(values)).astype(np.int64)
        codes = np.digitize(values.to_numpy(dtype=np.float64), self.cuts)
        return np.where(values.isna(), -1, codes).astype(np.int64)


def list_choices(rows: pd.DataFrame, features: Iterable[Feature]) -> list[Choices]:
    """The features that a person can answer: those that the form asks for, but no money and no part of the target."""
    fields = [field for field in load_contract(FORM).fields if not field.component_of_target]
    asked = {field.name: field for field in fields if not (field.unit or "").startswith(MONEY)}
    found = [_choices(feature, asked[feature.name], rows) for feature in features if feature.name in asked]
    return [one for one in found if len(one.texts) > 1]


def _choices(feature: Feature, field: Field, rows: pd.DataFrame) -> Choices:
    text = _question(field)
    values = rows[feature.name].dropna()
    if feature.kind == "category":
        shares = values.value_counts(normalize=True)
        categories = tuple(sorted(str(name) for name in shares.index[shares >= LEAST_SHARE]))
        texts = tuple(f"code {name}" if field.codes else name for name in categories)
        return Choices(feature.name, text, feature.kind, (), categories, texts)
    if feature.kind == "boolean":
        texts = ("no", "yes") if values.nunique() > 1 else ("no",)
        return Choices(feature.name, text, feature.kind, (0.5,), (), texts)
    cuts = _cuts(values.to_numpy(dtype=np.float64))
    return Choices(feature.name, text, feature.kind, cuts, (), _ranges(cuts, bool((values % 1 == 0).all())))


def _question(field: Field) -> str:
    text = field.description.split(". ")[0].rstrip(".")
    return text if field.unit is None or field.unit in text.lower() else f"{text} ({field.unit})"


def _cuts(values: Floats) -> tuple[float, ...]:
    """Round numbers that part the values into up to six groups of at least a twentieth each.

    A count that takes few values, such as salaried workers, is cut at each: what sets few households apart can
    tell most about them.
    """
    distinct = np.unique(values)
    if len(distinct) < 2:
        return ()
    quantiles = np.quantile(values, np.arange(1, ANSWERS) / ANSWERS, method="inverted_cdf")
    is_count = len(distinct) <= FEW_VALUES and bool((distinct % 1 == 0).all())
    cuts: list[float] = []
    for cut in (float(f"{candidate:.2g}") for candidate in (distinct[1:] if is_count else quantiles)):
        inside = np.mean((values >= (cuts[-1] if cuts else -np.inf)) & (values < cut))
        if min(inside, np.mean(values >= cut)) >= LEAST_SHARE:
            cuts.append(cut)
    return tuple(cuts[: ANSWERS - 1])


def _ranges(cuts: Sequence[float], are_whole: bool) -> tuple[str, ...]:
    if not cuts:
        return ("any",)
    middle = [_between(low, high, are_whole) for low, high in pairwise(cuts)]
    first = "none" if are_whole and cuts[0] == 1 else f"under {cuts[0]:g}"
    return (first, *middle, f"{cuts[-1]:g} and more")


def _between(low: float, high: float, are_whole: bool) -> str:
    if not are_whole:
        return f"{low:g} to under {high:g}"
    return f"{low:g}" if high == low + 1 else f"{low:g} to {high - 1:g}"
