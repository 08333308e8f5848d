"""A points table: ten questions on a sheet of paper, whose points add up to a household's chance of being vulnerable.

The form of the Poverty Probability Index: each answer has whole points, all together make 0 to 100, and the more
points, the less likely is the household vulnerable. It is a baseline for the models, and what remains to a field
worker without a phone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.isotonic import isotonic_regression

from ml.answers import Choices, list_choices
from ml.features import Feature
from ml.resampling import Floats, Integers
from ml.splits import target_of

QUESTIONS = 10
HIGHEST = 100
BAND = 10
RIDGE = 2.0  # as if each answer had been seen twice more with no effect
STEPS = 25


@dataclass(frozen=True)
class Answer:
    """An answer and its points."""

    text: str
    points: int


@dataclass(frozen=True)
class Question:
    """A feature as a question.

    Attributes:
        answers: in the order of `choices`.
        points_unanswered: what counts where there is no answer, or one that is not in the table.
    """

    choices: Choices
    answers: tuple[Answer, ...]
    points_unanswered: int


@dataclass(frozen=True)
class PointsTable:
    """Ten questions, and the chance that goes with their points: log odds = intercept + slope x points."""

    questions: tuple[Question, ...]
    intercept: float
    slope: float

    def points(self, rows: pd.DataFrame) -> Integers:
        """Each household's points, 0 to 100."""
        total = np.zeros(len(rows), dtype=np.int64)
        for question in self.questions:
            worth = np.array([*(answer.points for answer in question.answers), question.points_unanswered])
            total += worth[question.choices.encode(rows)]
        return total

    def probability(self, rows: pd.DataFrame) -> Floats:
        """Each household's chance of being vulnerable."""
        return self.likelihood(self.points(rows).astype(np.float64))

    def likelihood(self, points: Floats) -> Floats:
        """The chance that goes with points."""
        return _chance(self.intercept + self.slope * points)

    def bands(self) -> list[tuple[str, float]]:
        """The chance in the middle of each band of ten points, from the fewest."""
        lows = range(0, HIGHEST, BAND)
        highs = [HIGHEST if low + BAND == HIGHEST else low + BAND - 1 for low in lows]
        return [
            (f"{low}-{high}", float(self.likelihood(np.array([(low + high) / 2]))[0]))
            for low, high in zip(lows, highs, strict=True)
        ]

    def to_text(self) -> str:
        """The table as text for a sheet of paper, 78 characters wide."""
        lines = ["How likely is this household vulnerable (on less than 1.77 USD a day)?", ""]
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number:>2}. {question.choices.text}")
            lines += [f"      [ ] {answer.text:<52.52} {answer.points:>4} points" for answer in question.answers]
            lines.append(f"      [ ] {'no answer':<52} {question.points_unanswered:>4} points")
        lines += ["", f"{'Sum':<63}_____ points", "", f"{'points':>10}  chance of being vulnerable"]
        lines += [f"{band:>10}  {_percent(chance)}" for band, chance in self.bands()]
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, for the model's metadata."""
        return asdict(self)


def fit_points_table(rows: pd.DataFrame, features: Sequence[Feature]) -> PointsTable:
    """Choose the questions and their points from labelled rows.

    Questions are taken one by one, each time the one that tells most about the households beyond those that are
    taken (the score test of a logistic regression, less 2 for each free answer).

    Args:
        rows: labelled rows of the mart.
        features: the features that may be asked for; only those that a person can answer are taken.
    """
    choices = list_choices(rows, features)
    codes = [one.encode(rows) for one in choices]
    blocks = [_indicators(code, len(one.texts)) for code, one in zip(codes, choices, strict=True)]
    target = target_of(rows).astype(np.float64)
    chosen: list[int] = []
    while len(chosen) < min(QUESTIONS, len(choices)):
        chosen.append(_most_telling(blocks, chosen, target))
    weights = _fit(_join(blocks, chosen), target)[1:]
    parts = np.split(weights, np.cumsum([blocks[place].shape[1] for place in chosen])[:-1])
    parts = [_in_order(choices[place], codes[place], part) for place, part in zip(chosen, parts, strict=True)]
    return _scaled([choices[place] for place in chosen], parts, rows, target)


def _in_order(choices: Choices, codes: Integers, part: Floats) -> Floats:
    """The weights of a number's answers, made to rise or fall all along: whatever else is chance."""
    if choices.kind == "category":
        return part
    counts = np.bincount(codes[codes >= 0], minlength=len(part)).astype(np.float64)
    rising, falling = (isotonic_regression(part, sample_weight=counts, increasing=up) for up in (True, False))
    losses = [float((counts * (part - one) ** 2).sum()) for one in (rising, falling)]
    return np.asarray(rising if losses[0] <= losses[1] else falling, dtype=np.float64)


def _indicators(codes: Integers, answers: int) -> Floats:
    """A column for each answer, less its mean, so that no answer at all counts as the average one."""
    indicators = (codes[:, None] == np.arange(answers)).astype(np.float64)
    answered = max(1.0, float((codes >= 0).sum()))
    return np.where(codes[:, None] >= 0, indicators - indicators.sum(axis=0) / answered, 0.0)


def _join(blocks: Sequence[Floats], chosen: Sequence[int]) -> Floats:
    return np.column_stack([np.ones((len(blocks[0]), 1)), *(blocks[place] for place in chosen)])


def _most_telling(blocks: Sequence[Floats], chosen: Sequence[int], target: Floats) -> int:
    known = _join(blocks, chosen)
    chance = _chance(known @ _fit(known, target))
    spread = (chance * (1 - chance))[:, None]
    rest = [place for place in range(len(blocks)) if place not in chosen]
    everything = np.column_stack([known, *(blocks[place] for place in rest)])
    information = everything.T @ (everything * spread) + RIDGE * np.eye(everything.shape[1])
    surprise = everything.T @ (target - chance)
    taken, start, gains = slice(0, known.shape[1]), known.shape[1], []
    for place in rest:
        own = slice(start, start := start + blocks[place].shape[1])
        explained = information[own, taken] @ np.linalg.solve(information[taken, taken], information[taken, own])
        gain = surprise[own] @ np.linalg.solve(information[own, own] - explained, surprise[own])
        gains.append(float(gain) - 2 * (blocks[place].shape[1] - 1))
    return rest[int(np.argmax(gains))]


def _fit(columns: Floats, target: Floats) -> Floats:
    """A ridge logistic regression by Newton's method; the first column is the intercept and not shrunk."""
    weights = np.zeros(columns.shape[1])
    shrink = RIDGE * np.eye(len(weights))
    shrink[0, 0] = 1e-9
    for _ in range(STEPS):
        chance = _chance(columns @ weights)
        slope = columns.T @ (target - chance) - shrink @ weights
        step = np.linalg.solve(columns.T @ (columns * (chance * (1 - chance))[:, None]) + shrink, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _scaled(choices: Sequence[Choices], parts: Sequence[Floats], rows: pd.DataFrame, target: Floats) -> PointsTable:
    """Whole points that make 0 to 100 together, the more the less vulnerable."""
    reach = sum(float(np.ptp(part)) for part in parts) or 1.0
    worths = [(part.max() - part) / reach * HIGHEST for part in parts]
    points = [np.rint(worth).astype(np.int64) for worth in worths]
    widest = max(points, key=lambda some: int(some.max()))
    widest[widest.argmax()] += HIGHEST - sum(int(some.max()) for some in points)
    questions = [_question(one, some, rows) for one, some in zip(choices, points, strict=True)]
    table = PointsTable(tuple(questions), 0.0, 0.0)
    total = table.points(rows).astype(np.float64)
    intercept, slope = _fit(np.column_stack([np.ones(len(total)), total]), target)
    return PointsTable(table.questions, float(intercept), float(slope))


def _question(choices: Choices, points: Integers, rows: pd.DataFrame) -> Question:
    codes = choices.encode(rows)
    average = int(np.rint(points[codes[codes >= 0]].mean()))
    answers = tuple(Answer(text, int(worth)) for text, worth in zip(choices.texts, points, strict=True))
    return Question(choices, answers, average)


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -700, 700))), dtype=np.float64)


def _percent(chance: float) -> str:
    return "under 1%" if chance < 0.01 else f"{chance:.0%}"
