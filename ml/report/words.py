"""How the report writes figures and names."""

from markupsafe import Markup

from ml.evaluation import Measure

# What is written as a number; all other measures are shares and written in per cent.
NUMBERS = ("auc", "brier", "log_loss", "calibration_error", "calibration_error_by_chance", "status_kappa")


def show_value(measure: Measure | None) -> str:
    """A measure without its interval."""
    return "-" if measure is None else _show(measure.metric, measure.value)


def show_estimate(measure: Measure | None) -> Markup:
    """A measure with its interval, where it has one."""
    value = Markup.escape(show_value(measure))
    if measure is None or measure.lower_bound is None or measure.upper_bound is None:
        return value
    lower, upper = (_show(measure.metric, bound).rstrip("%") for bound in (measure.lower_bound, measure.upper_bound))
    return Markup('{} <span class="interval">{} to {}</span>').format(value, lower, upper)


def show_percent(value: float | None) -> str:
    """A share in per cent."""
    return "-" if value is None else f"{value:.1%}"


def show_chance(value: float) -> str:
    """A chance as people say it."""
    return "under 1%" if value < 0.01 else f"{value:.0%}"


def show_words(name: str) -> str:
    """A name in words."""
    return name.replace("_", " ")


def _show(metric: str, value: float | None) -> str:
    if metric == "n" and value is not None:
        return f"{value:,.0f}"
    return f"{value:.3f}" if metric in NUMBERS and value is not None else show_percent(value)
