"""The balance of each pod and port in the next days, with a band, and which would run short."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.forecast import is_recent, path
from seqdata.analysis.recur.lookback import METHODS, NOTHING, is_enough, look_back, show
from seqdata.analysis.recur.recurring import Series, as_dates, find_series, local_day
from seqdata.analysis.recur.upcoming import moves_ahead

_COLUMNS = [
    "account_id", "name", "kind", "date", "balance_cents", "low_cents", "high_cents", "is_short",
    "may_run_short", "method",
]  # fmt: skip


def projected_balances(
    balances_now: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    now: datetime,
    days: int = 30,
    legs: pd.DataFrame | None = None,
    series: Series | None = None,
) -> pd.DataFrame:
    """Carry the known balances forward over what is expected, day by day.

    The balance of day ``t`` is the one of today, plus what is expected until then, plus what
    ``t`` ordinary days bring: the mean of the last 13 weeks of all that moved the balance and
    does not recur, as :func:`seqdata.analysis.balance_history` reads it (what failed or was
    reversed came back), where the two least and the two largest weeks count as the next ones
    do, so that no single payment says what is ordinary.

    The band is what this very forecast was off by, made at up to 30 days of the past two years
    of what was known then: 1 in 10 of these came out below its low side and 1 in 10 above its
    high side, so many days ahead; see :func:`seqdata.analysis.backtest`. Where fewer than four
    are known, it is at least as wide as the spreads of what is expected, added up, and 1.28
    standard deviations of a week times the root of the weeks. What is on its way or overdue
    today and may not come is in it, too.

    Parameters
    ----------
    balances_now
        ``id`` (or ``account_id``), ``name``, ``kind`` and ``balance_cents`` of today, as
        :attr:`Ledger.accounts` gives them; kinds other than pod and port, and balances that
        are not known, are left out.
    rows
        Transfers with ``payee`` and what :func:`seqdata.analysis.settle` adds.
    now
        The moment of the last sync, with a zone.
    days
        How far to look.
    legs, series
        As :func:`seqdata.analysis.upcoming` takes them.

    Returns
    -------
    DataFrame
        For each pod and port ``days`` + 1 rows. Today's has no band; what is expected today
        counts from tomorrow. ``is_short``: the balance is below zero; ``may_run_short``: the
        low side is. ``method`` (category) is "expected"; or "nothing changes" where that was
        the better forecast of this account in the past, so many days ahead, and is shown; or
        "not enough history" within four weeks of the account's first transfer, where all but
        today's balance are NA.
    """
    is_held = balances_now["kind"].isin(["pod", "port"]) & balances_now["balance_cents"].notna()
    held = balances_now[is_held.to_numpy()].reset_index(drop=True)
    if "account_id" not in held:
        held = held.rename(columns={"id": "account_id"})
    today, ids = local_day(now, rows), held["account_id"]
    series = series or find_series(rows, now)
    known = is_recent(rows, today)
    moves = moves_ahead(rows, series, today, days, legs)
    forecast = path(moves, rows[known], ids, today, days, series.label[known])
    shown = show(forecast, look_back(rows, ids, now=now, days=days))
    start = held["balance_cents"].to_numpy(np.int64)[:, None]
    floor = np.where((held["kind"] == "port").to_numpy()[:, None], np.minimum(start, 0), -np.inf)
    balance, low, high = (
        np.maximum(np.rint(start + cents), floor)
        for cents in (shown.expected, shown.low, shown.high)
    )
    method = np.where(is_enough(rows, ids, now)[:, None], shown.method, NOTHING)
    return _frame(held, today, balance, low, high, method)


def running_short(projected: pd.DataFrame) -> pd.DataFrame:
    """Name the pods and ports that would run short, the first one first.

    It goes by the middle of the forecast, so it is seldom wrong and not early: of pods of made-up
    households whose real payments used them up within thirty days, it named half; of those that
    it named, eight in ten ran short, most on the very day. ``may_run_short`` of
    :func:`projected_balances`, the low side of the band, named nineteen in twenty of them, and as
    many again that did not.

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


def _frame(
    held: pd.DataFrame, today: int, balance: Any, low: Any, high: Any, method: Any
) -> pd.DataFrame:
    count, length = balance.shape
    frame = held[["account_id", "name", "kind"]].loc[np.repeat(np.arange(count), length)]
    frame = frame.reset_index(drop=True)
    frame["date"] = as_dates(today + np.tile(np.arange(length), count))
    is_known = (method != NOTHING) | (np.arange(length) == 0)
    for name, cents in (("balance_cents", balance), ("low_cents", low), ("high_cents", high)):
        values = pd.Series(cents.ravel().astype(np.int64), dtype="Int64")
        frame[name] = values.where(is_known.ravel())
    for name, cents in (("is_short", balance), ("may_run_short", low)):
        frame[name] = ((cents < 0) & is_known).ravel()
    frame["method"] = pd.Categorical.from_codes(method.ravel(), categories=pd.Index(METHODS))
    return with_dollars(frame[_COLUMNS])
