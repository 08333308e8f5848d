"""How the pages write figures, times and names."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from orchestration.alerts.rules import RULES
from warehouse.error_codes import MEANINGS

NOTHING = "–"  # noqa: RUF001 - what stands where nothing is known
QUOTING_ALERTS = {rule.name for rule in RULES if rule.quotes}
RISKS = ("critical", "high", "medium", "low")


def show_number(value: float | None) -> str:
    """A number of things."""
    return NOTHING if value is None else f"{value:,.0f}"


def show_decimal(value: float | None, places: int = 2) -> str:
    """A measure."""
    return NOTHING if value is None else f"{value:,.{places}f}"


def show_percent(value: float | None, places: int = 0) -> str:
    """A share in per cent; what is not all, or not nothing, is not rounded to it."""
    if value is None:
        return NOTHING
    percent = round(100 * float(value), places)
    least = 10.0**-places
    if percent >= 100 and value < 1:
        return f"over {100 - least:.{places}f}%"
    if percent <= 0 < value:
        return f"under {least:.{places}f}%"
    return f"{percent:.{places}f}%"


def show_share(part: float | None, whole: float | None, places: int = 0) -> str:
    """A part of a whole in per cent."""
    return show_percent(float(part) / float(whole), places) if part is not None and whole else NOTHING


def show_seconds(value: float | None) -> str:
    """A length of time."""
    if value is None:
        return NOTHING
    if value < 10:
        return f"{value:.1f} s"
    if value < 100:
        return f"{value:.0f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.0f} h" if value < 48 * 3600 else f"{value / 86400:.0f} days"


def show_bytes(value: float) -> str:
    """A size."""
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:,.0f} {unit}"
        value /= 1000
    return f"{value:,.1f} GB"


def show_time(value: datetime | None, zone: ZoneInfo) -> str:
    """A moment, in the time zone of the schedule."""
    return NOTHING if value is None else f"{value.astimezone(zone):%-d %b %Y, %H:%M}"


def show_day(value: date | None) -> str:
    """A day."""
    return NOTHING if value is None else f"{value:%-d %b %Y}"


def show_distance(value: datetime | None, now: datetime | None = None) -> str:
    """How long ago, or in how long, a moment is."""
    if value is None:
        return "never"
    distance = (now or datetime.now(UTC)) - value
    length = abs(distance)
    if length < timedelta(minutes=1):
        return "just now"
    for unit, seconds in (("minute", 60), ("hour", 3600), ("day", 86400)):
        number = round(length.total_seconds() / seconds)
        limit = {"minute": 90, "hour": 36, "day": 10**9}[unit]
        if number < limit:
            counted = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"{counted} ago" if distance > timedelta(0) else f"in {counted}"
    return NOTHING


def show_commands(text: str) -> Markup:
    """A text whose commands stand between backticks."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def show_words(name: str | None) -> str:
    """A name in words."""
    return (name or "").replace("_", " ")


def show_stand_in(name: str) -> str:
    """The beginning of a stand-in, by which one person is told from another; other names as they are."""
    mark, _, letters = name.partition(":")
    return letters[:8] if mark == "personal" else name


def show_error(row: Mapping[str, Any], *, whole: bool) -> str:
    """What went wrong: the message, which may repeat what somebody sent, or no more than what its code means."""
    return str(row["error_message"]) if whole else MEANINGS.get(row["error_code"], "It went wrong.")


def show_reason(reason: str, component: str, *, whole: bool) -> str:
    """Why a part is as well as it is; of runs it repeats the error of the last one that failed."""
    return reason if whole or component != "pipeline" else "Runs and their errors stand under Runs."


def show_alert(row: Mapping[str, Any], *, whole: bool) -> str:
    """What an alert says; without what it repeats of errors and files where that is not for who looks."""
    if whole or row["alert"] not in QUOTING_ALERTS:
        return str(row["message"])
    return f"{show_words(row['alert']).capitalize()}. What exactly is told to offices and administrators."
