"""Days, weeks, months, quarters and years of the reporting zone: what a period is.

A day is what lies between two midnights of the zone, so days have 23 or 25 hours where clocks
change, and a day that the zone skipped has none: it is no day. Everything that counts by days asks
here, so that a movement is of the same day in every table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from seqdata.core.moments import day_start
from seqdata.exceptions import InvalidFilter

#: A length of time, as a person says it.
Freq: TypeAlias = Literal["day", "week", "month", "quarter", "year"]

#: These words, and the numpy unit each is counted in.
FREQUENCIES = {"day": "D", "week": "W", "month": "M", "quarter": "M", "year": "Y"}

#: How a period is written.
EXAMPLES = ("2026", "2026-Q3", "2026-10", "2026-W40", "2026-10-05")

_PATTERNS = {
    "year": r"(\d{4})",
    "quarter": r"(\d{4})-Q([1-4])",
    "month": r"(\d{4})-(\d{2})",
    "week": r"(\d{4})-W(\d{2})",
    "day": r"(\d{4})-(\d{2})-(\d{2})",
}

#: numpy counts weeks from 1970-01-01, a Thursday; ours begin on Mondays.
_MONDAY = 3
_DAY = np.timedelta64(1, "D")


def check_frequency(freq: str) -> str:
    """Return `freq`, or raise :class:`InvalidFilter` that names the choices."""
    if not isinstance(freq, str) or freq not in FREQUENCIES:
        raise InvalidFilter("freq", freq, list(FREQUENCIES))
    return freq


# -- one period --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """A day, week, month, quarter or year, by its first day."""

    freq: str
    first: date

    @classmethod
    def read(cls, name: str, value: Any, choices: Iterable[str] = EXAMPLES) -> Period:
        """Read "2026", "2026-Q3", "2026-10", "2026-W40", "2026-10-05" or a date.

        Raises
        ------
        InvalidFilter
            It is none of these; `name` is what was asked for, `choices` what may be said.
        """
        if isinstance(value, datetime):
            value = value.date()
        text = value.isoformat() if isinstance(value, date) else str(value).strip()
        for freq, pattern in _PATTERNS.items():
            if found := re.fullmatch(pattern, text, re.ASCII):
                try:
                    return cls(freq, _first_day(freq, *map(int, found.groups())))
                except ValueError:
                    break
        raise InvalidFilter(name, value, list(choices))

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.shifted(1).first

    def shifted(self, count: int) -> Period:
        """Return the period so many after it, or before it."""
        start = np.datetime64(self.first, "D")
        if self.freq in ("day", "week"):
            moved = start + count * (7 if self.freq == "week" else 1)
        else:
            months = count * {"month": 1, "quarter": 3, "year": 12}[self.freq]
            moved = (start.astype("datetime64[M]") + months).astype("datetime64[D]")
        return Period(self.freq, moved.item())

    def year_before(self) -> Period:
        """Return the same period of the year before: of Feb 29 the 28th, of week 53 the 52nd."""
        if self.freq == "week":
            year, week, _ = self.first.isocalendar()
            last = date(year - 1, 12, 28).isocalendar().week
            return Period("week", date.fromisocalendar(year - 1, min(week, last), 1))
        leap = (self.first.month, self.first.day) == (2, 29)
        day = 28 if leap else self.first.day
        return Period(self.freq, date(self.first.year - 1, self.first.month, day))

    def __str__(self) -> str:
        day = self.first.isoformat()
        if self.freq == "week":
            return "{:04}-W{:02}".format(*self.first.isocalendar()[:2])
        quarter = f"{day[:4]}-Q{(self.first.month + 2) // 3}"
        return {"day": day, "month": day[:7], "quarter": quarter, "year": day[:4]}[self.freq]


def _first_day(freq: str, year: int, part: int = 1, day: int = 1) -> date:
    if freq == "week":
        return date.fromisocalendar(year, part, 1)
    return date(year, part * 3 - 2 if freq == "quarter" else part, day)


# -- all of a span -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Periods:
    """Neighbouring periods of a zone, of which none is empty.

    ``first_days`` are naive days (``datetime64[us]``); ``starts`` their first instants in UTC,
    and the end of the last one.
    """

    first_days: Any
    starts: Any

    @classmethod
    def between(cls, first: Any, last: Any, freq: str, zone: tzinfo) -> Periods:
        """Return those from the one of a UTC moment to the one of another (``datetime64``)."""
        # A clock that comes back over midnight shows a day that has not begun for good.
        begin, end = _local_day(first, zone) - _DAY, _local_day(last, zone)
        days = period_range(begin, end, freq)
        after = Period(freq, days[-1].astype("datetime64[D]").item()).end
        days = np.append(days, np.datetime64(after, "us"))
        starts = day_begins(days, zone)
        keep = np.flatnonzero((starts[:-1] < starts[1:]) & (starts[1:] > first))
        return cls(days[keep], starts[np.append(keep, keep[-1] + 1)])

    def part(self, first: Any, last: Any) -> Periods:
        """Return those of them from the one of a UTC moment to the one of another."""
        begin, end = np.searchsorted(self.starts, [first, last], side="right") - 1
        chosen = slice(max(begin, 0), end + 1)
        return Periods(self.first_days[chosen], self.starts[chosen.start : end + 2])

    @classmethod
    def of(cls, moments: Any, freq: str, zone: tzinfo) -> Periods:
        """Return those from the first to the last of some UTC moments; NaT are left out."""
        known = moments[~np.isnat(moments)]
        check_frequency(freq)
        if not len(known):
            return cls(np.array([], "datetime64[us]"), np.array([], "datetime64[us]"))
        return cls.between(known.min(), known.max(), freq, zone)

    def places(self, moments: Any) -> Any:
        """Return in which of them each UTC moment lies; -1 of NaT, and outside."""
        found = np.searchsorted(self.starts, moments, side="right") - 1
        return np.where(found >= len(self.first_days), -1, found)


def period_starts(moments: pd.Series[Any], freq: str) -> pd.Series[Any]:
    """Return the first day of the period that each moment lies in.

    Parameters
    ----------
    moments
        tz-aware (days are those of its zone) or naive; NaT stays NaT.
    freq
        "day", "week" (from Monday), "month", "quarter" or "year".

    Returns
    -------
    Series
        Naive ``datetime64[us]`` at midnight, with the index of `moments`.
    """
    if moments.dt.tz is None:
        local = moments.to_numpy("datetime64[us]")
        return pd.Series(_starts(local, check_frequency(freq)), index=moments.index)
    utc = moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    periods = Periods.of(utc, freq, moments.dt.tz)
    days = np.append(periods.first_days, np.datetime64("NaT", "us"))
    return pd.Series(days[periods.places(utc)], index=moments.index)


def period_range(first: Any, last: Any, freq: str) -> Any:
    """Return the first days of all periods from the one of `first` to the one of `last`.

    Both are naive days; the result is an array of ``datetime64[us]``.
    """
    ends = _starts(np.array([first, last], dtype="datetime64[us]"), check_frequency(freq))
    if freq == "quarter":
        first_month, last_month = ends.astype("datetime64[M]")
        return np.arange(first_month, last_month + 1)[::3].astype("datetime64[us]")
    if freq == "week":
        return np.arange(ends[0], ends[1] + 1, np.timedelta64(7, "D")).astype("datetime64[us]")
    start, stop = ends.astype(f"datetime64[{FREQUENCIES[freq]}]")
    return np.arange(start, stop + 1).astype("datetime64[us]")


def day_ends(days: Any, zone: Any) -> Any:
    """Return the last microsecond of each naive day of a zone, as UTC ``datetime64[us]``."""
    return day_begins(days + _DAY, zone) - np.timedelta64(1, "us")


def day_begins(days: Any, zone: tzinfo) -> Any:
    """Return the first instant of each naive day of a zone, as UTC ``datetime64[us]``."""
    known, places = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    found = [day_start(day, zone).replace(tzinfo=None) for day in known.tolist()]
    return np.array(found, "datetime64[us]")[places]


def _local_day(moment: Any, zone: tzinfo) -> Any:
    local = pd.Timestamp(moment, tz="UTC").tz_convert(zone)
    return np.datetime64(local.date(), "us")


def _starts(local: Any, freq: str) -> Any:
    if freq == "week":
        days = local.astype("datetime64[D]")
        weekday = (days.astype(np.int64) + _MONDAY) % 7
        return (days - np.where(np.isnat(days), 0, weekday)).astype("datetime64[us]")
    if freq == "quarter":
        months = local.astype("datetime64[M]")
        rest = np.where(np.isnat(months), 0, months.astype(np.int64) % 3)
        return (months - rest).astype("datetime64[us]")
    return local.astype(f"datetime64[{FREQUENCIES[freq]}]").astype("datetime64[us]")
