"""Time inside the sandbox: whole microseconds since the epoch, days of New York."""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from seqdata.exceptions import InvalidMoment

NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Give the aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=at)


def utc_text(at: int) -> str:
    """Write an instant as the API does: milliseconds only where they are not zero."""
    seconds, rest = divmod(at, SECOND)
    parts = time.gmtime(seconds)
    text = (
        f"{parts.tm_year:04d}-{parts.tm_mon:02d}-{parts.tm_mday:02d}"
        f"T{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}"
    )
    return f"{text}.{rest // 1000:03d}Z" if rest else f"{text}Z"


def http_date(at: int) -> str:
    """Write an instant as the value of a ``Date`` header."""
    return format_datetime(moment(at - at % SECOND), usegmt=True)


@lru_cache(maxsize=32_768)
def midnight(day: date) -> int:
    """Give the instant at which a day of New York begins."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK))


def day_of(at: int) -> date:
    """Give the day of New York an instant belongs to."""
    return moment(at).astimezone(NEW_YORK).date()


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` through `last`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def months_before(day: date, months: int) -> date:
    """Give the same day some months earlier, or the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def has_clock_change(day: date) -> bool:
    """Whether New York's clocks are put forward or back on this day."""
    return midnight(day + timedelta(days=1)) - midnight(day) != 24 * HOUR


def parse_now(now: datetime | date | str | None) -> int:
    """Read the `now` of a sandbox; a date alone is 00:00 UTC, None the wall clock."""
    if now is None:
        return int(time.time()) * SECOND
    if isinstance(now, str):
        now = _parsed(now)
    if not isinstance(now, datetime):
        now = datetime(now.year, now.month, now.day, tzinfo=UTC)
    if now.tzinfo is None:
        raise InvalidMoment(f"{now.isoformat()} (without a time zone: add one, such as Z)")
    at = micros(now)
    return at - at % 1000


def _parsed(text: str) -> datetime | date:
    try:
        return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
    except ValueError:
        raise InvalidMoment(text) from None


def parse_bound(text: str, *, is_end: bool) -> int:
    """Read one end of a date range: a date alone covers its whole UTC day."""
    try:
        if len(text) == 10:
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return micros(day + timedelta(days=1)) - 1 if is_end else micros(day)
        bound = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not an ISO date or date-time: {text!r}") from None
    return micros(bound if bound.tzinfo else bound.replace(tzinfo=UTC))


def day_ends(points: list[tuple[int, int]], opening: int, days: list[date]) -> dict[str, int]:
    """Read a step function at the end of each day; `points` are (instant, value)."""
    times = [at for at, _ in points]
    ends: dict[str, int] = {}
    for day in days:
        seen = bisect_right(times, midnight(day + timedelta(days=1)) - 1)
        ends[day.isoformat()] = points[seen - 1][1] if seen else opening
    return ends
