"""The report: one page that needs nothing else, tells what was measured and lets no name run as code."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.baselines import judge_baselines
from ml.evaluation import Evaluation, Judged, evaluate
from ml.features import INCOME, TARGET, load_features
from ml.points import PointsTable, fit_points_table
from ml.report import ModelFacts, write_report
from ml.splits import make_folds
from tests.ml_rows import make_rows

FEATURES = [feature for feature in load_features() if "screening" in feature.tracks]
FACTS = ModelFacts(
    track="screening",
    name="kyalo_screening",
    version=3,
    algorithm="logistic_regression",
    meaning="A prediction from non-monetary indicators.",
    trained_at="2026-11-23",
    provenance={"seed": "20140", "training_rows_sha256": "ab" * 32},
)


class Report:
    """What a report is written of."""

    def __init__(self) -> None:
        self.rows = make_rows(300, villages=12)
        income = np.where(self.rows[TARGET] == 1, 1.0, 3.0)
        self.rows = self.rows.assign(**{INCOME: income}, cluster="Cluster 1", district=hostile(self.rows["district"]))
        chance = (0.8 * self.rows[TARGET] + 0.1 + 0.1 * np.sin(np.arange(300))).to_numpy()
        self.judged = Judged("village", chance, chance * 0.5, chance * 0.5 + 0.5)
        folds = make_folds("village", self.rows)
        assert folds is not None
        self.table: PointsTable = fit_points_table(self.rows, FEATURES)
        self.evaluation: Evaluation = evaluate(
            self.rows,
            [self.judged, replace(self.judged, split="district")],
            candidates={"random_forest": chance},
            baselines=judge_baselines(self.rows, FEATURES, folds),
            draws=50,
        )

    def write(self, facts: ModelFacts = FACTS, **options: Any) -> str:
        """The page."""
        options = {"points_table": self.table} | options
        importance = {"phones_owned": 0.7, "has_latrine": -0.2}
        return write_report(facts, self.evaluation, self.rows, self.judged, importance=importance, **options)


def hostile(districts: pd.Series) -> pd.Series:
    return districts.replace("Rubanda", '<script>alert("Rubanda & co")</script>')


@pytest.fixture(scope="module")
def report() -> Report:
    return Report()


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return report.write()


class Balance(HTMLParser):
    """Sees to it that every element is closed where it should be."""

    EMPTY = frozenset({"meta", "path", "use", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Open an element."""
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Pass by an element that is closed at once."""

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def test_needs_nothing_else(page: str) -> None:
    assert not re.search(r"<(script|link|iframe|img|image)\b", page)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)", page)
    assert not re.search(r"@import|url\((?!#)", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_is_whole(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert page.count("<svg") == 4


def test_no_name_runs_as_code(page: str) -> None:
    assert "&lt;script&gt;alert(" in page
    assert "<script" not in page


def test_tells_what_was_measured(report: Report, page: str) -> None:
    for metric in ("exclusion_error", "inclusion_error", "accuracy", "missed_poorest_20"):
        assert f"{report.evaluation.value(metric):.1%}" in page
    auc = report.evaluation.find("auc")
    assert auc is not None
    assert f'{auc.value:.3f} <span class="interval">{auc.lower_bound:.3f} to {auc.upper_bound:.3f}</span>' in page
    assert "a new village of a known district" in page
    assert "a district never seen" in page
    assert "a new cluster" not in page
    for name in ("random forest", "majority", "district rate", "points table", "phones owned"):
        assert name in page
    assert "ab" * 32 in page


def test_prints_the_ten_questions(report: Report, page: str) -> None:
    assert all(question.choices.text in page for question in report.table.questions)
    assert page.count('class="answer"') == sum(len(question.answers) + 1 for question in report.table.questions)


def test_shows_what_the_verdicts_are_worth(report: Report, page: str) -> None:
    undecided = report.evaluation.find("undecided_share")
    assert undecided is not None
    assert undecided.value is not None
    assert f"{undecided.value:.1%} are left undecided" in page


def test_says_of_an_assessment_that_it_is_arithmetic(report: Report) -> None:
    meaning = "Arithmetic, no prediction: the target is a sum of what this track sees."
    facts = replace(FACTS, track="assessment", meaning=meaning, version=None)
    assessment = report.write(facts, points_table=None)
    assert f'<p class="meaning">{meaning}</p>' in assessment
    assert "Assessment model" in assessment
    assert "Ten questions" not in assessment


def test_is_the_same_each_time(report: Report, page: str) -> None:
    assert report.write() == page
