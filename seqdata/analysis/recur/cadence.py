"""How often something recurs, found from the days on which it happened.

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
from seqdata.analysis.recur.rows import Rows

#: The cadences, from short to long; a cadence is a position here.
CADENCES = (
    "weekly", "biweekly", "semimonthly", "monthly", "two-monthly", "quarterly", "half-yearly",
    "yearly",
)  # fmt: skip

#: The usual days from one occurrence to the next.
PERIOD_DAYS = np.array([7.0, 14.0, 15.2, 30.4, 60.9, 91.3, 182.6, 365.25])

#: The fewest occurrences that show a cadence. (Two a year apart need the same amount.)
FEWEST = np.array([5, 4, 5, 3, 3, 3, 3, 2])

#: Empty lines in a row that are a pause, and how many occurrences there are for each of these.
PAUSE, _ROWS_A_PAUSE = 3, 6

#: Mean days off the line that a long series without gaps may have, however short its period.
_LOOSE = 2.01

#: Mean days off the line that a short series may have, and one of six or more, however rare.
_CLOSE, _NEAR = 2.3, 4

#: So many that come once a period and no more do not do so by chance.
_MANY = 12

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

    def lines(self, days: Any) -> Any:
        """Return days as periods with a fraction."""
        return (days if self.unit == "days" else cal.in_months(days)) / self.step


_QUARTERLY = CADENCES.index("quarterly")

GRIDS = (
    Grid(0, "days", 7, 4.5, 10),
    Grid(1, "days", 14, 10.5, 18.5),
    Grid(2, "months", 0.5, 10.5, 18.5),
    Grid(3, "months", 1, 24, 37),
    Grid(3, "days", 28, 24, 37, 0.5),
    Grid(3, "days", 30, 24, 37, 0.5),
    Grid(4, "months", 2, 52, 70),
    Grid(_QUARTERLY, "months", 3, 80, 104),
    Grid(_QUARTERLY, "days", 90, 80, 104, 2.0),
    Grid(_QUARTERLY, "days", 91, 80, 104, 2.0),
    Grid(6, "months", 6, 168, 198),
    Grid(7, "months", 12, 345, 385),
    # Four times a year on the same dates, however far apart, as estimated taxes: of no usual gap.
    Grid(_QUARTERLY, "months", 1, np.inf, 0),
)
_SAME_DATES = len(GRIDS) - 1


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
        table = np.array([grid.cadence for grid in GRIDS] + [-1])
        return table[self.grid]

    @property
    def is_of_some_months(self) -> Any:
        """Tell which series come in some months of the year only."""
        return self.grid == _SAME_DATES

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
        close &= self.off <= np.where(is_short, _CLOSE, _NEAR)
        enough = self.count >= FEWEST[self.cadence]
        exact &= self.count >= (_MANY if strict else 0)
        return has_cadence & enough & (orderly & close | exact)


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
    for position, grid in enumerate(GRIDS):
        tried = (gaps >= grid.least) & (gaps <= grid.most) & (rows.counts >= FEWEST[grid.cadence])
        if tried.any():
            _try(best, position, grid, np.flatnonzero(tried), rows)
    _try_same_dates(best, rows, gaps)
    return best


def _try(best: Fit, position: int, grid: Grid, tried: Any, rows: Rows) -> None:
    some = rows.only(tried)
    values = grid.lines(some.days)
    phase = some.circular_mean(values)
    lines = np.rint(values - phase[some.owner])
    length = grid.step * (1 if grid.unit == "days" else cal.DAYS_A_MONTH)
    off = some.mean(np.abs(values - phase[some.owner] - lines)) * length
    filled = some.sum(np.append(True, np.diff(lines) != 0) | some.is_first)
    span = lines[some.last] - lines[some.starts] + 1 - _paused(lines, some)
    better = off + grid.handicap < best.off[tried]
    won = tried[better]
    best.grid[won] = position
    best.full[won] = (filled / span)[better]
    best.pure[won] = (filled / some.counts)[better]
    best.off[won] = (off + grid.handicap)[better]
    best.phase[won] = phase[better]


def _paused(lines: Any, some: Rows) -> Any:
    """Count the lines of each series that a few long pauses leave empty: they are not missed."""
    empty = (np.diff(lines, prepend=lines[:1]) - 1) * ~some.is_first
    is_pause = empty >= PAUSE
    few = some.sum(is_pause) * _ROWS_A_PAUSE <= some.counts
    return some.sum(empty * is_pause) * few


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
