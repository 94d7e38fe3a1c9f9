"""The next amounts of what recurs: as usual, as lately, by its trend, or by its season.

Which of them it is, each series says itself: the one that would have predicted its own past best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur.occurrences import local_days, other_parties

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
_FIXED = 0.02

_USUALLY, _LATELY_WAY = range(2)


@dataclass(frozen=True)
class _Turns:
    """The last turns of some series, the newest in the last column: days and cents, NaN before."""

    days: Any
    cents: Any

    def until(self, back: int) -> _Turns:
        """Return them without the last ones."""
        width = self.days.shape[1] - back
        return _Turns(self.days[:, :width], self.cents[:, :width])


def with_amounts(due: pd.DataFrame, rows: pd.DataFrame, label: Any) -> pd.DataFrame:
    """Return what is due with the amount that is expected of each turn, and its spread.

    Parameters
    ----------
    due
        A row for each turn that a series is due, with its facts and ``day``.
    rows, label
        Transfers, and the number of the series of each: see
        :func:`seqdata.analysis.recur.occurrences.find_series`.
    """
    varies = due["spread_cents"] > _FIXED * due["usual_cents"]
    place = np.flatnonzero(varies.to_numpy(bool, na_value=False))
    if not len(place):
        return due
    some = due.iloc[place]
    mine, turns = _turns_of(some, rows, label)
    place, some = place[mine >= 0], some[mine >= 0]
    mine = mine[mine >= 0]
    way, error = _best(turns)
    day = some["day"].to_numpy(np.float64)
    keys = pd.Series(mine)
    ahead = day.argsort(kind="stable").argsort()
    ahead = pd.Series(ahead).groupby(keys).rank().to_numpy(np.float64)
    chosen = _Turns(turns.days[mine], turns.cents[mine])
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


def _turns_of(due: pd.DataFrame, rows: pd.DataFrame, label: Any) -> tuple[Any, _Turns]:
    """Return which series of the transfers each row is of (-1: none), and their turns."""
    taken = np.flatnonzero(label >= 0)
    days, whole = local_days(rows)[taken], rows.iloc[taken]
    cents = whole["amount_cents"].to_numpy(np.float64)
    order = np.lexsort((cents, days, label[taken]))
    number, starts = np.unique(label[taken][order], return_index=True)
    last = np.append(starts[1:], len(order)) - 1
    if not len(number):
        nothing = np.full((0, _TURNS), np.nan)
        return np.full(len(due), -1), _Turns(nothing, nothing)
    columns = np.arange(_TURNS - 1, -1, -1)
    place = last[:, None] - columns
    is_known = place >= starts[:, None]
    table = _Turns(
        *(np.where(is_known, one[order][np.maximum(place, 0)], np.nan) for one in (days, cents))
    )
    newest = whole.iloc[order[last]]
    comes_in = newest["direction"] == "INCOMING"
    keys = pd.DataFrame(
        {
            "account_id": newest["destination_id"].where(comes_in, newest["source_id"]),
            "payee": other_parties(newest),
            "direction": newest["direction"].astype("str"),
            "last": days[order[last]],
        }
    ).astype({"account_id": "str", "payee": "str"})
    keys = keys.assign(found=np.arange(len(keys)), level=np.nanmedian(table.cents, axis=1))
    asked = due[["account_id", "payee", "direction"]].astype("str")
    asked["last"] = due["last_date"].to_numpy("datetime64[D]").astype(np.int64)
    asked = asked.assign(at=np.arange(len(due)), usual=due["usual_cents"].to_numpy(np.float64))
    pairs = asked.merge(keys, on=["account_id", "payee", "direction", "last"])
    pairs["off"] = (pairs["level"] - pairs["usual"]).abs()
    best = pairs.sort_values("off", kind="stable").drop_duplicates("at")
    mine = np.full(len(due), -1)
    mine[best["at"]] = best["found"]
    return mine, table


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
