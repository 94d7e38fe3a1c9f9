"""How each balance is expected to move: over what is expected, and what does not recur."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import movements
from seqdata.analysis.recur.occurrences import find_series
from seqdata.analysis.recur.ports import deposits_of
from seqdata.analysis.settlement import places_of, utc

#: Weeks of the past that say what an ordinary one is like.
_WEEKS = 13

#: The share of the least and of the largest weeks that count as the next ones do.
_ODD = 0.15


def weekly_sums(rows: pd.DataFrame, ids: pd.Series[Any], today: int) -> Any:
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
    """
    created = utc(rows["created_at"])
    edges = local_midnights(rows["created_at"].dt.tz, today - 7 * np.arange(_WEEKS, -1, -1))
    known = int((edges >= np.nanmin(created)).sum()) - 1 if (~np.isnat(created)).any() else 0
    own = _irregular(rows, ids, edges[0])
    week = np.searchsorted(edges, own.at, side="right") - 1
    counted = (week >= 0) & (week < _WEEKS)
    sums = np.zeros((len(ids), _WEEKS))
    np.add.at(sums, (own.account[counted], week[counted]), own.cents[counted])
    return sums[:, _WEEKS - max(known, 1) :]


def usual(sums: Any) -> Any:
    """Return the mean of each row, its oddest values drawn in to the next ones."""
    return _drawn_in(sums).mean(axis=1)


def spread(sums: Any) -> Any:
    """Return the standard deviation of each row, its oddest values drawn in to the next ones."""
    return _drawn_in(sums).std(axis=1)


def _drawn_in(sums: Any) -> Any:
    count = sums.shape[1]
    odd = min(round(_ODD * count), (count - 1) // 2)
    ordered = np.sort(sums, axis=1)
    return ordered.clip(ordered[:, [odd]], ordered[:, [count - 1 - odd]])


def moved(
    upcoming_frame: pd.DataFrame, name: str, ids: pd.Series[Any], today: int, days: int
) -> Any:
    """Add up the cents that are expected for each account until each day."""
    place = places_of(upcoming_frame["account_id"], ids)
    day = upcoming_frame["date"].to_numpy("datetime64[D]").astype(np.int64) - today
    mine = (place >= 0) & (day <= days)
    total = np.zeros((len(ids), days + 1))
    if days:
        cents = upcoming_frame[name].to_numpy(np.float64)
        np.add.at(total, (place[mine], np.maximum(day[mine], 1)), cents[mine])
    return total.cumsum(axis=1)


def local_midnights(zone: Any, days: Any) -> Any:
    """Return the UTC moment at which each day begins in a zone."""
    begins = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[us]"))
    local = begins.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")


def _irregular(rows: pd.DataFrame, ids: pd.Series[Any], since: Any) -> Any:
    """Return what moved the balances since a moment, and is no part of something that recurs.

    What a port passes on recurs if the deposit does. What was given back moved twice.
    """
    label = find_series(rows, include_internal=True)
    deposit = deposits_of(rows)
    label = np.where(deposit >= 0, label[deposit], label)
    names = ("created_at", "updated_at", "effective_at", "returned_at")
    touched = [utc(rows[name]) for name in names]
    recent = np.any([moment >= since for moment in touched], axis=0)
    is_back = ~np.isnat(touched[-1])
    return movements(rows[recent & ((label < 0) | is_back)], ids)
