"""Cron fields, as cron reads them, in zones that change their clocks."""

import pickle
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from orchestration.cron import CronLine

ZONES = (
    "Africa/Kampala",
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "America/Santiago",
)


def times(schedule: str, zone: str, first: date, days: int) -> list[datetime]:
    """When a line is due, from the first moment of a day on, on a clock in its zone."""
    line, tz = CronLine(schedule, zone), ZoneInfo(zone)
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    last = first + timedelta(days=days)
    found: list[datetime] = []
    while (due_at := line.next_after(moment)) and due_at.astimezone(tz).date() < last:
        moment = due_at
        if due_at.astimezone(tz).date() >= first:
            found.append(due_at.astimezone(tz))
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", ["0 0 * * *", "30 0 * * *", "30 1 * * *", "0 2 * * *"])
def test_a_day_has_one_time_also_where_clocks_are_changed(zone: str, schedule: str) -> None:
    for first in (date(2026, 3, 1), date(2026, 9, 1)):
        found = times(schedule, zone, first, 70)
        assert Counter(due_at.date() for due_at in found) == Counter(first + timedelta(days=day) for day in range(70))


@pytest.mark.parametrize("zone", ZONES)
def test_each_hour_is_due_as_hours_pass(zone: str) -> None:
    changes = (
        date(2026, 3, 6),
        date(2026, 3, 28),
        date(2026, 4, 4),
        date(2026, 4, 24),
        date(2026, 10, 3),
        date(2026, 10, 24),
    )
    found = [due_at for change in changes for due_at in times("15 * * * *", zone, change, 4)]
    shift = {timedelta(minutes=30), timedelta(minutes=90)} if zone == "Australia/Lord_Howe" else set()
    between = {later.astimezone(UTC) - earlier.astimezone(UTC) for earlier, later in pairwise(found)}
    assert {gap for gap in between if gap < timedelta(days=2)} == {timedelta(hours=1)} | shift


def test_time_that_does_not_come_is_due_as_if_clocks_had_not_been_changed() -> None:
    assert [f"{due_at:%d %H:%M %z}" for due_at in times("30 2 * * *", "Europe/Berlin", date(2026, 3, 28), 3)] == [
        "28 02:30 +0100",
        "29 03:30 +0200",
        "30 02:30 +0200",
    ]


@pytest.mark.parametrize(
    ("weekdays", "due"),
    [
        ("0", ["Sun"]),
        ("7", ["Sun"]),
        ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("5-7", ["Fri", "Sat", "Sun"]),
        ("mon,Wed", ["Mon", "Wed"]),
        ("*/3", ["Wed", "Sat", "Sun"]),
        ("4/2", ["Thu", "Sat"]),
    ],
)
def test_weekdays_are_those_of_cron(weekdays: str, due: list[str]) -> None:
    monday = date(2026, 11, 23)
    assert [f"{due_at:%a}" for due_at in times(f"0 5 * * {weekdays}", "Africa/Kampala", monday, 7)] == due


def test_day_of_month_or_weekday_is_enough_where_both_are_named() -> None:
    found = times("0 5 13 * 5", "UTC", date(2026, 11, 1), 30)
    assert [due_at.day for due_at in found] == [6, 13, 20, 27]
    found = times("0 5 15 * 5", "UTC", date(2026, 11, 1), 30)
    assert [due_at.day for due_at in found] == [6, 13, 15, 20, 27]


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        ("tomorrow", "UTC"),
        ("0 2 * *", "UTC"),
        ("0 25 * * *", "UTC"),
        ("0 2 * * 8", "UTC"),
        ("0 2 * * 5-1", "UTC"),
        ("0 2 * * someday", "UTC"),
        ("0 2 30 2 *", "UTC"),
        ("0 2 * * *", "Africa/Nowhere"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule: str, zone: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        CronLine(schedule, zone)


@pytest.mark.parametrize("schedule", ["* * * * *", "0 2 * * *", "0 2 1 * *", "0 2 29 2 *"])
def test_newest_time_is_found_however_long_ago(schedule: str) -> None:
    line, until = CronLine(schedule, "Europe/Berlin"), datetime(2026, 11, 23, 12, 30, 30, tzinfo=UTC)
    newest = line.newest_between(datetime(2020, 1, 1, tzinfo=UTC), until)
    assert newest
    following = line.next_after(newest)
    assert following
    assert newest <= until < following
    assert line.newest_between(newest, until) is None


def test_store_of_alarms_can_keep_it() -> None:
    line = pickle.loads(pickle.dumps(CronLine("0 2 * * *", "Africa/Kampala")))  # noqa: S301 - our own
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert line.get_next_fire_time(None, now) == datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert line.get_next_fire_time(datetime(2026, 11, 23, 23, tzinfo=UTC), now) == datetime(
        2026, 11, 24, 23, tzinfo=UTC
    )
