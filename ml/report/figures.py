"""The report's plots, as SVG that stands in the page itself; the same figures always give the same text."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ml.evaluation import Measure
from ml.report.curves import Point

DARK, GREY, BLUE, ORANGE = "#1a1a1a", "#767676", "#1f5fa8", "#b34700"
FEATURES_SHOWN = 15
STYLE: Any = {
    "font.size": 10,
    "font.family": "sans-serif",
    "text.color": DARK,
    "axes.labelcolor": DARK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": DARK,
    "ytick.color": DARK,
    "svg.fonttype": "none",
    "svg.hashsalt": "kyalo",
}


def draw_calibration(points: Sequence[Point]) -> str:
    """What was said against what was so; on the diagonal both are equal."""
    with rc_context(STYLE):
        figure, axes = _square()
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
        shares = [point.y for point in points]
        reaches = _reaches(shares, [point.lower_bound for point in points], [point.upper_bound for point in points])
        levels = [point.x for point in points]
        axes.errorbar(levels, shares, yerr=reaches, color=BLUE, marker="o", markersize=5, linewidth=1.2, capsize=3)
        axes.set_xlabel("probability that the model gives")
        axes.set_ylabel("share that is vulnerable")
        return _svg(figure, "Calibration: share of vulnerable households against the probability")


def draw_gain(points: Sequence[Point], base_rate: float) -> str:
    """How many of the vulnerable are found by how many that are selected, between chance and a perfect list."""
    with rc_context(STYLE):
        figure, axes = _square()
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="by lot")
        axes.plot([0, base_rate, 1], [0, 1, 1], color=GREY, linewidth=1, label="a perfect list")
        levels = [point.x for point in points]
        lower = [point.y if point.lower_bound is None else point.lower_bound for point in points]
        upper = [point.y if point.upper_bound is None else point.upper_bound for point in points]
        axes.fill_between(levels, lower, upper, color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(levels, [point.y for point in points], color=BLUE, linewidth=1.6, label="this model")
        axes.set_xlabel("share of all households that is selected")
        axes.set_ylabel("share of the vulnerable that is found")
        axes.legend(frameon=False, loc="lower right")
        return _svg(figure, "Gain: vulnerable households found against households selected")


def draw_districts(errors: Mapping[str, tuple[Measure | None, Measure | None]]) -> str:
    """The exclusion and the inclusion error of each district, with their intervals."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 0.55 * len(errors)), layout="constrained")
        axes = figure.subplots()
        exclusion, inclusion = zip(*errors.values(), strict=True)
        _plot_errors(axes, exclusion, -0.15, label="exclusion: vulnerable, missed", color=BLUE, marker="o")
        _plot_errors(axes, inclusion, 0.15, label="inclusion: selected, not vulnerable", color=ORANGE, marker="s")
        axes.set_yticks(range(len(errors)), list(errors))
        axes.set_ylim(len(errors) - 0.5, -0.5)
        _percent(axes, "x")
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return _svg(figure, "Exclusion and inclusion error by district")


def draw_importance(importance: Mapping[str, float]) -> str:
    """How much each feature moves the scores on average, the strongest first."""
    strongest = sorted(importance.items(), key=lambda item: (-abs(item[1]), item[0]))[:FEATURES_SHOWN]
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.7 + 0.26 * len(strongest)), layout="constrained")
        axes = figure.subplots()
        axes.barh([name.replace("_", " ") for name, _ in strongest], [abs(size) for _, size in strongest], color=BLUE)
        axes.invert_yaxis()
        axes.set_xlabel("mean effect on the log odds, either way")
        return _svg(figure, "Importance of the features")


def _square() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    _percent(axes, "x")
    _percent(axes, "y")
    return figure, axes


def _percent(axes: Axes, which: Literal["x", "y"]) -> None:
    axis, limit = (axes.xaxis, axes.set_xlim) if which == "x" else (axes.yaxis, axes.set_ylim)
    limit(0, 1)
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis=which, color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)


def _plot_errors(axes: Axes, errors: Iterable[Measure | None], shift: float, **style: Any) -> None:
    """Plot what is known of errors, a line of the plot each."""
    known = [
        (place + shift, error.value, error.lower_bound, error.upper_bound)
        for place, error in enumerate(errors)
        if error and error.value is not None
    ]
    places, values, lower, upper = zip(*known, strict=True) if known else ((), (), (), ())
    reaches = _reaches(values, lower, upper)
    axes.errorbar(values, places, xerr=reaches, markersize=6, linestyle="none", elinewidth=1.4, capsize=3, **style)


def _reaches(
    values: Sequence[float], lower: Sequence[float | None], upper: Sequence[float | None]
) -> tuple[list[float], list[float]]:
    """How far each interval reaches below and above its value; not at all where there is none."""
    below = [0.0 if low is None else max(value - low, 0.0) for value, low in zip(values, lower, strict=True)]
    above = [0.0 if high is None else max(high - value, 0.0) for value, high in zip(values, upper, strict=True)]
    return below, above


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing[drawing.index("<svg") :], flags=re.DOTALL)
    drawing = re.sub(r' id="[A-Za-z]+_\d+"', "", drawing)
    return drawing.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
