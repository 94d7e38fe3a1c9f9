"""How right the forecast was with one's own money, so many days ahead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.lookback import METHODS, Past, look_back, show

#: So many days ahead are told of, and the last one.
_AHEAD = (1, 7, 14, 30, 60, 90, 180)

_COLUMNS = [
    "account_id", "name", "kind", "days", "times", "error_cents", "unchanged_error_cents",
    "inside", "below", "above", "method",
]  # fmt: skip


def backtest(
    balances_now: pd.DataFrame, rows: pd.DataFrame, *, now: datetime, days: int = 30
) -> pd.DataFrame:
    """Tell how right :func:`projected_balances` was at days of the past, by account.

    The forecast is made again at up to 20 days, spread over the last two years: of the
    transfers that were created by then, in the state that they had then, where that is known
    (what completed or failed later was open), and with the band and the method that follow
    from the forecasts before it. What came is compared with it.

    Parameters
    ----------
    balances_now
        As :func:`projected_balances` takes them; one without a balance has rows, too.
    rows
        Transfers with ``payee`` and what :func:`seqdata.analysis.settle` adds.
    now
        The moment of the last sync, with a zone.
    days
        How far ahead at most.

    Returns
    -------
    DataFrame
        For each pod and port a row for 1, 7, 14, 30, 60, 90 and 180 days ahead, up to `days`:
        ``days`` (int64), ``times`` (int64: how often it was compared), ``error_cents`` (Int64:
        how far off it was in the mean, NA if never) and ``unchanged_error_cents`` (how far it
        would have been to expect that nothing changes), ``inside``, ``below`` and ``above``
        (float64 shares of what came in, below and above the band; NaN if never) and
        ``method`` (category), of the newest one.
    """
    held = balances_now[balances_now["kind"].isin(["pod", "port"]).to_numpy()]
    held = held.reset_index(drop=True)
    if "account_id" not in held:
        held = held.rename(columns={"id": "account_id"})
    past = look_back(rows, held["account_id"], now=now, days=days)
    ahead = np.array(sorted({one for one in _AHEAD if one < days} | {days}))
    facts = _facts(past, len(held), ahead)
    frame = held[["account_id", "name", "kind"]].loc[np.repeat(np.arange(len(held)), len(ahead))]
    frame = frame.reset_index(drop=True).assign(days=np.tile(ahead, len(held)), **facts)
    return with_dollars(frame[_COLUMNS])


def _facts(past: Past, count: int, ahead: Any) -> dict[str, Any]:
    """Compare each forecast of the past with what came; by account and days ahead."""
    shown = [show(one, past.before(place)) for place, one in enumerate(past.paths)]
    shape = len(shown), count, len(ahead)
    expected, low, high = (
        np.array([getattr(one, name)[:, ahead] for one in shown]).reshape(shape)
        for name in ("expected", "low", "high")
    )
    came = past.came[:, :, ahead]
    times = (~np.isnan(came)).sum(axis=0)
    method = shown[0].method[:, ahead] if shown else np.zeros(shape[1:], np.int64)

    def mean(values: Any) -> Any:
        total = np.where(np.isnan(came), 0, values).sum(axis=0)
        return np.where(times > 0, total / np.maximum(times, 1), np.nan).ravel()

    below, above = mean(came < np.rint(low)), mean(came > np.rint(high))
    return {
        "times": times.ravel(),
        "error_cents": _cents(mean(np.abs(came - np.rint(expected)))),
        "unchanged_error_cents": _cents(mean(np.abs(came))),
        "inside": 1 - below - above,
        "below": below,
        "above": above,
        "method": pd.Categorical.from_codes(method.ravel(), categories=pd.Index(METHODS)),
    }


def _cents(values: Any) -> Any:
    return pd.Series(np.rint(values)).astype("Int64")
