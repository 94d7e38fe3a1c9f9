"""What a series costs: its price now, the one before, and the amounts that come next.

The next amount is as usual, as lately, by its trend, or by its season: whichever would have
predicted the series' own past best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur.rows import Rows

#: Turns of a series that are looked at; those that the usual amount is the median of, those that
#: are lately, and those that say the trend.
_TURNS, _USUAL, _LATELY, _TREND = 30, 13, 3, 6

#: The last turns that each way would have had to predict, and the fewest that show it.
_TRIED, _FEWEST = 8, 4

#: How much better than the usual amount another way has to be.
_BETTER = 0.75

#: A trend's least and largest step; a year's.
_STEP, _YEAR = (0.8, 1.25), (0.5, 2.0)

#: Days that the turn of a year ago may be off.
_NEAR = 16

#: A spread, from the 10th to the 90th percentile, in mean errors.
_WIDTH = 1.6

#: Amounts that spread less than this share of the usual one are a price.
_PRICE = 0.02

_USUALLY, _LATELY_WAY = range(2)


#: The share of occurrences that repeat the amount before or after, from which a price is fixed.
_FIXED = 0.6


def stable_levels(cents: Any, series: Rows) -> tuple[Any, Any]:
    """Return the row at which each series' present price begins, and the price before (-1: none).

    A fixed price changes when another amount comes, and comes again or is the latest: one odd
    amount in between is no change. Where amounts vary, the level changed if at least three
    occurrences, up to the latest, lie apart from all before them, by more than either part
    spreads.
    """
    runs = _runs(cents, series)
    lengths = np.bincount(runs)[runs]
    is_fixed = series.mean(lengths >= 2) >= _FIXED
    fixed, before = _last_step(
        cents, series, (lengths >= 2) | (runs == runs[series.last][series.owner])
    )
    varied, median = _last_gap(cents, series)
    begin, previous = np.where(is_fixed, fixed, varied), np.where(is_fixed, before, median)
    return begin, previous


def quantile(values: Any, series: Rows, share: float) -> Any:
    """Return a quantile of each series, interpolated as :func:`numpy.quantile` does."""
    ordered = values[np.lexsort((values, series.owner))]
    place = series.starts + share * (series.counts - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, series.last)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _runs(cents: Any, series: Rows) -> Any:
    """Return the numbers of the runs of equal amounts."""
    begins = np.diff(cents, prepend=0) != 0
    return np.cumsum(begins | series.is_first) - 1


def _last_step(cents: Any, series: Rows, counted: Any) -> tuple[Any, Any]:
    places = np.flatnonzero(counted)
    owner, values = series.owner[places], cents[places]
    same = np.append(False, owner[1:] == owner[:-1])
    changes = np.flatnonzero(same & (np.diff(values, prepend=0) != 0))
    begin, previous = series.starts.copy(), np.full(series.series, -1)
    # Of several changes of a series, the last assignment holds.
    begin[owner[changes]] = places[changes]
    previous[owner[changes]] = values[changes - 1]
    return begin, previous


def _last_gap(cents: Any, series: Rows) -> tuple[Any, Any]:
    low, high = _running(cents, series.owner)
    low_after, high_after = (values[::-1] for values in _running(cents[::-1], series.owner[::-1]))
    place = np.arange(len(cents)) - series.starts[series.owner]
    low, high = np.append(0, low[:-1]), np.append(0, high[:-1])
    gap = np.maximum(low_after - high, low - high_after)
    spread = np.maximum(high - low, high_after - low_after)
    left = series.counts[series.owner] - place
    changes = np.flatnonzero((place >= 3) & (left >= 3) & (gap > 0) & (gap >= spread))
    begin, previous = series.starts.copy(), np.full(series.series, -1)
    begin[series.owner[changes]] = changes
    has_changed = begin > series.starts
    if has_changed.any():
        past = np.arange(len(cents)) < begin[series.owner]
        middle = quantile(cents[series.kept(past)], series.where(past), 0.5)
        previous[has_changed] = np.rint(middle[has_changed]).astype(np.int64)
    return begin, previous


def _running(cents: Any, owner: Any) -> tuple[Any, Any]:
    """Return the least and the most amount of each series up to each row."""
    groups = pd.Series(cents).groupby(owner, sort=False)
    return groups.cummin().to_numpy(), groups.cummax().to_numpy()


@dataclass(frozen=True)
class _Turns:
    """The last turns of some series, the newest in the last column: days and cents, NaN before."""

    days: Any
    cents: Any

    def until(self, back: int) -> _Turns:
        """Return them without the last ones."""
        width = self.days.shape[1] - back
        return _Turns(self.days[:, :width], self.cents[:, :width])


def with_amounts(due: pd.DataFrame, turns: Rows, cents: Any, number: Any) -> pd.DataFrame:
    """Return what is due with the amount that is expected of each turn, and its spread.

    Parameters
    ----------
    due
        A row for each turn that a series is due, with its facts, ``number`` and ``day``.
    turns, cents, number
        As a :class:`seqdata.analysis.recur.recurring.Series` has them.
    """
    varies = due["spread_cents"] > _PRICE * due["usual_cents"]
    place = np.flatnonzero(varies.to_numpy(bool, na_value=False))
    if not len(place):
        return due
    asked, mine = np.unique(due["number"].to_numpy()[place], return_inverse=True)
    past = _newest(turns, cents, np.searchsorted(number, asked))
    way, error = _best(past)
    day = due["day"].to_numpy(np.float64)[place]
    ahead = pd.Series(day).groupby(mine).rank(method="first").to_numpy(np.float64)
    chosen = _Turns(past.days[mine], past.cents[mine])
    said = np.array(_ways(chosen, day, ahead))[way[mine], np.arange(len(mine))]
    is_other = (way[mine] != _USUALLY) & np.isfinite(said)
    usual, spread = (
        due[name].to_numpy(np.float64, na_value=0) for name in ("usual_cents", "spread_cents")
    )
    usual[place[is_other]] = said[is_other]
    spread[place[is_other]] = _WIDTH * error[mine][is_other]
    return due.assign(
        usual_cents=pd.array(np.rint(usual).astype(np.int64), dtype="Int64"),
        spread_cents=pd.array(np.rint(spread).astype(np.int64), dtype="Int64"),
    )


def _newest(turns: Rows, cents: Any, places: Any) -> _Turns:
    """Return the last turns of some of the series."""
    place = turns.last[places][:, None] - np.arange(_TURNS - 1, -1, -1)
    is_known = place >= turns.starts[places][:, None]
    place = np.maximum(place, 0)
    return _Turns(*(np.where(is_known, one[place], np.nan) for one in (turns.days, cents)))


def _best(turns: _Turns) -> tuple[Any, Any]:
    """Return the way that would have predicted each series' last turns best, and its mean error."""
    errors = []
    for back in range(1, _TRIED + 1):
        before, day, came = turns.until(back), turns.days[:, -back], turns.cents[:, -back]
        errors.append([np.abs(one - came) for one in _ways(before, day, np.ones(len(day)))])
    off = np.array(errors)
    times = np.isfinite(off).sum(axis=0)
    mean = _mean(off, off)
    # Over the turns that a way had something to say of, it is compared with the simpler ones.
    usual, lately = (_mean(off[:, [simple]], off) for simple in (_USUALLY, _LATELY_WAY))
    against = np.minimum(usual, np.where(times[_LATELY_WAY] >= _FEWEST, lately, np.inf))
    against[_LATELY_WAY] = usual[_LATELY_WAY]
    ratio = np.where(times >= _FEWEST, mean / np.maximum(against, 1), np.inf)
    ratio[_USUALLY] = _BETTER
    way = ratio.argmin(axis=0)
    return way, mean[way, np.arange(len(way))]


def _mean(off: Any, said: Any) -> Any:
    """Return the mean error over the turns that each way had something to say of."""
    is_said = np.isfinite(said) & np.isfinite(off)
    return np.where(is_said, off, 0).sum(axis=0) / np.maximum(is_said.sum(axis=0), 1)


def _ways(turns: _Turns, day: Any, ahead: Any) -> list[Any]:
    """Return what each way says of a day, so many turns after the last one; NaN where nothing."""
    cents = turns.cents
    with np.errstate(all="ignore"):
        steps = cents[:, -_TREND:] / cents[:, -_TREND - 1 : -1]
        step = np.clip(_median(steps), *_STEP)
        ago = _year_before(turns, day)
        lately = [_year_before(turns, turns.days[:, -one]) for one in range(1, _LATELY + 1)]
        years = [cents[:, -one - 1] / value for one, value in enumerate(lately)]
        year = np.clip(_median(np.array(years).T), *_YEAR)
    return [
        _median(cents[:, -_USUAL:]),
        _median(cents[:, -_LATELY:]),
        cents[:, -1] * step**ahead,
        ago * year,
    ]


def _year_before(turns: _Turns, day: Any) -> Any:
    """Return the amount of the turn a year before a day; NaN where there is none."""
    off = np.abs(turns.days - (day[:, None] - 365))
    off = np.where(np.isnan(off), np.inf, off)
    best = off.argmin(axis=1)
    rows = np.arange(len(day))
    return np.where(off[rows, best] <= _NEAR, turns.cents[rows, best], np.nan)


def _median(values: Any) -> Any:
    """Return the median of what is known in each row; NaN where nothing is."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    low, high = (np.maximum(one, 0) for one in ((count - 1) // 2, count // 2))
    high = np.minimum(high, values.shape[1] - 1)
    return np.where(count > 0, (ordered[rows, low] + ordered[rows, high]) / 2, np.nan)
