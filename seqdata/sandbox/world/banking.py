"""Banking days of the United States, and when an ACH movement settles."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from random import Random

from seqdata.sandbox.world.clock import HOUR, SECOND, day_of, midnight

#: Same-day ACH closes at 15:00 Eastern.
CUT_OFF = 15 * HOUR

_DAY = timedelta(days=1)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _observed(day: date) -> date:
    """Move Sunday holidays to Monday, and Saturday ones nowhere: so does the Federal Reserve."""
    return day + _DAY if day.weekday() == 6 else day


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[date]:
    """Give the days of a year on which the Federal Reserve is closed, weekends aside."""
    fixed = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)]
    return frozenset(
        [_observed(date(year, month, day)) for month, day in fixed]
        + [
            _nth_weekday(year, 1, 0, 3),
            _nth_weekday(year, 2, 0, 3),
            _last_monday_of_may(year),
            _nth_weekday(year, 9, 0, 1),
            _nth_weekday(year, 10, 0, 2),
            _nth_weekday(year, 11, 3, 4),
        ]
    )


@lru_cache(maxsize=32_768)
def is_banking_day(day: date) -> bool:
    """Whether banks settle on this day."""
    return day.weekday() < 5 and day not in holidays(day.year)


def add_banking_days(day: date, count: int) -> date:
    """Give the `count`-th banking day after `day`."""
    while count:
        day += _DAY
        count -= is_banking_day(day)
    return day


def _in_hours(day: date, first: int, last: int, rng: Random) -> int:
    return midnight(day) + rng.randrange(first * 3600, last * 3600) * SECOND


def _morning(day: date, rng: Random) -> int:
    return _in_hours(day, 8, 12, rng)


def settles_outside(at: int, rng: Random) -> int:
    """When money sent at `at` reaches an outside account: the same day, else 1 to 3 days."""
    day = day_of(at)
    if is_banking_day(day) and at < midnight(day) + CUT_OFF:
        return _in_hours(day, 17, 19, rng)
    return _morning(add_banking_days(day, rng.randint(1, 3)), rng)


def settles_inside(at: int, rng: Random) -> int:
    """When money pulled from an outside account arrives: 2 to 3 banking days."""
    return _morning(add_banking_days(day_of(at), rng.randint(2, 3)), rng)


def settles_liability(at: int, rng: Random) -> int:
    """When a direct payment of a liability is credited: 2 to 7 days, on a banking day."""
    start = day_of(at)
    days = [start + timedelta(days=n) for n in range(2, 8)]
    return _morning(rng.choice([day for day in days if is_banking_day(day)]), rng)


def settles_card(at: int, rng: Random) -> int:
    """When a card purchase is posted: early on the second or third banking day.

    Since there are purchases on every day, at any moment some are pending.
    """
    return _in_hours(add_banking_days(day_of(at), rng.randint(2, 3)), 4, 6, rng)
