"""How right the forecast was: the same one, made at days of the past of what was known then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import Movements, movements
from seqdata.analysis.recur.occurrences import find_series
from seqdata.analysis.recur.paths import MEMORY, Path, local_midnights, path, recent
from seqdata.analysis.recur.recurring import describe, local_day
from seqdata.analysis.recur.upcoming import moves_ahead
from seqdata.analysis.settlement import utc
from seqdata.sources.vocabulary import RETURNED, State

#: Days of history without which nothing is said.
ENOUGH = 28

#: How often it is looked back, how far, and at least how many days apart.
_LEAST, _TIMES, _FAR, _APART = 5, 20, 730, 10

#: The most transfers that are looked at, each time and in all.
_MOST, _WHOLE = 30_000, 150_000

_NEEDED = [
    "id", "created_at", "updated_at", "effective_at", "effective_basis", "returned_at",
    "amount_cents", "direction", "state", "kind", "payee", "category", "source_id", "source_name",
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

    def errors(self) -> Any:
        """Return by how much more came than was expected; of the shape of ``came``."""
        said = np.array([one.expected for one in self.paths])
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
    rows = recent(rows, local_day(now, rows) - _FAR)[[one for one in _NEEDED if one in rows]]
    rows = rows.sort_values("created_at", kind="stable")
    ago = _times(utc(rows["created_at"]), _utc(now))
    known, came = _Known(rows), _Came(movements(rows, ids), len(ids), rows["created_at"].dt.tz, now)
    paths, moved = [], np.zeros((len(ago), len(ids), days + 1))
    for place, back in enumerate(ago):
        then = now - pd.Timedelta(days=int(back))
        seen = known.at(then)
        today = local_day(then, seen)
        label = find_series(seen, include_internal=True)
        series = describe(seen, label, today)
        moves = moves_ahead(seen, series, today, days, label=label)
        ahead = moves["day"].to_numpy(np.int64) - today
        paths.append(path(moves, ahead, seen, ids, today, days, label))
        moved[place] = came.since(then, today, days)
    return Past(ago, paths, moved)


def is_enough(rows: pd.DataFrame, now: datetime) -> bool:
    """Tell whether the first transfer was at least four weeks ago."""
    created = utc(rows["created_at"])
    known = created[~np.isnat(created)]
    return bool(len(known)) and bool(known.min() <= _utc(now) - np.timedelta64(ENOUGH, "D"))


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
