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

from seqdata.core.spoken import in_iso
from seqdata.exceptions import InvalidMoment

#: What a person gives for a moment; a date alone begins in the reporting zone.
Moment: TypeAlias = str | date | datetime

#: The zone of the service's users' day, and the default of reports.
EASTERN = ZoneInfo("America/New_York")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}|Q[1-4]|W\d{2}))?", re.ASCII)


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


def parse_moment(
    value: str | date | datetime, zone: tzinfo, now: datetime | None = None
) -> datetime:
    """Read what a person gives as ``since`` or ``until``, as a moment in UTC.

    Parameters
    ----------
    value
        A datetime; a date; or text: ``"2026"``, ``"2026-Q4"``, ``"2026-11"``, ``"2026-W48"``,
        ``"2026-11-23"``, an ISO date and time, or words of :func:`seqdata.core.spoken.in_iso`,
        such as ``"last month"``. What is less than a full moment means its first instant in
        `zone`; what carries no zone is of `zone`.
    now
        When the words are said; by default by this machine's clock.

    Raises
    ------
    InvalidMoment
        The text is none of these.
    """
    if isinstance(value, str):
        value = iso_text(value, zone, now)
    moment = _moment(value)
    try:
        if moment.tzinfo is None and moment.time() == time():
            return day_start(moment.date(), zone)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise InvalidMoment(value) from None


def iso_text(words: str, zone: tzinfo, now: datetime | None = None) -> str:
    """Return the ISO text that words mean at a moment, which is now where none is given."""
    return in_iso(words, (now or datetime.now(UTC)).astimezone(zone).date())


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
        if period := _PERIOD.fullmatch(text):
            return datetime.combine(_first_day(int(period[1]), period[2] or "01"), time())
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidMoment(value) from None


def _first_day(year: int, part: str) -> date:
    """Return the first day of a month, a quarter ("Q4") or a week ("W48") of a year."""
    if part.startswith("W"):
        return date.fromisocalendar(year, int(part[1:]), 1)
    return date(year, int(part[1:]) * 3 - 2 if part.startswith("Q") else int(part), 1)
