"""When five cron fields are due: Sunday is 0, and no day has a time too few or too many where clocks are changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = 5
INSTANT = timedelta(microseconds=1)
LONGEST_SHIFT = timedelta(hours=3)  # no zone has put its clocks further
WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=31))


@dataclass(frozen=True)
class CronLine(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """Five cron fields in a time zone.

    APScheduler's own trigger is asked about a wall clock that nobody changes: in zones with summer time it is due
    twice on some days and never on others. Here a time that comes twice is due once, and one that does not come is
    due as if the clocks had not been put forward; only a line that is due in every hour follows the hours as they
    pass.

    Raises:
        ValueError: they are no cron fields, or never due.
        KeyError: there is no such time zone.
    """

    schedule: str
    timezone: str

    def __post_init__(self) -> None:
        if self.next_after(datetime.now(UTC)) is None:
            raise ValueError("that is never due")

    def next_after(self, moment: datetime) -> datetime | None:
        """When it is due next, later than a moment."""
        return next(self._times(moment), None)

    def newest_between(self, after: datetime, until: datetime) -> datetime | None:
        """When it was due last, later than `after` and no later than `until`."""
        for window in WINDOWS:
            if until - window <= after:
                break
            if newest := self._last(until - window, until):
                return newest
        return self._last(after, until)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The same for APScheduler: what comes after the time before, or else from now on."""
        return self.next_after(previous or now - INSTANT)

    def _last(self, after: datetime, until: datetime) -> datetime | None:
        last = None
        for due_at in self._times(after):
            if due_at > until:
                break
            last = due_at
        return last

    def _times(self, after: datetime) -> Iterator[datetime]:
        """The times later than a moment, in order."""
        newest, zone = after, ZoneInfo(self.timezone)
        for _, readings in groupby(self._readings(after.astimezone(zone)), key=datetime.date):
            for due_at in sorted({time for reading in readings for time in self._moments(reading, zone)}):
                if due_at > newest:
                    newest = due_at
                    yield due_at

    def _moments(self, reading: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """When the clock shows that: once, or twice on the day that it is put back."""
        first, second = (reading.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield first
        if second > first and self.schedule.split()[1].startswith("*"):
            yield second

    def _readings(self, after: datetime) -> Iterator[datetime]:
        """What the clock on the wall shows when it is due."""
        reading = after.replace(tzinfo=UTC) - LONGEST_SHIFT
        while (found := self._calendar.get_next_fire_time(None, reading + INSTANT)) is not None:
            reading = found
            yield reading

    @cached_property
    def _calendar(self) -> BaseTrigger:
        fields = self.schedule.split()
        if len(fields) != FIELDS:
            raise ValueError(f"there are {len(fields)} fields, not {FIELDS}")
        minute, hour, day, month, weekday = fields
        weekdays = _weekdays(weekday)
        common = {"minute": minute, "hour": hour, "month": month, "timezone": UTC}
        if "*" in (day[0], weekday[0]):
            return CronTrigger(day=day, day_of_week=weekdays, **common)
        return OrTrigger([CronTrigger(day=day, **common), CronTrigger(day_of_week=weekdays, **common)])


def _weekdays(field: str) -> str:
    """The weekdays of a cron field, by name: APScheduler counts them from Monday on, cron from Sunday."""
    if field == "*":
        return field
    days = {day % len(WEEKDAYS) for part in field.lower().split(",") for day in _days(part)}
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _days(part: str) -> range:
    """What one part of the field of weekdays names: a day, a range, each of so many days."""
    span, _, step = part.partition("/")
    first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
    start = _day(first)
    end = _day(last) if dash else (6 if step else start)
    if not start <= end:
        raise ValueError(f"{part!r} names no weekdays")
    return range(start, end + 1, int(step or 1))


def _day(name: str) -> int:
    if name in WEEKDAYS:
        return WEEKDAYS.index(name)
    if not (name.isdecimal() and int(name) <= len(WEEKDAYS)):
        raise ValueError(f"{name!r} is no weekday")
    return int(name)
