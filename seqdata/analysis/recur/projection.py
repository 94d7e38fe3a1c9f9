"""The balance of each pod and port in the next days, with a band, and which would run short."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.occurrences import find_series, local_days
from seqdata.analysis.recur.recurring import as_dates, local_day
from seqdata.analysis.settlement import is_open, places_of
from seqdata.sources.vocabulary import RETURNED, Party

#: Days of the past that say what an ordinary day is like.
_PAST = 90

#: Standard deviations to the 10th and 90th percentile.
_DEVIATIONS = 1.2816

_COLUMNS = [
    "account_id", "name", "kind", "date", "balance_cents", "low_cents", "high_cents", "is_short",
    "may_run_short",
]  # fmt: skip


def projected_balances(
    balances_now: pd.DataFrame,
    upcoming_frame: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    now: datetime,
    days: int = 30,
) -> pd.DataFrame:
    """Carry the known balances forward over what is expected, day by day.

    The balance of day ``t`` is the one of today, plus what is expected until then, less ``t``
    ordinary days: the mean, over the last 90, of what left the account and does not recur, net
    of merchants' refunds and of moves by hand between pods, and never a gain. The band is as wide
    as the spreads of what is expected, added up, and 1.28 standard deviations of a day times
    the root of ``t``; the high side hopes for as much irregular income as those 90 days had.
    The low side never falls below what is known: it has no more irregular outflow in ``t``
    days than the worst ``t`` days in a row of the 90. A port passes on what it gets, and is not
    overdrawn.

    Parameters
    ----------
    balances_now
        ``id`` (or ``account_id``), ``name``, ``kind`` and ``balance_cents`` of today, as
        :attr:`Ledger.accounts` gives them; kinds other than pod and port, and balances that
        are not known, are left out.
    upcoming_frame
        As :func:`seqdata.analysis.upcoming` gives it for the same `now` and `days`.
    rows
        Transfers with ``payee`` and ``effective_at``.
    now
        The moment of the last sync, with a zone.

    Returns
    -------
    DataFrame
        For each pod and port ``days`` + 1 rows. Today's has no band; what is expected today
        counts from tomorrow. ``is_short``: the balance is below zero; ``may_run_short``: the
        low side is.
    """
    is_held = balances_now["kind"].isin(["pod", "port"]) & balances_now["balance_cents"].notna()
    held = balances_now[is_held.to_numpy()].reset_index(drop=True)
    if "account_id" not in held:
        held = held.rename(columns={"id": "account_id"})
    today = local_day(now, rows)
    everyday, windfalls = _irregular(rows, held["account_id"], today)
    moved, low, high = (
        _moved(upcoming_frame, name, held["account_id"], today, days)
        for name in ("expected_cents", "low_cents", "high_cents")
    )
    start = held["balance_cents"].to_numpy(np.int64)[:, None]
    ahead = np.arange(days + 1)
    spent, noise = _ordinary(everyday, ahead)
    hoped, wide = _ordinary(everyday + windfalls, ahead)
    drift = np.minimum(spent, 0)
    lowest = start + low + np.maximum(drift - noise, _worst(everyday, days))
    balance, highest = start + moved + drift, start + high + np.maximum(hoped, drift) + wide
    floor = np.where((held["kind"] == "port").to_numpy()[:, None], np.minimum(start, 0), -np.inf)
    balance, lowest, highest = (
        np.maximum(np.rint(cents), floor) for cents in (balance, lowest, highest)
    )
    return _frame(held, today, balance, np.minimum(lowest, balance), highest)


def running_short(projected: pd.DataFrame) -> pd.DataFrame:
    """Name the pods and ports that would run short, the first one first.

    Returns
    -------
    DataFrame
        account_id, name, date (the first day below zero), short_cents and short (how much is
        missing on the worst day).
    """
    below = projected[projected["is_short"]]
    groups = below.groupby("account_id", sort=False)
    worst = (-groups["balance_cents"].min()).astype("Int64")
    first = groups[["name", "date"]].first().assign(short_cents=worst).reset_index()
    return with_dollars(first.sort_values(["date", "account_id"]).reset_index(drop=True))


def _frame(held: pd.DataFrame, today: int, balance: Any, low: Any, high: Any) -> pd.DataFrame:
    count, length = balance.shape
    frame = held[["account_id", "name", "kind"]].loc[np.repeat(np.arange(count), length)]
    frame = frame.reset_index(drop=True)
    frame["date"] = as_dates(today + np.tile(np.arange(length), count))
    for name, cents in (("balance_cents", balance), ("low_cents", low), ("high_cents", high)):
        frame[name] = pd.array(cents.ravel().astype(np.int64), dtype="Int64")
    frame["is_short"] = balance.ravel() < 0
    frame["may_run_short"] = low.ravel() < 0
    return with_dollars(frame[_COLUMNS])


def _ordinary(past: Any, ahead: Any) -> tuple[Any, Any]:
    """Return what so many ordinary days bring, by account, and how far they may lie apart."""
    noise = _DEVIATIONS * past.std(axis=1)[:, None] * np.sqrt(ahead)
    return past.mean(axis=1)[:, None] * ahead, noise


def _moved(
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


def _irregular(rows: pd.DataFrame, ids: pd.Series[Any], today: int) -> tuple[Any, Any]:
    """Return what did not recur, in cents by account and day of the past, oldest day first.

    The first is what was spent, moved by hand or refunded; the second is income, and what the
    rules made of it.
    """
    counts = rows["amount_cents"].notna() & rows["created_at"].notna()
    counts &= ~rows["state"].isin(RETURNED)
    counts &= find_series(rows, include_internal=True) < 0
    recent, day = rows[counts.to_numpy()], local_days(rows)[counts.to_numpy()]
    length = int(np.clip(today - day.min(initial=today), 1, _PAST))
    is_recent = (day >= today - length) & (day < today)
    recent, day = recent[is_recent], day[is_recent] - (today - length)
    comes_in = (recent["direction"] == "INCOMING").to_numpy()
    is_refund = comes_in & (recent["source_party"] == Party.MERCHANT).to_numpy()
    is_income = comes_in & ~is_refund
    is_income |= (recent["source_party"] == Party.PORT).to_numpy()
    arrived = ~(comes_in & is_open(recent).to_numpy())
    cents = recent["amount_cents"].to_numpy(np.int64)
    past = np.zeros((2, len(ids), length))
    for end, sign in (("source_id", -1), ("destination_id", 1)):
        place = places_of(recent[end], ids)
        mine = (place >= 0) & (arrived | (sign < 0))
        where = (is_income[mine].astype(np.int64), place[mine], day[mine])
        np.add.at(past, where, sign * cents[mine])
    return past[0], past[1]


def _worst(past: Any, days: int) -> Any:
    """Return the least sum of any days in a row, for each account and length of time."""
    total = np.append(np.zeros((len(past), 1)), past.cumsum(axis=1), axis=1)
    known = total.shape[1] - 1
    worst = np.zeros((len(past), days + 1))
    for length in range(1, days + 1):
        whole, rest = divmod(length, known)
        least = (total[:, rest:] - total[:, : known + 1 - rest]).min(axis=1) if rest else 0
        worst[:, length] = whole * total[:, known] + np.minimum(least, 0)
    return worst
