"""Moments: UTC inside, a reporting zone at the edges.

The service sends ISO 8601 in UTC, with or without fractions of a second, and some fields are
dates alone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
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
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidMoment(value) from None


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
