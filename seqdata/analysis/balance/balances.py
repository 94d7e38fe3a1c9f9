"""Balances over time: observed where a sync or a statement saw them, else walked.

The service tells today's balances only. From one that was observed, the balance at any other
moment follows by the movements between; so a history begins at the first transfer, not at the
first sync. Two observations that disagree with the movements between them are not smoothed
over: the history jumps at the later one, and :func:`seqdata.analysis.reconcile` says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.accounts import BOUNDARIES, account_names, is_owed
from seqdata.analysis.balance.walk import Known, Observations, Walk
from seqdata.analysis.columns import check_choice, require, say, widened, with_dollars
from seqdata.analysis.periods import Periods, check_frequency, period_starts
from seqdata.analysis.settlement import settle

#: How a balance of a history is known, in the codes' order.
PROVENANCES = ("observed", "derived", "carried")
_OBSERVED, _DERIVED, _CARRIED = range(3)


def balance_history(
    transfers: pd.DataFrame,
    legs: pd.DataFrame,
    accounts: pd.DataFrame,
    balances: pd.DataFrame,
    *,
    freq: str = "day",
    boundary: str = "sequence",
    complete_since: datetime | None = None,
    until: datetime | None = None,
    wide: bool = False,
) -> pd.DataFrame:
    """Return each account's balance at the end of each day, week, month, quarter or year.

    Money leaves a pod or port when it is paid (a transfer made), and is in it when it settled; what
    fails comes back when it failed. Rent that was paid on the 1st is gone on the 1st.

    Parameters
    ----------
    transfers, legs, accounts, balances
        As a :class:`Ledger` gives them, unfiltered.
    freq
        "day", "week" (to Sunday), "month", "quarter" or "year".
    boundary
        "sequence": pods and ports, whose balances add up to what Sequence holds, on each day.
        "own": your accounts outside too. Each of these is known from the day on which it was first
        seen, so that a sum rises on that day though nothing moved.
    complete_since
        From when on all transfers are here; nothing is derived before. By default from the
        first transfer on.
    until
        When the last sync was, on the service's clock: the history ends there. By default at
        the newest observation.
    wide
        Return dollars in a column for each account, with the dates as index.

    Returns
    -------
    DataFrame
        By account and date: ``account_id`` (str), ``name`` and ``kind`` (category), ``date``
        (naive datetime64[us], the last day of the period, or of what is known of it),
        ``balance_cents`` (Int64) and ``balance`` (float64 dollars), ``provenance``
        (category), ``settled_at_known`` and ``is_owed`` (bool). Of a debt (``is_owed``: a card, a
        loan) the balance is what is owed: what there is in all is the sum of the others less it.

        ``provenance`` is "observed" where a sync or statement saw this very balance,
        "derived" where it was walked from an observation over the movements (back from the
        first one, forward from each), and "carried" where the last observation is repeated
        since the movements are not known: outside accounts move without Sequence, and pods
        before `complete_since`. ``settled_at_known`` is False where a movement with an
        estimated moment may belong to the other side of the day's end.

        Accounts of which no balance was ever observed have no rows.

    Raises
    ------
    InvalidFilter, MissingColumns
        No such `freq` or `boundary`; a frame that is another one.
    """
    check_frequency(freq)
    check_choice("boundary", boundary, BOUNDARIES)
    require(accounts, "accounts", ("id", "kind"), "Ledger.accounts")
    names = account_names(accounts, transfers)
    accounts = accounts[accounts["kind"].isin(BOUNDARIES[boundary])].reset_index(drop=True)
    known = Known(settle(transfers, legs), accounts, balances, complete_since, until)
    spans = {
        account: _span(known, account, observed)
        for account in range(len(accounts))
        if (observed := known.observed(account)) is not None
    }
    days = Periods.of(np.array([*spans.values()], "datetime64[us]").ravel(), "day", known.zone)
    parts = [_history(known, account, days.part(*span), span[1]) for account, span in spans.items()]
    rows = _joined(parts, accounts, names)
    if freq != "day":
        period = period_starts(rows["date"], freq)
        rows = rows[~pd.DataFrame({"a": rows["account_id"], "p": period}).duplicated(keep="last")]
    made = say(with_dollars(rows.reset_index(drop=True)), by_day="moved", boundary=boundary)
    return widened(made, "date", ["name"], "balance") if wide else made


def _history(known: Known, account: int, periods: Periods, last: Any) -> dict[str, Any]:
    """Walk one account's days, up to a moment."""
    observed = known.observed(account)
    assert observed is not None
    own = known.movements.of(account)
    days, begins = periods.first_days, periods.starts[:-1]
    ends = np.minimum(periods.starts[1:] - np.timedelta64(1, "us"), last)
    walk = Walk(own, observed)
    observed = walk.observed
    complete_from = known.complete_from(account)
    derives = np.zeros(len(ends), bool) if complete_from is None else ends >= complete_from
    anchor, has_earlier = walk.anchor(ends)
    cents = np.where(derives, walk.balance(ends, anchor), observed.cents[anchor])
    seen = has_earlier & (observed.at[anchor] >= begins)
    seen &= ~derives | walk.is_unmoved(observed.at[anchor], ends)
    provenance = np.select([seen, derives], [_OBSERVED, _DERIVED], _CARRIED)
    certain = ~walk.is_unsure(ends) & ~walk.is_unsure(observed.at[anchor])
    keep = has_earlier | derives
    return {
        "account": np.full(keep.sum(), account),
        "date": days[keep],
        "balance_cents": cents[keep],
        "provenance": provenance[keep],
        "settled_at_known": (certain | seen | ~derives)[keep],
    }


def _span(known: Known, account: int, observed: Observations) -> tuple[Any, Any]:
    """Return from when to when an account's history goes (UTC)."""
    own = known.movements.of(account)
    first = observed.at[0]
    complete_from = known.complete_from(account)
    if complete_from is not None:
        # What an account did before it was created shows that it was there.
        begin = min([known.created[account], *own.at[:1]])
        first = min(first, complete_from if np.isnat(begin) else max(begin, complete_from))
    last: Any = known.until if np.isnat(known.closed[account]) else known.closed[account]
    return first, max(min(last, known.until), observed.at[-1])


def _joined(
    parts: list[dict[str, Any]], accounts: pd.DataFrame, names: pd.Series[Any]
) -> pd.DataFrame:
    whole = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.array([], dtype)
        for name, dtype in _HISTORY.items()
    }
    account, provenance = whole.pop("account"), whole.pop("provenance")
    shown = accounts["id"].map(names).astype("str")
    return pd.DataFrame(
        {
            "account_id": accounts["id"].astype("str").array.take(account),
            "name": _words(shown, account),
            "kind": _words(accounts["kind"].astype("str"), account),
            "date": whole.pop("date"),
            "balance_cents": whole.pop("balance_cents"),
            "provenance": pd.Categorical.from_codes(provenance, pd.Index(PROVENANCES, dtype="str")),
            **whole,
            "is_owed": is_owed(accounts)[account],
        }
    )


def _words(of_accounts: pd.Series[Any], account: Any) -> Any:
    """Return a word of each account as a category, of those that there are."""
    words: Any = of_accounts.astype("category").array.take(account)
    return words.remove_unused_categories()


_HISTORY = {
    "account": "int64",
    "date": "datetime64[us]",
    "balance_cents": "int64",
    "provenance": "int64",
    "settled_at_known": "bool",
}
