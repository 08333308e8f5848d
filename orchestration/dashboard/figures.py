"""The figures: plotly's, told as data, each with a table of the same for who does not see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from orchestration.dashboard.reading import Row
from orchestration.dashboard.words import RISKS, show_day, show_decimal, show_number, show_percent, show_words

Trace = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure and what it says.

    Attributes:
        name: its own on the page.
        title: what it shows, in a sentence.
        columns: headings of its table.
        rows: cells of its table.
    """

    name: str
    title: str
    data: Sequence[Trace]
    layout: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def told(self) -> Markup:
        """Data and layout as JSON that can stand in a script element."""
        told = orjson.dumps({"data": self.data, "layout": self.layout}, default=float).decode()
        return Markup(told.replace("<", "\\u003c"))  # noqa: S704 - nothing of it can end the element


def received_by_day(days: Sequence[Row]) -> Figure:
    """What came, by day and by what became of it."""
    kinds = {
        "stored": "var(--accent)",
        "duplicate": "var(--line)",
        "rejected": "var(--bad)",
        "conflict": "var(--caution)",
    }
    dates = [row["day"].isoformat() for row in days]
    data = [
        {"type": "bar", "name": kind, "x": dates, "y": [row[kind] for row in days], "marker": {"color": colour}}
        for kind, colour in kinds.items()
    ]
    cells = [[show_day(row["day"]), *(show_number(row[kind]) for kind in kinds)] for row in days]
    layout = _layout(240, barmode="stack", xaxis=_days(), yaxis=_axis(rangemode="tozero"), bargap=0.35)
    return Figure("received", "Rows received by day", data, layout, ["day", *kinds], cells)


def quality_by_day(rows: Sequence[Row]) -> Figure:
    """The quality score and the released share, by day."""
    dates = [row["received_date"].isoformat() for row in rows]
    released = [100 * row["released"] / row["submissions"] for row in rows]
    data = [
        _line("quality score", dates, [row["score"] for row in rows], "var(--accent)"),
        _line("released, %", dates, released, "var(--high)", dash="dot"),
    ]
    cells = [
        [show_day(row["received_date"]), show_number(row["submissions"]), show_decimal(row["score"]), f"{share:.1f}%"]
        for row, share in zip(rows, released, strict=True)
    ]
    least = min([*released, *(row["score"] or 100 for row in rows), 90])
    layout = _layout(260, xaxis=_days(), yaxis=_axis(range=[max(least - 2, 0), 100.5]))
    columns = ["day", "submissions", "quality score", "released"]
    return Figure("quality", "Quality score and released share by day of receipt", data, layout, columns, cells)


def risk_by_district(rows: Sequence[Row]) -> Figure:
    """How many households of each district are at which risk, of a hundred."""
    shown = rows[:20][::-1]
    names = [row["district"] for row in shown]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": risk,
            "y": names,
            "x": [100 * row[f"households_{risk}"] / max(row["households_scored"], 1) for row in shown],
            "customdata": [row[f"households_{risk}"] for row in shown],
            "hovertemplate": "%{y}: %{customdata:,} " + risk + " (%{x:.0f}%)<extra></extra>",
            "marker": {"color": f"var(--{risk})"},
        }
        for risk in RISKS
    ]
    cells = [[row["district"], *(show_number(row[f"households_{risk}"]) for risk in RISKS)] for row in rows]
    layout = _layout(
        90 + 34 * len(shown),
        barmode="stack",
        bargap=0.4,
        xaxis=_axis(range=[0, 100], ticksuffix="%"),
        yaxis=_axis(automargin=True, showgrid=False, type="category"),
    )
    title = "Households of each district by predicted risk"
    return Figure("risk", title, data, layout, ["district", *RISKS], cells)


def villages_on_map(rows: Sequence[Row]) -> Figure:
    """Where the villages are: the larger the dot the more need, the darker the likelier."""
    shares = [row["vulnerable_share"] for row in rows]
    largest = max((float(row["expected_vulnerable_households"] or 0) for row in rows), default=1) or 1
    named = [f"{row['village']}, {row['district']}" for row in rows]
    expected = [show_decimal(row["expected_vulnerable_households"], 1) for row in rows]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [row["village_longitude"] for row in rows],
            "y": [row["village_latitude"] for row in rows],
            "text": [f"{name}: {number} expected" for name, number in zip(named, expected, strict=True)],
            "hoverinfo": "text",
            "marker": {
                "size": [6 + 22 * (float(row["expected_vulnerable_households"] or 0) / largest) ** 0.5 for row in rows],
                "color": shares,
                "colorscale": [[0, "var(--low)"], [0.5, "var(--medium)"], [1, "var(--critical)"]],
                "cmin": 0,
                "cmax": 1,
                "opacity": 0.85,
                "line": {"width": 0.5, "color": "var(--paper)"},
            },
        }
    ]
    layout = _layout(
        400,
        showlegend=False,
        hovermode="closest",
        xaxis=_axis(ticksuffix="°"),
        yaxis=_axis(ticksuffix="°", scaleanchor="x", automargin=True),
    )
    cells = [
        [name, number, show_percent(share), f"{row['village_latitude']:.2f}, {row['village_longitude']:.2f}"]
        for name, number, share, row in zip(named, expected, shares, rows, strict=True)
    ]
    columns = ["village", "expected vulnerable households", "share", "latitude, longitude"]
    return Figure(
        "map", "Villages by the households there that are expected to be vulnerable", data, layout, columns, cells
    )


def scores_by_split(measures: Mapping[str, Row], meanings: Mapping[str, str]) -> Figure:
    """An accuracy for each way of being new, with its interval."""
    known = [(meanings[split], measures[split]) for split in meanings if split in measures][::-1]
    data = [_intervals("accuracy", known, "var(--accent)")]
    cells = [[name, show_percent(row["value"], 1), _between(row)] for name, row in known[::-1]]
    layout = _layout(
        90 + 36 * len(known),
        showlegend=False,
        xaxis=_axis(tickformat=".0%"),
        yaxis=_axis(automargin=True, showgrid=False),
    )
    columns = ["judged on", "accuracy", "95% interval"]
    return Figure("splits", "Accuracy, by how new a household is to the model", data, layout, columns, cells)


def calibration_by_group(gaps: Mapping[str, Row]) -> Figure:
    """How far probabilities lie from what was so, by group: none is better than its interval."""
    known = [(name, row) for name, row in gaps.items() if row["value"] is not None][::-1]
    data = [_intervals("gap", known, "var(--accent)")]
    cells = [[name, f"{row['value']:+.1%}", _between(row)] for name, row in known[::-1]]
    layout = _layout(
        90 + 34 * len(known),
        showlegend=False,
        xaxis=_axis(tickformat=".0%", zeroline=True, zerolinecolor="var(--ink)", zerolinewidth=1),
        yaxis=_axis(automargin=True, showgrid=False),
    )
    columns = ["households", "mean probability less share vulnerable", "95% interval"]
    title = "Calibration: mean probability less the share that is vulnerable"
    return Figure("calibration", title, data, layout, columns, cells)


def drift_of(rows: Sequence[Row], track: str) -> Figure:
    """How far the newest households are from the training rows, by feature, in limits."""
    shown = rows[::-1]
    names = [show_words(row["feature"]) for row in shown]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": [row["psi"] / row["psi_limit"] for row in shown],
            "hovertemplate": "%{y}: %{x:.2f} of its limit<extra></extra>",
            "marker": {"color": ["var(--bad)" if row["has_drifted"] else "var(--accent)" for row in shown]},
        }
    ]
    limit = {
        "type": "line",
        "x0": 1,
        "x1": 1,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": "var(--ink)", "width": 1},
    }
    layout = _layout(
        80 + 24 * len(shown),
        showlegend=False,
        shapes=[limit],
        xaxis=_axis(rangemode="tozero"),
        yaxis=_axis(automargin=True, showgrid=False),
    )
    cells = [
        [show_words(row["feature"]), show_decimal(row["psi"], 3), show_decimal(row["psi_limit"], 3)] for row in rows
    ]
    columns = ["feature", "population stability index", "limit"]
    title = "Drift of the newest households from the training rows, in times its limit"
    return Figure(f"drift-{track}", title, data, layout, columns, cells)


def performance_over_time(rows: Sequence[Row], track: str) -> Figure:
    """Expected and real accuracy since the training."""
    data, cells = [], []
    for kind, colour in (("expected", "var(--accent)"), ("real", "var(--high)")):
        checks = [row for row in rows if row["kind"] == kind][::-1]
        data.append(
            _line(kind, [row["checked_at"].isoformat() for row in checks], [row["accuracy"] for row in checks], colour)
        )
        cells += [
            [show_day(row["checked_at"]), kind, show_percent(row["accuracy"], 1), show_number(row["households"])]
            for row in checks
        ]
    layout = _layout(240, xaxis=_days(), yaxis=_axis(tickformat=".0%"))
    columns = ["checked", "accuracy", "value", "households"]
    return Figure(f"performance-{track}", "Accuracy after the training", data, layout, columns, cells)


def _intervals(name: str, known: Sequence[tuple[str, Row]], colour: str) -> Trace:
    values = [row["value"] for _, row in known]
    above = [0 if row["upper_bound"] is None else row["upper_bound"] - row["value"] for _, row in known]
    below = [0 if row["lower_bound"] is None else row["value"] - row["lower_bound"] for _, row in known]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": values,
        "y": [label for label, _ in known],
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
        "marker": {"color": colour, "size": 9},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
    }


def _line(name: str, x: Sequence[str], y: Sequence[Any], colour: str, dash: str = "solid") -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"color": colour, "size": 6},
    }


def _layout(height: int, **more: Any) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 48, "r": 12, "t": 34, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "var(--ink)", "size": 13},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "var(--wash)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "dragmode": False,
        **more,
    }


def _axis(**more: Any) -> dict[str, Any]:
    return {"gridcolor": "var(--line)", "zeroline": False, "fixedrange": True, "tickcolor": "var(--line)", **more}


def _days() -> dict[str, Any]:
    return _axis(type="date", showgrid=False, tickformat="%-d %b", nticks=8)


def _between(row: Row) -> str:
    if row["lower_bound"] is None or row["upper_bound"] is None:
        return ""
    return f"{row['lower_bound']:.1%} to {row['upper_bound']:.1%}"
