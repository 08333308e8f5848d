"""Honest scores of out-of-fold probabilities, each with the interval that its villages allow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ml.conformal import possible_classes
from ml.measures import measure
from ml.resampling import DRAWS, Floats, Integers, Weights, draw_villages
from ml.splits import SEED, Split
from ml.sums import Truth, sums_of_measures, sums_of_statuses, sums_of_verdicts

SegmentKind = Literal["all", "district", "head_sex", "baseline", "candidate"]


@dataclass(frozen=True)
class Judged:
    """Out-of-fold probabilities of all rows on one split, in the order of the rows.

    Attributes:
        probability: of being vulnerable.
        below_125: of less than 1.25 USD a day; None where the model does not tell the statuses apart.
        below_215: of less than 2.15 USD a day; likewise.
    """

    split: Split
    probability: Floats
    below_125: Floats | None = None
    below_215: Floats | None = None


@dataclass(frozen=True)
class Measure:
    """A row of `ml.evaluations`; None is what cannot be told."""

    split: Split
    segment_kind: SegmentKind
    segment: str
    metric: str
    value: float | None
    lower_bound: float | None
    upper_bound: float | None


@dataclass(frozen=True)
class Evaluation:
    """All measures of a model, of its baselines and of the candidates that were not chosen."""

    measures: tuple[Measure, ...]

    def find(
        self, metric: str, split: Split = "village", segment_kind: SegmentKind = "all", segment: str = "all"
    ) -> Measure | None:
        """A measure; None where the split or the segment is not there."""
        key = (split, segment_kind, segment, metric)
        return next((m for m in self.measures if (m.split, m.segment_kind, m.segment, m.metric) == key), None)

    def value(
        self, metric: str, split: Split = "village", segment_kind: SegmentKind = "all", segment: str = "all"
    ) -> float | None:
        """The value of a measure; None where it is not there or cannot be told."""
        measure = self.find(metric, split, segment_kind, segment)
        return measure.value if measure else None

    def segments(self, segment_kind: SegmentKind) -> list[str]:
        """The names of the segments of a kind, in their order."""
        return list(dict.fromkeys(m.segment for m in self.measures if m.segment_kind == segment_kind))


@dataclass(frozen=True)
class Segment:
    """A group of households that is measured by itself: `members` are positions of rows."""

    kind: SegmentKind
    name: str
    members: Integers


def evaluate(
    rows: pd.DataFrame,
    judged: Sequence[Judged],
    *,
    candidates: Mapping[str, Floats],
    baselines: Mapping[str, Floats],
    threshold: float = 0.5,
    draws: int = DRAWS,
) -> Evaluation:
    """Measure a model on every split: overall, by district and by sex of the head.

    Args:
        rows: labelled rows of the mart, with the key columns, the income and head_sex.
        judged: the model's probabilities, a split each.
        candidates: out-of-fold probabilities on the village split of models that were not chosen, by name.
        baselines: likewise of the baselines.
        threshold: the probability from which on a household is selected.
        draws: how often villages are drawn for the intervals.
    """
    truth, everybody = Truth.of(rows), np.arange(len(rows))
    weights = draw_villages(int(truth.villages.max()) + 1, SEED, draws)
    segments = [Segment("all", "all", everybody), *_groups(rows, "district"), *_groups(rows, "head_sex")]
    todo = [(one, segments) for one in judged]
    todo += [(Judged("village", p), [Segment("baseline", name, everybody)]) for name, p in baselines.items()]
    todo += [(Judged("village", p), [Segment("candidate", name, everybody)]) for name, p in candidates.items()]
    return Evaluation(tuple(row for one, some in todo for row in _measure(truth, one, some, weights, threshold)))


def _groups(rows: pd.DataFrame, column: Literal["district", "head_sex"]) -> list[Segment]:
    names = rows[column].fillna("unknown").to_numpy(dtype=str)
    return [Segment(column, str(name), np.flatnonzero(names == name)) for name in np.unique(names)]


def _measure(
    truth: Truth, judged: Judged, segments: Sequence[Segment], weights: Weights, threshold: float
) -> Iterator[Measure]:
    columns = sums_of_measures(truth, judged.probability, threshold)
    if judged.below_125 is not None and judged.below_215 is not None:
        columns |= sums_of_statuses(truth, (judged.below_125, judged.probability, judged.below_215))
        columns |= sums_of_verdicts(truth, *possible_classes(judged.probability, truth.target == 1, truth.villages))
    for segment in segments:
        members = segment.members
        part = {name: column[members] for name, column in columns.items()}
        for metric, estimate in measure(truth.of_members(members), judged.probability[members], part, weights).items():
            yield Measure(judged.split, segment.kind, segment.name, metric, *astuple(estimate))
