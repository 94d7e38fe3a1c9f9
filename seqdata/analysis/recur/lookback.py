"""What forecasts of the past were off by, and the bands and methods that follow from it.

They are the same forecast, made at days of the past of what was known then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import Movements, movements
from seqdata.analysis.recur.forecast import MEMORY, Path, is_recent, local_midnights, path
from seqdata.analysis.recur.recurring import find_series, local_day
from seqdata.analysis.recur.upcoming import moves_ahead
from seqdata.analysis.settlement import places_of, utc
from seqdata.sources.vocabulary import RETURNED, State

METHODS = ("expected", "nothing changes", "not enough history")
EXPECTED, UNCHANGED, NOTHING = range(3)

#: Share of what came that is below the low side, and above the high side.
OUTSIDE = 0.1

#: So many forecasts of the past must be known for their errors alone to say the band, and for
#: nothing to be the better forecast.
_FEW, _EVIDENCE = 4, 6

#: Each error stands for what is around it: of ``n``, the least is at ``0.5 / n``.
_MIDDLE = 0.5

#: Days before and after, whose bands are averaged; and by whose errors a method is chosen.
_SMOOTH, _WEEK = 3, 7

#: The part of a forecast that is shown, from which on it is one.
_HALF = 0.5

#: Days of history without which nothing is said.
ENOUGH = 28

#: How often it is looked back, how far, and at least how many days apart.
_LEAST, _TIMES, _FAR, _APART = 5, 20, 730, 10

#: The most transfers that are looked at, each time and in all.
_MOST, _WHOLE = 30_000, 150_000

_NEEDED = [
    "id", "created_at", "updated_at", "effective_at", "effective_basis", "returned_at",
    "amount_cents", "direction", "state", "status", "kind", "payee", "category", "source_id",
    "source_name",
    "source_party", "destination_id", "destination_name", "destination_party",
]  # fmt: skip


@dataclass(frozen=True)
class Past:
    """Forecasts of the past, the newest first, and what came.

    ``ago`` is how many days ago each was made, ``paths`` what each said, and ``came`` the cents
    by which each balance had moved at the end of each day since: float64, by time, account and
    day from 0 on; NaN where that is not known yet, or where there was no such account.
    """

    ago: Any
    paths: list[Path]
    came: Any

    def before(self, place: int) -> Past:
        """Return what was known when one of them was made."""
        ago = self.ago[place + 1 :]
        came = self.came[place + 1 :].copy()
        passed = ago - self.ago[place]
        came[np.broadcast_to(_ahead(came) > passed[:, None, None], came.shape)] = np.nan
        return replace(self, ago=passed, paths=self.paths[place + 1 :], came=came)

    def errors(self, weight: Any = 1) -> Any:
        """Return by how much more came than was expected; of the shape of ``came``.

        `weight` is how much of what was expected is counted on, by account and day.
        """
        said = np.array([one.expected * weight for one in self.paths])
        return self.came - said if self.paths else self.came


def _ahead(came: Any) -> Any:
    return np.arange(came.shape[2])


def look_back(rows: pd.DataFrame, ids: pd.Series[Any], *, now: datetime, days: int) -> Past:
    """Make the forecast at days of the past, spread evenly over up to two years.

    Parameters
    ----------
    rows
        Transfers with ``payee`` and what :func:`seqdata.analysis.settle` adds.
    ids
        Of pods and ports.
    now, days
        The moment of the last sync, with a zone, and how far each forecast goes.
    """
    needed = rows[[one for one in _NEEDED if one in rows]]
    rows = needed[is_recent(rows, local_day(now, rows) - _FAR)]
    rows = rows.sort_values("created_at", kind="stable")
    # pandas copies what a frame says of itself with every step.
    rows.attrs = {}
    ago = _times(utc(rows["created_at"]), _utc(now))
    known, came = _Known(rows), _Came(movements(rows, ids), len(ids), rows["created_at"].dt.tz, now)
    paths, moved = [], np.zeros((len(ago), len(ids), days + 1))
    for place, back in enumerate(ago):
        then = now - pd.Timedelta(days=int(back))
        seen = known.at(then)
        today = local_day(then, seen)
        series = find_series(seen, then)
        moves = moves_ahead(seen, series, today, days)
        paths.append(path(moves, seen, ids, today, days, series.label))
        moved[place] = came.since(then, today, days)
    return Past(ago, paths, moved)


def is_enough(rows: pd.DataFrame, ids: pd.Series[Any], now: datetime) -> Any:
    """Tell which accounts had their first transfer at least four weeks ago.

    Of one without any, all that is here has to go back so far.
    """
    is_old = utc(rows["created_at"]) <= _utc(now) - np.timedelta64(ENOUGH, "D")
    moved, moved_then = np.zeros((2, len(ids) + 1), bool)
    for end in ("source_id", "destination_id"):
        place = places_of(rows[end], ids)
        moved[place] = True
        moved_then[place[is_old]] = True
    return (moved_then | ~moved & is_old.any())[:-1]


def _utc(moment: datetime) -> Any:
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None).to_datetime64()


def _times(created: Any, now: Any) -> Any:
    """Choose how many days ago it is looked back; on changing days of the week."""
    if not len(created):
        return np.zeros(0, np.int64)
    span = min(int((now - created[0]) / np.timedelta64(1, "D")) - ENOUGH, _FAR)
    each = len(created) - int(np.searchsorted(created, now - np.timedelta64(MEMORY, "D")))
    times = int(np.clip(_WHOLE // min(max(each, 1), _MOST), _LEAST, _TIMES))
    step = max(_APART, -(-span // times))
    step += step % 7 == 0
    return np.arange(step, max(span, 0) + 1, step)


class _Known:
    """Transfers in order of their creation, as they were known at a moment."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._rows = rows
        self._created, self._arrived, self._returned = (
            utc(rows[name]) for name in ("created_at", "effective_at", "returned_at")
        )
        self._states = pd.Index(list(State), dtype="str")
        self._state = self._states.get_indexer(pd.Index(rows["state"].astype("str")))
        is_returned = rows["state"].isin(RETURNED).to_numpy()
        self._ended = np.where(is_returned, utc(rows["updated_at"]), self._arrived)

    def at(self, moment: datetime) -> pd.DataFrame:
        """Return those created by then; what ended later was open."""
        at = _utc(moment)
        since = at - np.timedelta64(MEMORY, "D")
        first, last = np.searchsorted(self._created, [since, at], side="right")
        chosen = slice(max(int(first), int(last) - _MOST), int(last))
        rows = self._rows.iloc[chosen]
        was_open = self._ended[chosen] > at
        [is_open] = self._states.get_indexer(pd.Index([State.OPEN], dtype="str"))
        state = np.where(was_open, is_open, self._state[chosen])
        return rows.assign(
            state=pd.Categorical.from_codes(state, categories=self._states),
            effective_at=rows["effective_at"].mask(was_open),
            returned_at=rows["returned_at"].mask(self._returned[chosen] > at),
        ).reset_index(drop=True)


class _Came:
    """What moved the balances, as all of it is known now."""

    def __init__(self, moves: Movements, count: int, zone: Any, now: datetime) -> None:
        self._moves, self._count, self._zone, self._now = moves, count, zone, _utc(now)
        self._first = np.full(count, np.datetime64("2200-01-01", "us"))
        np.minimum.at(self._first, moves.account, moves.at)

    def since(self, then: datetime, today: int, days: int) -> Any:
        """Return the cents by which each balance moved from a moment to the end of each day."""
        start, moves = _utc(then), self._moves
        ends = local_midnights(self._zone, today + 1 + np.arange(days + 1))
        day = np.searchsorted(ends, moves.at, side="right")
        counted = (moves.at > start) & (day <= days)
        total = np.zeros((self._count, days + 1))
        np.add.at(total, (moves.account[counted], day[counted]), moves.cents[counted])
        total = total.cumsum(axis=1)
        total[:, ends > self._now] = np.nan
        total[self._first > start] = np.nan
        return total


# -- bands --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What is shown of a forecast: cents by which each balance moves, by account and day.

    ``method`` is a position in METHODS.
    """

    expected: Any
    low: Any
    high: Any
    method: Any


def show(forecast: Path, past: Past) -> Shown:
    """Decide what is shown of a forecast, from the forecasts before it and what came.

    Where nothing was the better forecast of the past, so many days ahead, nothing is expected.
    The band is from the 10th to the 90th percentile of what came beyond the forecasts of the
    past, for each account and number of days, wider where few are known; where fewer than four
    are, at least as wide as :class:`Path` says.
    """
    weight = _weight(past)
    errors = past.errors(weight)
    low, high, known = _quantiles(errors, past.ago)
    loose = known < _FEW
    low = np.where(loose, np.fmin(low, forecast.low), low)
    high = np.where(loose, np.fmax(high, forecast.high), high)
    low[:, 0] = high[:, 0] = 0
    expected = forecast.expected * weight
    return Shown(
        expected=expected,
        low=expected + np.minimum(_smooth(low), 0) + forecast.unsure_low,
        high=expected + np.maximum(_smooth(high), 0) + forecast.unsure_high,
        method=np.where(weight < _HALF, UNCHANGED, EXPECTED),
    )


def _weight(past: Past) -> Any:
    """Return how much of the forecast is shown, by account and day: 1, or 0 where none is better.

    Between the two it goes over by and by.
    """
    count = (~np.isnan(past.came)).any(axis=2).sum(axis=0)
    gain = np.nansum(np.abs(past.came) - np.abs(past.errors()), axis=0)
    is_worse = (_around(gain) < 0) & (count >= _EVIDENCE)[:, None]
    return 1 - _around(is_worse.astype(np.float64))


def _around(values: Any) -> Any:
    """Average each day with those of a week before and after that there are."""
    total = np.append(np.zeros((len(values), 1)), values.cumsum(axis=1), axis=1)
    day = np.arange(values.shape[1])
    first, last = np.maximum(day - _WEEK, 0), np.minimum(day + _WEEK + 1, len(day))
    return (total[:, last] - total[:, first]) / (last - first)


def _quantiles(errors: Any, ago: Any) -> tuple[Any, Any, Any]:
    """Return the low and the high side by account and day, and how many errors say it.

    Forecasts that overlap count as so many as would not. Few tell too little of the next: the
    band of ``n`` is wider by ``1 / n**2``.
    """
    known = (~np.isnan(errors)).sum(axis=0)
    if not len(errors):
        nothing = np.full(known.shape, np.nan)
        return nothing, nothing, known
    overlap = np.maximum(np.arange(known.shape[1]) / ago[0], 1)
    apart = np.maximum(known / overlap, 1)
    wider = 1 + 1 / apart**2
    share = np.maximum(OUTSIDE * apart - _MIDDLE, 0) / np.maximum(apart - 1, 1)
    ordered = np.sort(errors, axis=0)
    low, high = (_at(ordered, one * (known - 1)) for one in (share, 1 - share))
    return low * wider, high * wider, known


def _at(ordered: Any, place: Any) -> Any:
    """Return what stands at a place between two of the first axis; NaN where there is none."""
    below = np.maximum(np.floor(place), 0).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    first, second = (np.take_along_axis(ordered, one[None], axis=0)[0] for one in (below, above))
    share = np.maximum(place - below, 0)
    return first + np.where(share > 0, share * (second - first), 0)


def _smooth(side: Any) -> Any:
    """Average each day with those around it, with as many before as after."""
    total = np.append(np.zeros((len(side), 1)), side.cumsum(axis=1), axis=1)
    day = np.arange(side.shape[1])
    half = np.minimum(np.minimum(_SMOOTH, np.maximum(day - 1, 0)), side.shape[1] - 1 - day)
    return (total[:, day + half + 1] - total[:, day - half]) / (2 * half + 1)
