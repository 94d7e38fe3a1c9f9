"""Words that a person says for a day or a period, as the ISO text that they mean.

``in_iso("last month", day)`` is ``"2026-10"``: what reads ISO text reads these words too, and what
comes back shows what they were taken for. Weeks begin on Mondays. What could mean two things
("10/11", "next Friday") is no word here.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_UNITS = {"day": 0, "week": 0, "month": 1, "quarter": 3, "year": 12}
_NEAR = {"today": 0, "yesterday": -1, "tomorrow": 1}
_SIDE = {"last": -1, "previous": -1, "this": 0, "current": 0, "next": 1}
_COUNTS = {"a": 1, "an": 1, "one": 1}

_UNIT = rf"(?P<unit>{'|'.join(_UNITS)})"
_MONTH = r"(?P<month>[a-z]{3,9})"
_FORMS = {
    "near": rf"(?P<word>{'|'.join(_NEAR)})",
    "side": rf"(?P<side>{'|'.join(_SIDE)}) {_UNIT}",
    "back": rf"(?:(?:last|past) )?(?P<count>\d{{1,4}}|a|an|one) {_UNIT}s?(?: ago)?",
    "month": rf"{_MONTH}(?: (?P<year>\d{{4}}))?",
    "day": rf"(?:{_MONTH} (?P<first>\d{{1,2}})|(?P<second>\d{{1,2}}) (?P<after>[a-z]{{3,9}}))"
    r"(?: (?P<year>\d{4}))?",
    "quarter": r"(?:(?P<before>\d{4})[- ]?)?q(?P<quarter>[1-4])(?: (?P<year>\d{4}))?",
}


def in_iso(words: str, today: date) -> str:
    """Return the ISO text that words mean on a day; text that is none of the words, as it is.

    Parameters
    ----------
    words
        "today", "yesterday", "tomorrow"; "this month", "last week", "next quarter"; "12 months",
        "last 30 days", "a year ago": the day so long before; "October", "Oct 2025", "October 5":
        without a year the newest that has begun; "Q3", "Q3 2025".
    today
        The day on which they are said.

    Returns
    -------
    str
        Such as "2026", "2026-Q3", "2026-10", "2026-W40" or "2026-10-05".
    """
    said = " ".join(words.lower().replace(",", " ").split())
    for form, pattern in _FORMS.items():
        if found := re.fullmatch(pattern, said, re.ASCII):
            try:
                meant = _READERS[form](found, today)
            except (ValueError, OverflowError):  # a day that is none, or beyond the years
                return words
            return words if meant is None else meant
    return words


def _near(found: re.Match[str], today: date) -> str:
    return (today + timedelta(days=_NEAR[found["word"]])).isoformat()


def _side(found: re.Match[str], today: date) -> str:
    return _period(found["unit"], _moved(today, found["unit"], _SIDE[found["side"]]))


def _back(found: re.Match[str], today: date) -> str:
    count = _COUNTS.get(found["count"]) or int(found["count"])
    return _moved(today, found["unit"], -count).isoformat()


def _month(found: re.Match[str], today: date) -> str | None:
    month = _month_of(found["month"])
    if month is None:
        return None
    return _period("month", _newest(found["year"], today, lambda year: date(year, month, 1)))


def _day(found: re.Match[str], today: date) -> str | None:
    month = _month_of(found["month"] or found["after"])
    if month is None:
        return None
    day = int(found["first"] or found["second"])
    return _newest(found["year"], today, lambda year: date(year, month, day)).isoformat()


def _quarter(found: re.Match[str], today: date) -> str | None:
    if found["before"] and found["year"]:
        return None
    month = int(found["quarter"]) * 3 - 2
    year = found["before"] or found["year"]
    return _period("quarter", _newest(year, today, lambda year: date(year, month, 1)))


_READERS: dict[str, Callable[[re.Match[str], date], str | None]] = {
    "near": _near, "side": _side, "back": _back, "month": _month, "day": _day, "quarter": _quarter,
}  # fmt: skip


def _month_of(word: str) -> int | None:
    return next((n for n, name in enumerate(_MONTHS, 1) if name.startswith(word)), None)


def _newest(year: str | None, today: date, day_of: Callable[[int], date]) -> date:
    """Return a day of the year that was said, else of the newest year in which it has begun."""
    if year is not None:
        return day_of(int(year))
    this_year = day_of(today.year)
    return this_year if this_year <= today else day_of(today.year - 1)


def _moved(day: date, unit: str, count: int) -> date:
    """Return the day so many units later; of a month that is too short, its last one."""
    if not _UNITS[unit]:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * _UNITS[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _period(unit: str, day: date) -> str:
    if unit == "week":
        return "{:04}-W{:02}".format(*day.isocalendar()[:2])
    iso = day.isoformat()
    quarter = f"{iso[:4]}-Q{(day.month + 2) // 3}"
    return {"day": iso, "month": iso[:7], "quarter": quarter, "year": iso[:4]}[unit]
