"""Moments: UTC inside, a reporting zone at the edges.

The service sends ISO 8601 in UTC, with or without fractions of a second, and some fields are
dates alone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from seqdata.exceptions import InvalidMoment

#: What a person gives for a moment; a date alone begins in the reporting zone.
Moment: TypeAlias = str | date | datetime

#: The zone of the service's users' day, and the default of reports.
EASTERN = ZoneInfo("America/New_York")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")


def to_eastern(text: str | None) -> str | None:
    """Convert a UTC timestamp to America/New_York, as ISO text.

    Dates alone, times without a zone, empty, missing and unreadable values pass unchanged.
    """
    moment = parse_timestamp(text) if isinstance(text, str) else None
    try:
        return text if moment is None else moment.astimezone(EASTERN).isoformat()
    except OverflowError:  # in the first or last hours of what a datetime can hold
        return text


def micros(moment: datetime) -> int:
    """Count the microseconds from 1970 to a moment that has a zone."""
    return (moment - _EPOCH) // _TICK


def moment_of(count: int | None) -> datetime | None:
    """Return the moment of a count of microseconds, in UTC."""
    return None if count is None else _EPOCH + count * _TICK


def parse_timestamp(text: str) -> datetime | None:
    """Read an ISO timestamp that has a zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def parse_moment(value: str | date | datetime, zone: tzinfo) -> datetime:
    """Read what a person gives as ``since`` or ``until``, as a moment in UTC.

    Parameters
    ----------
    value
        A datetime; a date; or text: ``"2026"``, ``"2026-11"``, ``"2026-11-23"``, or an ISO
        date and time. What is less than a full moment means its first instant in `zone`;
        what carries no zone is of `zone`.

    Raises
    ------
    InvalidMoment
        The text is none of these.
    """
    moment = _moment(value)
    try:
        if moment.tzinfo is None and moment.time() == time():
            return day_start(moment.date(), zone)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise InvalidMoment(value) from None


@lru_cache(maxsize=2**16)
def day_start(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a day of a zone, in UTC.

    Where the clock skips midnight, the day begins where the clock lands, and a day that it skips
    whole begins and ends there. Where midnight comes twice, the day begins with the one that comes
    out of the day before.
    """
    first, second = (
        datetime(day.year, day.month, day.day, tzinfo=zone, fold=fold).astimezone(UTC)
        for fold in (0, 1)
    )
    if first < second:
        is_edge = (second - _TICK).astimezone(zone).date() < day
        return second if is_edge else first
    while first - second > _TICK:  # Midnight is skipped: the clock jumps between the two.
        middle = second + (first - second) // 2
        reached = middle.astimezone(zone).date() >= day
        first, second = (middle, second) if reached else (first, middle)
    return first


def _moment(value: str | date | datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if not isinstance(value, str):
        raise InvalidMoment(value)
    text = value.strip()
    try:
        if short := _YEAR_OR_MONTH.fullmatch(text):
            return datetime(int(short[1]), int(short[2] or 1), 1)
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidMoment(value) from None
