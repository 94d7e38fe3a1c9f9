"""How each balance is expected to move: over what is expected, and what does not recur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import movements
from seqdata.analysis.recur.splits import deposits_of
from seqdata.analysis.settlement import places_of, utc

#: The transfers of so many days say what recurs.
MEMORY = 800

#: Weeks of the past that say what an ordinary one is like.
_WEEKS = 13

#: The share of the least and of the largest weeks that count as the next ones do.
_ODD = 0.15


#: Standard deviations to the 10th and 90th percentile.
_DEVIATIONS = 1.2816


@dataclass(frozen=True)
class Path:
    """By how many cents each balance is expected to move until each day, and how far it may be off.

    All are float64 by account and day from 0 on. ``low`` and ``high`` are what the past of no
    forecast has to say: the spreads of what is expected, added up, and 1.28 standard deviations
    of a week times the root of the weeks; below, of odd weeks too, and with what these took.
    ``unsure_low`` and ``unsure_high`` are the part of it that is known of today alone: what is
    on its way, or overdue, may not come.
    """

    expected: Any
    low: Any
    high: Any
    unsure_low: Any
    unsure_high: Any


def path(
    moves: pd.DataFrame,
    rows: pd.DataFrame,
    ids: pd.Series[Any],
    today: int,
    days: int,
    label: Any,
) -> Path:
    """Carry the balances of some accounts forward over what is expected, and ordinary weeks.

    Parameters
    ----------
    moves
        As :func:`seqdata.analysis.recur.upcoming.moves_ahead` gives them. What is expected today
        counts from tomorrow.
    rows
        Transfers with ``payee`` and what :func:`seqdata.analysis.settle` adds.
    ids
        Of pods and ports.
    today, days
        The first day, and how many follow.
    label
        The number of the series of each transfer, -1 of none.
    """
    weeks = weekly_sums(rows, ids, today, label)
    drawn = _drawn_in(weeks)
    length = np.arange(days + 1) / 7
    lower, higher = (
        _DEVIATIONS * some.std(axis=1)[:, None] * np.sqrt(length) for some in (weeks, drawn)
    )
    # Of few weeks, what seems odd and went out may be what goes out each month.
    odd = np.minimum(weeks.mean(axis=1) - drawn.mean(axis=1), 0)[:, None] * length
    place, ahead = places_of(moves["account_id"], ids), moves["day"].to_numpy(np.int64) - today
    mine = (place >= 0) & (ahead <= days)
    where = place[mine], np.clip(ahead[mine], 1, None)
    unsure = (moves["basis"] != "recurring").to_numpy()[mine]
    expected, low, high = (
        moves[name].to_numpy(np.float64)[mine]
        for name in ("expected_cents", "low_cents", "high_cents")
    )

    def until(cents: Any) -> Any:
        total = np.zeros((len(ids), days + 2))
        np.add.at(total, (where[0], np.minimum(where[1], days + 1)), cents)
        return total.cumsum(axis=1)[:, : days + 1]

    return Path(
        expected=until(expected) + drawn.mean(axis=1)[:, None] * length,
        low=until(low - expected) - lower + odd,
        high=until(high - expected) + higher,
        unsure_low=until((low - expected) * unsure),
        unsure_high=until((high - expected) * unsure),
    )


def weekly_sums(rows: pd.DataFrame, ids: pd.Series[Any], today: int, label: Any) -> Any:
    """Return what did not recur, in cents by account and week, the oldest week first.

    There are up to 13 whole weeks, the last of which ends before today.

    Parameters
    ----------
    rows
        Transfers with ``payee`` and what :func:`seqdata.analysis.settle` adds.
    ids
        Of pods and ports.
    today
        The day, counted from 1970-01-01.
    label
        The number of the series of each transfer, -1 of none.
    """
    created = utc(rows["created_at"])
    edges = local_midnights(rows["created_at"].dt.tz, today - 7 * np.arange(_WEEKS, -1, -1))
    known = int((edges >= np.nanmin(created)).sum()) - 1 if (~np.isnat(created)).any() else 0
    own = _irregular(rows, ids, edges[0], label)
    week = np.searchsorted(edges, own.at, side="right") - 1
    counted = (week >= 0) & (week < _WEEKS)
    sums = np.zeros((len(ids), _WEEKS))
    np.add.at(sums, (own.account[counted], week[counted]), own.cents[counted])
    return sums[:, _WEEKS - max(known, 1) :]


def _drawn_in(sums: Any) -> Any:
    count = sums.shape[1]
    odd = min(round(_ODD * count), (count - 1) // 2)
    ordered = np.sort(sums, axis=1)
    return ordered.clip(ordered[:, [odd]], ordered[:, [count - 1 - odd]])


def is_recent(rows: pd.DataFrame, today: int) -> Any:
    """Tell which transfers say what recurs at a day, or came after it."""
    return utc(rows["created_at"]) >= np.datetime64(today - MEMORY, "D")


def local_midnights(zone: Any, days: Any) -> Any:
    """Return the UTC moment at which each day begins in a zone."""
    begins = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[us]"))
    local = begins.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")


def _irregular(rows: pd.DataFrame, ids: pd.Series[Any], since: Any, label: Any) -> Any:
    """Return what moved the balances since a moment, and is no part of something that recurs.

    What a port passes on recurs if the deposit does. What was given back moved twice.
    """
    deposit = deposits_of(rows)
    label = np.where(deposit >= 0, label[deposit], label)
    names = ("created_at", "updated_at", "effective_at", "returned_at")
    touched = [utc(rows[name]) for name in names]
    recent = np.any([moment >= since for moment in touched], axis=0)
    is_back = ~np.isnat(touched[-1])
    return movements(rows[recent & ((label < 0) | is_back)], ids)
