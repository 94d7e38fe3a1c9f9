"""The rule by which a series comes back: found once from its days, and walked from then on.

A rule is a number of days from an anchor, or one or two days of every month, of every third
month ... It says in which months of the year it holds, and where a turn goes that falls on a day
without banks. Nothing else decides when something is due.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur import calendar_days as cal
from seqdata.analysis.recur.cadence import GRIDS, PERIOD_DAYS, Fit, Grid, fit
from seqdata.analysis.recur.rows import Rows

#: Every month of the year, as bits: January is 1.
ALL_YEAR = 0xFFF

#: The newest occurrences that a rule is read from.
_NEWEST = 26

_QUARTER = 91.3

#: The newest turns that can show another rule, the fewest and the share of them that only the new
#: one explains, and the share that may miss it.
NEWEST_FEW, _FEWEST_NEW, _NEW_RULE, _NEW_MISSES = (14, 9, 6, 4), 3, 0.3, 0.15

#: Of so few of its turns something came: a rule that is due less often, and explains what came,
#: is the new one.
_SPARSE = 0.6

#: A rest between seasons: in turns, at least so many days; and how far from a year they may be.
_REST_TURNS, _REST_DAYS, _SEASON_OFF = 3.5, 75, 30

#: Turns that may lie out of season, one after the other: a year of days.
_MOST_SKIPPED = 366

#: Occurrences that have to be explained by giving way to banks, and by another grid than the one
#: that fits best on average.
_TO_ROLL, _OTHER_GRID = 2, 1

_STAYS, _FOLLOWING, _PRECEDING = 0, 1, -1
_ROLLS = {"FOLLOWING": _FOLLOWING, "PRECEDING": _PRECEDING}
_WORDS = {way: f" ROLL:{word}" for word, way in _ROLLS.items()} | {_STAYS: ""}

_TEXT = re.compile(
    r"DTSTART:(?P<anchor>\d{8}) RRULE:FREQ=(?P<unit>DAILY|WEEKLY|MONTHLY)"
    r"(?:;INTERVAL=(?P<step>\d+))?(?:;BYMONTH=(?P<months>[\d,]+))?"
    r"(?:;BYMONTHDAY=(?P<days>[-\d,]+))?(?:;BYSETPOS=[-\d,]+)?(?: ROLL:(?P<roll>[A-Z]+))?"
)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Rule:
    """When each of some series is due: int64 arrays, one value a series.

    ``step`` counts days from the day ``anchor``; or, where ``first`` is a day of the month (31:
    its last day), months from the month ``anchor``. ``second`` is a later day of the same month,
    0 if there is none. ``months`` are the months of the year in which it holds, as bits. ``roll``
    is 1 where a day without banks gives way to the next banking day, -1 to the one before, else 0.

    A turn is a number: 0 is the anchor's.
    """

    step: Any
    anchor: Any
    first: Any
    second: Any
    months: Any
    roll: Any

    @property
    def cadence(self) -> Any:
        """Positions in CADENCES: the one whose usual period is nearest.

        Months of which no two are neighbours are dates, four times a year; others are a season.
        """
        days_apart = self.step * np.where(self.first > 0, cal.DAYS_A_MONTH, 1) / self._turns()
        days_apart = np.where(self._is_dated, _QUARTER, days_apart)
        return np.abs(np.log(days_apart[:, None] / PERIOD_DAYS)).argmin(axis=1)

    @property
    def is_seasonal(self) -> Any:
        """Tell which rules rest for months of each year."""
        return (self.months != ALL_YEAR) & ~self._is_dated

    @property
    def _is_dated(self) -> Any:
        months = self.months | (self.months & 1) << 12
        return (self.first > 0) & (months & months >> 1 == 0)

    def put(self, places: Any, other: Rule) -> None:
        """Put the rules of some series in the place of theirs."""
        for mine, values in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[places] = values

    def take(self, places: Any) -> Rule:
        """Return the rules of some series."""
        return Rule(*(values[places] for values in vars(self).values()))

    def nominal(self, turn: Any) -> Any:
        """Return the day of a turn of each series before it gives way to banks."""
        cycle, half = np.divmod(turn, self._turns())
        counted = self.anchor + self.step * cycle
        day = np.where(half > 0, self.second, np.maximum(self.first, 1))
        month = np.where(self.first > 0, counted, 0)
        return np.where(self.first > 0, cal.day_in(month, day), counted)

    def day(self, turn: Any) -> Any:
        """Return the day on which a turn of each series is due."""
        return cal.banking(self.nominal(turn), self.roll)

    def is_in_season(self, turn: Any) -> Any:
        """Tell whether a turn falls in a month in which the rule holds."""
        return (self.months >> cal.month_of(self.nominal(turn)) % 12) & 1 > 0

    def nearest(self, days: Any) -> Any:
        """Return the turn of each series that is due closest to a day, in season or not."""
        passed = np.where(self.first > 0, cal.month_of(days), days) - self.anchor
        start = passed // self.step * self._turns()
        best, least = start, np.full(np.shape(start), np.iinfo(np.int64).max)
        for turn in (start + more for more in range(-2, 4)):
            off = np.abs(self.day(turn) - days)
            best, least = np.where(off < least, turn, best), np.minimum(off, least)
        return best

    def nearest_to(self, rows: Rows) -> Any:
        """Return the turn that is due closest to each row of each series."""
        return self.take(rows.owner).nearest(rows.days)

    def next_turn(self, turn: Any, earliest: Any) -> Any:
        """Return the first turn in season, from a turn on, that is due on a day or later."""
        turn = np.maximum(turn, self.nearest(np.broadcast_to(earliest, np.shape(turn))) - 1)
        for _ in range(_MOST_SKIPPED):
            early = (self.day(turn) < earliest) | ~self.is_in_season(turn)
            if not early.any():
                break
            turn = turn + early
        return turn

    def texts(self) -> list[str]:
        """Return each rule in the words of iCalendar, on one line."""
        start = self.nominal(np.zeros(len(self.step), np.int64)).astype("datetime64[D]")
        facts = (start.astype(object), *(column.tolist() for column in vars(self).values()))
        return [_text(*one) for one in zip(*facts, strict=True)]

    def _turns(self) -> Any:
        return np.where(self.second > 0, 2, 1)


def read_rules(texts: Iterable[str]) -> Rule:
    """Read rules as :meth:`Rule.texts` writes them.

    Raises
    ------
    ValueError
        A text is no such rule.
    """
    facts = [_read(text) for text in texts]
    return Rule(*np.array(facts, np.int64).reshape(-1, 6).T)


def _text(
    start: date, step: int, _anchor: int, first: int, second: int, months: int, roll: int
) -> str:
    unit, days = "MONTHLY", ""
    if not first:
        unit, step = ("DAILY", step) if step % 7 else ("WEEKLY", step // 7)
    else:
        days = f";BYMONTHDAY={_month_days(first, second)}"
    every = "" if step == 1 else f";INTERVAL={step}"
    only = "" if months == ALL_YEAR else f";BYMONTH={_months_of(months)}"
    return f"DTSTART:{start:%Y%m%d} RRULE:FREQ={unit}{every}{only}{days}{_WORDS[roll]}"


def _months_of(months: int) -> str:
    return ",".join(str(month + 1) for month in range(12) if months >> month & 1)


def _month_days(first: int, second: int) -> str:
    """Write the days of the month; one that short months lack is the last of several there."""
    last = second or first
    before = f"{first}," if second else ""
    if last < 29:
        return f"{before}{last}"
    if last == 31:
        return f"{before}-1"
    ends = ",".join(str(day) for day in range(28, last + 1))
    return f"{before}{ends};BYSETPOS={'1,' if second else ''}-1"


def _read(text: str) -> tuple[int, ...]:
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rule of a series")
    start, step = date.fromisoformat(found["anchor"]), int(found["step"] or 1)
    roll = _ROLLS[found["roll"]] if found["roll"] else _STAYS
    months = [int(month) - 1 for month in (found["months"] or "").split(",") if month]
    mask = sum(1 << month for month in months) or ALL_YEAR
    if found["unit"] != "MONTHLY":
        step *= 7 if found["unit"] == "WEEKLY" else 1
        return step, (start - _EPOCH).days, 0, 0, mask, roll
    days = [int(day) % 32 for day in (found["days"] or str(start.day)).split(",")]
    first, last = days[0], days[-1]
    second = last if len(days) > 1 and first < 28 else 0
    return (
        step,
        start.year * 12 + start.month - 23641,
        first if second else last,
        second,
        mask,
        roll,
    )


def occurrences(series: pd.DataFrame, today: int, until: int) -> tuple[pd.DataFrame, Any]:
    """Return a row for each time that a series is due until a day, and those days.

    What was due before today comes on it.

    Parameters
    ----------
    series
        As :func:`seqdata.analysis.recurring` gives it.
    today, until
        Days from 1970-01-01; the last one is included.
    """
    going = series[series["is_active"] & series["next_date"].notna()]
    rule = read_rules(going["rule"])
    turn = rule.nearest(going["next_date"].to_numpy("datetime64[D]").astype(np.int64))
    turn = turn + np.arange((until - today) // 5 + 2)[:, None]
    day = rule.day(turn)
    turns, place = np.nonzero((day <= until) & rule.is_in_season(turn))
    return going.iloc[place].reset_index(drop=True), np.maximum(day[turns, place], today)


def find_rules(series: Rows) -> Rule:
    """Find the rule that the newest occurrences of each series keep to.

    Where the newest turns keep to another rule than those before, it is theirs.

    Parameters
    ----------
    series
        The days of each.
    """
    found = fit(series.days, series.starts)
    recent = series.newest(_NEWEST)
    rule = _fitting(recent, found)
    for length in NEWEST_FEW:
        few = recent.newest(length)
        missed, passed = _missed(rule, few)
        is_sparse = few.counts - 1 <= _SPARSE * passed
        least = max(_FEWEST_NEW, _NEW_RULE * length)
        tried = np.flatnonzero((recent.counts >= length) & ((missed >= least) | is_sparse))
        if len(tried):
            some = few.only(tried)
            other = fit(some.days, some.starts)
            fresh = _fitting(some, other)
            misses, _ = _missed(fresh, some)
            is_rarer = is_sparse[tried] & (fresh.cadence > rule.take(tried).cadence)
            better = (missed[tried] - misses >= least) | is_rarer
            better &= other.is_regular(strict=True) & (misses <= _NEW_MISSES * length)
            better |= (found.grid[tried] < 0) & (missed[tried] >= least)
            rule.put(tried[better], fresh.take(better))
    seasonal = np.flatnonzero(found.is_of_some_months | _is_seasonal(rule, series))
    if len(seasonal):
        rule.months[seasonal] = _months_seen(rule.take(seasonal), series.only(seasonal))
    return rule


def _missed(rule: Rule, rows: Rows) -> tuple[Any, Any]:
    """Return how many rows of each series missed their turn, and how many turns they span."""
    turn = rule.nearest_to(rows)
    missed = rows.sum(rule.take(rows.owner).day(turn) != rows.days)
    return missed, turn[rows.last] - turn[rows.starts]


def _fitting(recent: Rows, found: Fit) -> Rule:
    """Return the best rule of each series; without a grid, its median gap."""
    best = _Best(recent.series, 6)
    gaps = recent.median_gaps()
    for position, grid in enumerate(GRIDS):
        _offer(best, recent, grid, found.grid == position, 0)
    is_like = (found.grid >= 0) & ~found.is_of_some_months
    for position, grid in enumerate(GRIDS):
        other = (gaps >= grid.least) & (gaps <= grid.most) & (found.grid != position) & is_like
        _offer(best, recent, grid, other, _OTHER_GRID)
    rule = Rule(*best.kept)
    none = found.grid < 0
    rule.step[none] = np.maximum(gaps[none], 1)
    rule.anchor[none] = recent.days[recent.last][none]
    rule.months[none] = ALL_YEAR
    return rule


def _is_seasonal(rule: Rule, rows: Rows) -> Any:
    """Tell which series rest for months, and begin or end about a year after the time before."""
    apart = PERIOD_DAYS[rule.cadence] * _REST_TURNS
    gap = np.append(0, np.diff(rows.days))
    begins = ~rows.is_first & (gap > np.maximum(apart, _REST_DAYS)[rows.owner])
    stretch = np.flatnonzero(begins | rows.is_first)
    first, last = rows.days[stretch], rows.days[np.append(stretch[1:], len(gap)) - 1]
    owner = rows.owner[stretch]
    again = np.flatnonzero(np.diff(owner, prepend=-1) == 0)
    from_first = np.abs(first[again] - first[again - 1] - 365)
    # What came last may go on: it has not ended.
    has_ended = np.append(owner[1:] == owner[:-1], False)[again]
    from_last = np.where(has_ended, np.abs(last[again] - last[again - 1] - 365), from_first)
    off = np.minimum(from_first, from_last)
    is_late = np.bincount(owner[again], off > _SEASON_OFF, minlength=rows.series) > 0
    return (np.bincount(owner[again], minlength=rows.series) > 0) & ~is_late


def _months_seen(rule: Rule, rows: Rows) -> Any:
    """Return the months of the year in which turns of each series came, as bits."""
    month = cal.month_of(rule.take(rows.owner).nominal(rule.nearest_to(rows))) % 12
    seen = np.bincount(rows.owner * 12 + month, minlength=rows.series * 12) > 0
    return seen.reshape(-1, 12) @ (1 << np.arange(12))


def _offer(best: _Best, recent: Rows, grid: Grid, wanted: Any, handicap: int) -> None:
    """Offer the rules on a grid to those series that miss theirs more often than is allowed."""
    for roll in (_STAYS, _FOLLOWING, _PRECEDING):
        least = handicap + (_TO_ROLL if roll else 0)
        mine = np.flatnonzero(wanted & (best.least > least))
        if len(mine):
            facts, misses = _grid_rules(recent.only(mine), grid, roll)
            best.offer(facts, misses + least, mine)


def _grid_rules(rows: Rows, grid: Grid, roll: int) -> tuple[Any, Any]:
    """Return the facts of the best rule on a grid, as columns of Rule, and what misses it."""
    values = grid.lines(rows.days)
    phase = rows.circular_mean(values)
    line = np.rint(values - phase[rows.owner]).astype(np.int64)
    find = _by_days if grid.unit == "days" else _by_months
    found, misses = find(rows, phase, line, grid.step, roll)
    return np.array(np.broadcast_arrays(*found, ALL_YEAR, roll)), misses


def _by_days(rows: Rows, _phase: Any, line: Any, step: float, roll: int) -> tuple[Any, Any]:
    turn = line - line[rows.starts][rows.owner]
    left = rows.days - turn * int(step)
    base = left[rows.starts]
    best = _Best(rows.series, 1)
    for middle in (rows.mode, rows.median):
        anchor = base + middle(left - base[rows.owner])
        due = cal.banking(anchor[rows.owner] + int(step) * turn, roll)
        best.offer(anchor[None], _misses(rows, due))
    nothing = np.zeros(rows.series, np.int64)
    return (nothing + int(step), best.kept[0], nothing, nothing), best.least


def _by_months(rows: Rows, phase: Any, line: Any, step: float, roll: int) -> tuple[Any, Any]:
    """Find the day of the month; of two a month, that of each half."""
    whole = max(int(step), 1)
    parts = [(rows, phase * step)]
    if step < 1:
        parts = [(rows.where(line % 2 == half), (phase + half) * step) for half in (0, 1)]
    days, misses = zip(*(_best_day(*part, whole, roll) for part in parts), strict=True)
    ordered = np.sort(days, axis=0)
    month = _nominal_months(rows, ordered[0], whole)[rows.starts]
    second = ordered[1] if step < 1 else np.zeros(rows.series, np.int64)
    return (np.full(rows.series, whole), month, ordered[0], second), sum(misses)


def _best_day(rows: Rows, centre: Any, step: int, roll: int) -> tuple[Any, Any]:
    """Return the day of the month that most occurrences keep to, and what misses it."""
    often = rows.mode(cal.day_of_month(rows.days))
    by_phase = np.clip(np.rint((centre % 1) * cal.DAYS_A_MONTH + 0.5), 1, 31).astype(np.int64)
    best = _Best(rows.series, 1)
    for day in (often, *(np.full(rows.series, end) for end in (31, 30, 29)), by_phase):
        month = _nominal_months(rows, day, step)
        due = cal.banking(cal.day_in(month, day[rows.owner]), roll)
        best.offer(day[None], _misses(rows, due))
    return best.kept[0], best.least


def _nominal_months(rows: Rows, day: Any, step: int) -> Any:
    """Return the month in which each occurrence was due: every so many months, the usual ones."""
    month, _ = cal.nearest(rows.days, day[rows.owner])
    if step == 1:
        return month
    usual = rows.mode(month % step)[rows.owner]
    return usual + np.rint((month - usual) / step).astype(np.int64) * step


def _misses(rows: Rows, due: Any) -> Any:
    """Count the occurrences that came on another day, and a little for how far away it was."""
    off = np.abs(rows.days - due)
    return rows.sum((off > 0) + np.minimum(off, 10) / 10)


class _Best:
    """Of what was offered for each series, what misses the fewest occurrences."""

    def __init__(self, series: int, facts: int) -> None:
        self.least = np.full(series, np.inf)
        self.kept = np.zeros((facts, series), np.int64)

    def offer(self, facts: Any, misses: Any, places: Any = slice(None)) -> None:
        """Take what is better; of equals the first offered stays."""
        better = misses < self.least[places]
        self.kept[:, places] = np.where(better, facts, self.kept[:, places])
        self.least[places] = np.where(better, misses, self.least[places])
