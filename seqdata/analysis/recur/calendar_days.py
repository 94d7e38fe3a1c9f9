"""Days as int64 from 1970-01-01, and their months: counted from January 1970, as int64 too."""

from __future__ import annotations

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
    best, off = month, days - day_in(month, day)
    for other in (month - 1, month + 1):
        distance = days - day_in(other, day)
        closer = np.abs(distance) < np.abs(off)
        best, off = np.where(closer, other, best), np.where(closer, distance, off)
    return best, off


def rolled(days: Any, roll: Any) -> Any:
    """Move weekends to the Monday after (`roll` 1) or the Friday before (-1), or nowhere (0)."""
    over = weekday(days) - 4
    moved = np.where(roll > 0, 3 - over, np.where(roll < 0, -over, 0))
    return np.where(over > 0, days + moved, days)
