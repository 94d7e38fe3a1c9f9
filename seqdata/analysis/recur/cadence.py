"""How often something recurs, found from the days on which it happened, and the day it is next due.

Everything here works on many series at once. Days are int64, counted from 1970-01-01; the rows
of a series stand together, in order of their days, and ``starts`` says where each begins.

A cadence is a grid with one line per period: seven days, a month, a year. A series is on it if
nearly every period holds exactly one occurrence (*full* and *pure*), close to its line. Chance
fills 63 % of the periods and puts the occurrences a quarter of a period off, on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqdata.analysis.recur import calendar_days as cal
from seqdata.analysis.recur.segments import Rows

#: The cadences, from short to long; a cadence is a position here.
CADENCES = ("weekly", "biweekly", "semimonthly", "monthly", "quarterly", "yearly")

#: The usual days from one occurrence to the next.
PERIOD_DAYS = np.array([7.0, 14.0, 15.2, 30.4, 91.3, 365.25])

#: The fewest occurrences that show a cadence. (Two a year apart need the same amount.)
FEWEST = np.array([5, 4, 5, 3, 3, 2])

#: Mean days off the line that a long series without gaps may have, however short its period.
_LOOSE = 2.01

#: Days by which an occurrence may be late before its turn counts as missed.
GRACE = 4


@dataclass(frozen=True)
class Grid:
    """A cadence, whether its lines are days or months apart, and the median gaps it is tried for.

    A wider `step` wins only where the calendar fits clearly worse: ``handicap``, in days.
    """

    cadence: int
    unit: str
    step: float
    least: float
    most: float
    handicap: float = 0.0


_GRIDS = (
    Grid(0, "days", 7, 4.5, 10),
    Grid(1, "days", 14, 10.5, 18.5),
    Grid(2, "months", 0.5, 10.5, 18.5),
    Grid(3, "months", 1, 24, 37),
    Grid(3, "days", 28, 24, 37, 0.5),
    Grid(3, "days", 30, 24, 37, 0.5),
    Grid(4, "months", 3, 80, 104),
    Grid(4, "days", 91, 80, 104, 2.0),
    Grid(5, "months", 12, 345, 385),
)
#: Four times a year on the same dates, however far apart: as the dates of estimated taxes.
_SAME_DATES = len(_GRIDS)


@dataclass(frozen=True)
class Fit:
    """The grid each series is closest to (-1: none), and how well it keeps to it.

    ``full`` is the share of periods that hold an occurrence, ``pure`` the share of occurrences
    that have a period of their own, ``off`` the mean days from the line; ``phase`` places the
    lines. All are arrays with one value a series.
    """

    grid: Any
    full: Any
    pure: Any
    off: Any
    phase: Any
    count: Any

    @property
    def cadence(self) -> Any:
        """Positions in CADENCES; -1 where there is none."""
        table = np.array([grid.cadence for grid in _GRIDS] + [4, -1])
        return table[self.grid]

    def is_regular(self, *, strict: bool = False) -> Any:
        """Tell which series recur. What is seen less than six times has to be closer."""
        has_cadence = self.grid >= 0
        period = PERIOD_DAYS[self.cadence]
        closeness = 1 - self.off / (period / 4)
        is_short = self.count < 6
        close = closeness >= (0.7 if strict else np.where(is_short, 0.7, 0.5))
        orderly = (self.full >= 0.8) & (self.pure >= 0.8)
        exact = (self.full >= 0.9) & (self.pure >= 0.9) & (self.count >= 8)
        exact &= self.off <= np.maximum(_LOOSE, 0.2 * period)
        enough = self.count >= FEWEST[self.cadence]
        return has_cadence & enough & (orderly & close | exact & (not strict))


def fit(days: Any, starts: Any) -> Fit:
    """Find the grid that each series is closest to."""
    rows = Rows(days, starts)
    best = Fit(
        grid=np.full(rows.series, -1),
        full=np.zeros(rows.series),
        pure=np.zeros(rows.series),
        off=np.full(rows.series, np.inf),
        phase=np.zeros(rows.series),
        count=rows.counts,
    )
    gaps = rows.median_gaps()
    for position, grid in enumerate(_GRIDS):
        tried = (gaps >= grid.least) & (gaps <= grid.most) & (rows.counts >= FEWEST[grid.cadence])
        if tried.any():
            _try(best, position, grid, np.flatnonzero(tried), rows)
    _try_same_dates(best, rows, gaps)
    return best


def _try(best: Fit, position: int, grid: Grid, tried: Any, rows: Rows) -> None:
    some = rows.only(tried)
    values = some.days / grid.step if grid.unit == "days" else cal.in_months(some.days) / grid.step
    phase = some.circular_mean(values)
    lines = np.rint(values - phase[some.owner])
    length = grid.step * (1 if grid.unit == "days" else cal.DAYS_A_MONTH)
    off = some.mean(np.abs(values - phase[some.owner] - lines)) * length
    filled = some.sum(np.append(True, np.diff(lines) != 0) | some.is_first)
    span = lines[some.last] - lines[some.starts] + 1
    better = off + grid.handicap < best.off[tried]
    won = tried[better]
    best.grid[won] = position
    best.full[won] = (filled / span)[better]
    best.pure[won] = (filled / some.counts)[better]
    best.off[won] = (off + grid.handicap)[better]
    best.phase[won] = phase[better]


def _try_same_dates(best: Fit, rows: Rows, gaps: Any) -> None:
    tried = np.flatnonzero((gaps >= 55) & (gaps <= 125) & (rows.counts >= 6) & (best.off > 5))
    if not len(tried):
        return
    some = rows.only(tried)
    later = np.minimum(np.arange(len(some.days)) + 4, len(some.days) - 1)
    has_later = some.owner[later] == some.owner
    has_later &= np.arange(len(some.days)) + 4 < len(some.days)
    off = np.abs(some.days[later] - some.days - 365.25) * has_later
    mean = some.sum(off) / some.sum(has_later)
    won = tried[(mean <= 6) & (mean < best.off[tried])]
    best.grid[won] = _SAME_DATES
    best.full[won] = best.pure[won] = 1
    best.off[won] = mean[np.isin(tried, won)]


def next_days(days: Any, starts: Any, found: Fit, today: int) -> tuple[Any, Any]:
    """Return the next day each series is due, and whether it still goes on.

    A series has stopped when nothing came for one and a half periods and GRACE days. A day of
    the last GRACE days is one that is due and has not been seen yet.

    Parameters
    ----------
    days, starts, found
        The series, each with a grid, and their fit.
    today
        The day of the last sync.
    """
    rows = Rows(days, starts)
    due = np.zeros(rows.series, np.int64)
    for position in np.unique(found.grid):
        chosen = np.flatnonzero(found.grid == position)
        some, phase = rows.only(chosen), found.phase[chosen]
        if position == _SAME_DATES:
            due[chosen] = _next_same_date(some, today)
        elif _GRIDS[position].unit == "days":
            due[chosen] = _next_line(some, phase, _GRIDS[position].step, today)
        else:
            due[chosen] = _next_month_day(some, phase, _GRIDS[position].step, today)
    longest = np.where(found.grid == _SAME_DATES, 123.0, PERIOD_DAYS[found.cadence])
    is_active = today - rows.days[rows.last] <= 1.5 * longest + GRACE
    return due, is_active


def _next_line(some: Rows, phase: Any, step: float, today: int) -> Any:
    """Of lines a number of days apart, give the first after the last occurrence's."""
    line = np.rint(some.days / step - phase[some.owner])
    anchor = some.median(some.days - np.rint(line * step).astype(np.int64))
    following = line[some.last] + 1
    earliest = np.ceil((today - GRACE - anchor) / step)
    return anchor + np.rint(np.maximum(following, earliest) * step).astype(np.int64)


def _next_same_date(some: Rows, today: int) -> Any:
    back = np.arange(4)[:, None]
    candidates = cal.add_months(some.days[some.last - back], 12)
    candidates = np.where(candidates >= today - GRACE, candidates, np.iinfo(np.int64).max)
    following = np.where(candidates > some.days[some.last], candidates, np.iinfo(np.int64).max)
    return following.min(axis=0)


def _next_month_day(some: Rows, phase: Any, step: float, today: int) -> Any:
    """Of lines a number of months apart, give the first after the last occurrence's.

    Of two lines a month, each has its own day of the month, and the earlier is next.
    """
    if step >= 1:
        return _next_of_day(some, phase * step, int(step), today, some.days[some.last])
    line = np.rint(cal.in_months(some.days) / step - phase[some.owner]).astype(np.int64)
    due = np.full(some.series, np.iinfo(np.int64).max)
    for half in (0, 1):
        mine = some.where(line % 2 == half)
        centre = (phase + half) * step
        after = some.days[some.last]
        due = np.minimum(due, _next_of_day(mine, centre, 1, today, after))
    return due


def _next_of_day(some: Rows, centre: Any, step: int, today: int, after: Any) -> Any:
    day = _day_of_month(some, centre)
    month, _ = cal.nearest(some.days, day[some.owner])
    roll = _weekend_roll(some, day)
    last = month[some.last]
    due = np.zeros(some.series, np.int64)
    is_open = np.ones(some.series, bool)
    # A turn that was missed is skipped; what goes on has missed few.
    for turn in range(1, 5):
        nominal = cal.day_in(last + turn * step, day)
        rolled = cal.rolled(nominal, roll)
        due = np.where(is_open, rolled, due)
        is_open &= (due < today - GRACE) | (due <= after)
    return due


def _day_of_month(some: Rows, centre: Any) -> Any:
    """Find the day of the month that the occurrences are closest to; 31 is the month's end."""
    by_phase = np.clip(np.rint((centre % 1) * cal.DAYS_A_MONTH + 0.5), 1, 31).astype(np.int64)
    candidates = [some.mode(cal.day_of_month(some.days)), np.full(some.series, 31), by_phase]
    best, least = candidates[0], np.full(some.series, np.inf)
    for day in candidates:
        _, off = cal.nearest(some.days, day[some.owner])
        total = some.sum(np.abs(off))
        best, least = np.where(total < least, day, best), np.minimum(total, least)
    return best


def _weekend_roll(some: Rows, day: Any) -> Any:
    """Tell where what falls on a weekend goes: 1 to the Monday, -1 to the Friday, 0 nowhere."""
    month, off = cal.nearest(some.days, day[some.owner])
    nominal = cal.day_in(month, day[some.owner])
    on_weekend = cal.weekday(nominal) >= 5
    landed = cal.weekday(some.days)
    to_monday = some.sum(on_weekend & (landed == 0) & (off > 0))
    to_friday = some.sum(on_weekend & (landed == 4) & (off < 0))
    needed = np.maximum(0.6 * some.sum(on_weekend), 2)
    return np.where(to_monday >= needed, 1, np.where(to_friday >= needed, -1, 0))
