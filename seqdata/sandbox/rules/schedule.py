"""When a scheduled rule is due: on days of UTC, at the hour of its start."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from seqdata.sandbox.rules.model import Scheduled
from seqdata.sandbox.rules.readings import Readings

_DAY = 24 * 3600 * 1_000_000


def due_at(trigger: Scheduled, day: date, readings: Readings) -> int | None:
    """Give the instant of a day of UTC at which a rule is due; None: it is not, that day."""
    start = _day_of(trigger.start_at)
    if day < start or not _is_day(trigger.schedule_type, start, day, readings):
        return None
    midnight = (day - date(1970, 1, 1)).days * _DAY
    return midnight + trigger.start_at % _DAY


@lru_cache(maxsize=1024)
def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000, UTC).date()


def _is_day(schedule: str, start: date, day: date, readings: Readings) -> bool:
    if schedule in ("DAILY", "ONE_TIME"):
        return schedule == "DAILY" or day == start
    if schedule in ("WEEKLY", "EVERY_OTHER_WEEK"):
        is_week = schedule == "WEEKLY" or day.isocalendar().week % 2 == 0
        return is_week and day.weekday() == start.weekday()
    if schedule == "MONTHLY":
        if day.day == start.day or day.day < 28 or readings.short_month == "skip":
            return day.day == start.day
        return day.day == monthrange(day.year, day.month)[1] < start.day
    if readings.bi_weekly == "14_days":
        return (day - start) % timedelta(days=14) == timedelta(0)
    return day.day in (1, 15)


def cron(trigger: Scheduled) -> str:
    """Write a schedule as the web application does: minute, hour, day, month, day of the week."""
    start = datetime.fromtimestamp(trigger.start_at // 1_000_000, UTC)
    days = {
        "ONE_TIME": f"{start.day} {start.month} *",
        "DAILY": "* * *",
        "BI_WEEKLY": "1,15 * *",
        "MONTHLY": f"{start.day} * *",
    }
    week = f"* * {start.isoweekday() % 7}"
    return f"{start.minute} {start.hour} {days.get(trigger.schedule_type, week)}"
