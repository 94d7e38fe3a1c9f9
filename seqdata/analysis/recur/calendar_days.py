"""Days as int64 from 1970-01-01, and their months: counted from January 1970, as int64 too."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

#: The mean length of a month.
DAYS_A_MONTH = 30.4375


def month_of(days: Any) -> Any:
    """Return the month of each day."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_day(months: Any) -> Any:
    """Return the first day of each month."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def day_of_month(days: Any) -> Any:
    """Return the day of the month, from 1."""
    return days - first_day(month_of(days)) + 1


def weekday(days: Any) -> Any:
    """Return the day of the week: Monday is 0."""
    return (days + 3) % 7


def day_in(months: Any, day: Any) -> Any:
    """Return a day of each month, or its last day where the month is shorter."""
    return np.minimum(first_day(months) + day - 1, first_day(months + 1) - 1)


def add_months(days: Any, months: Any) -> Any:
    """Return the same day of another month, or its last day where that is shorter."""
    return day_in(month_of(days) + months, day_of_month(days))


def in_months(days: Any) -> Any:
    """Return days as months with a fraction: the middle of the 15th of 30 days is .4833."""
    months = month_of(days)
    first, following = first_day(months), first_day(months + 1)
    return months + (days - first + 0.5) / (following - first)


def nearest(days: Any, day: Any) -> tuple[Any, Any]:
    """Return the month whose given day is nearest, and how many days after that it is."""
    month = month_of(days)
    here = days - day_in(month, day)
    other = month + np.sign(here)
    there = days - day_in(other, day)
    closer = np.abs(there) < np.abs(here)
    return np.where(closer, other, month), np.where(closer, there, here)


def banking(days: Any, roll: Any) -> Any:
    """Move days without banks to the next banking day (`roll` 1) or the one before (-1), or not."""
    if np.ndim(roll) == 0 and roll == 0:
        return days
    days, roll = np.broadcast_arrays(days, roll)
    moved = days.copy()
    ways: tuple[tuple[int, Any], ...] = ((1, "following"), (-1, "preceding"))
    for way, word in ways:
        dates = days[roll == way].astype("datetime64[D]")
        there = np.busday_offset(dates, 0, roll=word, busdaycal=_banking_days())
        moved[roll == way] = there.astype(np.int64)
    return moved


#: Holidays of the Federal Reserve on a weekday: month, the earliest day it can be, weekday.
_ON_WEEKDAYS = ((1, 15, 0), (2, 15, 0), (5, 25, 0), (9, 1, 0), (10, 8, 0), (11, 22, 3))
#: Those on a date: on a Sunday the Monday is free, on a Saturday no other day is.
_ON_DATES = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_JUNE_19_SINCE = 2022 - 1970


@cache
def _banking_days() -> np.busdaycalendar:
    """Return the days on which the Federal Reserve settles, from 1970 to 2199."""
    years = np.arange(230)
    free = []
    for month, earliest, wanted in _ON_WEEKDAYS:
        start = first_day(years * 12 + month - 1) + earliest - 1
        free.append(start + (wanted - weekday(start)) % 7)
    for month, day in _ON_DATES:
        since = years[_JUNE_19_SINCE:] if month == 6 else years
        dates = first_day(since * 12 + month - 1) + day - 1
        free.append(dates + (weekday(dates) == 6))
    return np.busdaycalendar(holidays=np.concatenate(free).astype("datetime64[D]"))
