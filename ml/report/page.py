"""The report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ml.evaluation import Evaluation, Judged, Measure, SegmentKind
from ml.points import PointsTable
from ml.report.curves import calibration_curve, gain_curve
from ml.report.figures import draw_calibration, draw_districts, draw_gain, draw_importance
from ml.report.words import show_chance, show_estimate, show_percent, show_value, show_words
from ml.resampling import draw_villages
from ml.splits import SEED, SPLITS, Split, place_groups, target_of
from ml.sums import Truth
from ml.tracks import Track

SPLIT_MEANINGS: dict[Split, str] = {
    "random": "neighbours in training",
    "village": "a new village of a known district",
    "cluster": "a new cluster of a known district",
    "district": "a district never seen",
}


@dataclass(frozen=True)
class ModelFacts:
    """What the report says of the model itself.

    Attributes:
        meaning: what its figures mean, in a sentence; an assessment says there that it is arithmetic.
        provenance: what it was made of and with, by name: seed, hashes, versions.
    """

    track: Track
    name: str
    version: int | None
    algorithm: str
    meaning: str
    trained_at: str
    provenance: Mapping[str, str]


def write_report(
    facts: ModelFacts,
    evaluation: Evaluation,
    rows: pd.DataFrame,
    judged: Judged,
    *,
    importance: Mapping[str, float],
    points_table: PointsTable | None = None,
) -> str:
    """Write the report of a model.

    Args:
        facts: the model's own.
        evaluation: its measures.
        rows: the labelled rows that it was evaluated on.
        judged: its probabilities on village folds of these rows.
        importance: the mean size of each feature's effect, in log odds.
        points_table: ten questions to print, fitted to the rows; an assessment has none.
    """
    base_rate = float(target_of(rows).mean())
    return _template().render(
        facts=facts,
        evaluation=evaluation,
        find=evaluation.find,
        splits=[split for split in SPLITS if evaluation.find("n", split)],
        split_meanings=SPLIT_MEANINGS,
        contenders=list(_contenders(evaluation)),
        verdict_segments=[("all", "all"), *(("district", name) for name in evaluation.segments("district"))],
        majority=max(base_rate, 1 - base_rate),
        figures=_figures(evaluation, rows, judged, importance),
        villages=len(np.unique(place_groups("village", rows))),
        points_table=points_table,
    )


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "chance": show_chance,
        "estimate": show_estimate,
        "percent": show_percent,
        "value": show_value,
        "words": show_words,
    }
    return environment.get_template("report.html.j2")


def _figures(
    evaluation: Evaluation, rows: pd.DataFrame, judged: Judged, importance: Mapping[str, float]
) -> dict[str, Markup]:
    truth = Truth.of(rows)
    weights = draw_villages(int(truth.villages.max()) + 1, SEED)
    drawn = {
        "calibration": draw_calibration(calibration_curve(truth, judged.probability, weights)),
        "gain": draw_gain(gain_curve(truth, judged.probability, weights), float(truth.target.mean())),
        "districts": draw_districts(_errors(evaluation)),
        "importance": draw_importance(importance),
    }
    return {name: Markup(drawing) for name, drawing in drawn.items()}  # noqa: S704 - matplotlib escapes the texts


def _errors(evaluation: Evaluation) -> dict[str, tuple[Measure | None, Measure | None]]:
    segments: dict[str, tuple[Split, SegmentKind, str]] = {
        name: ("village", "district", name) for name in evaluation.segments("district")
    }
    segments["all"] = ("village", "all", "all")
    return {
        name: (evaluation.find("exclusion_error", *segment), evaluation.find("inclusion_error", *segment))
        for name, segment in segments.items()
    }


def _contenders(evaluation: Evaluation) -> Iterator[tuple[str, SegmentKind, str]]:
    yield "this model", "all", "all"
    kinds: tuple[SegmentKind, ...] = ("candidate", "baseline")
    for kind in kinds:
        for name in evaluation.segments(kind):
            yield name.replace("_", " "), kind, name
