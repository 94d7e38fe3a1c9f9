"""Money in, money out and what is left, by the time it settled; each dollar once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.balance.movements import movements
from seqdata.analysis.columns import require, with_dollars
from seqdata.analysis.filters import between, find_account
from seqdata.analysis.periods import check_frequency, day_ends, local_times, period_range
from seqdata.analysis.settlement import is_open, moments, places_of, settle, utc
from seqdata.core.moments import Moment
from seqdata.exceptions import InvalidFilter
from seqdata.sources.vocabulary import Party

#: Whose money counts as inside: pods and ports, or these and the user's outside accounts.
BOUNDARIES = {"sequence": ("pod", "port"), "own": ("pod", "port", "account")}

_COLUMNS = (
    "money_in_cents", "money_out_cents", "internal_cents", "moved_cents", "pending_in_cents",
    "pending_out_cents",
)  # fmt: skip


def cash_flow(
    transfers: pd.DataFrame,
    legs: pd.DataFrame,
    accounts: pd.DataFrame,
    *,
    freq: str = "month",
    by: str | None = None,
    boundary: str = "sequence",
    since: Moment | None = None,
    until: Moment | None = None,
    account: str | None = None,
) -> pd.DataFrame:
    """Return what came in, what went out and the difference, a row a period.

    Parameters
    ----------
    transfers, legs, accounts
        As a :class:`Ledger` gives them.
    freq
        "day", "week" (from Monday), "month", "quarter" or "year".
    by
        None for the whole, or "account": a row a period and account.
    boundary
        "sequence": in and out of pods and ports, so that a move to your own bank is money
        out. "own": in and out of all your accounts, so that it is none.
    since, until
        Bounds of the settlement; `until` is exclusive.
    account
        Id or name: this one alone (as ``by="account"``).

    Returns
    -------
    DataFrame
        ``period`` (naive datetime64[us], its first day), by account also ``account_id``,
        ``name`` and ``kind``; then cents (Int64) with dollars (float64) beside them:

        - ``money_in``, ``money_out``, ``net``: settled transfers that cross the boundary, by the
          day they settled. A refund of a merchant reduces ``money_out``; a completed reversal
          takes back what it reverses; a failed transfer counts nowhere. ``net`` is in less out.
        - ``internal`` (by account only): what came from, less what went to, the other accounts
          inside; it sums to zero over the accounts but for what is under way.
        - ``in_transit`` (boundary "sequence"; else NA): money that left a pod in this period and
          had not settled by its end, less what of earlier periods settled or came back. So
          the balance changed by ``net + internal - in_transit``, to the cent.
        - ``pending_in``, ``pending_out``: transfers that are open now, by their creation.

        Each period from the first to the last is there, with zeros where nothing moved.

    Raises
    ------
    InvalidFilter, InvalidMoment, MissingColumns, UnknownAccount
        A value that cannot be used; the message lists the choices.
    """
    check_frequency(freq)
    _check("by", by, (None, "account"))
    _check("boundary", boundary, BOUNDARIES)
    require(accounts, "accounts", ("id", "name", "kind"), "Ledger.accounts")
    inside = accounts[accounts["kind"].isin(BOUNDARIES[boundary])].reset_index(drop=True)
    zone = transfers["created_at"].dt.tz
    entries = _entries(settle(transfers, legs), inside, boundary)
    entries = entries.take(between(moments(entries.at, zone), since, until).to_numpy())
    if account is not None:
        ids = find_account(account, inside[["id", "name"]])
        entries = entries.at_accounts(inside["id"].isin(ids).to_numpy())
        inside, by = inside[inside["id"].isin(ids)].reset_index(drop=True), "account"
    if by is None:
        entries, inside = replace(entries, account=np.zeros_like(entries.account)), inside[:1]
    table = _summed(entries, inside, freq, zone)
    if boundary == "own":
        table["in_transit_cents"] = pd.NA
    whole = ["account_id", "name", "kind", "internal_cents"]
    return with_dollars(table.drop(columns=whole) if by is None else table)


def _check(name: str, value: str | None, choices: Iterable[str | None]) -> None:
    if value not in choices:
        raise InvalidFilter(name, value, [choice for choice in choices if choice is not None])


# -- one entry for each cent that counts ---------------------------------------------------------


@dataclass(frozen=True)
class _Entries:
    """What counts in which column (of _COLUMNS), for which account, when; arrays of one length."""

    column: Any
    account: Any
    at: Any
    cents: Any

    @classmethod
    def of(cls, column: str, chosen: Any, account: Any, at: Any, cents: Any) -> _Entries:
        """Make the entries of the chosen transfers."""
        rows = np.flatnonzero(chosen)
        columns = np.full(len(rows), _COLUMNS.index(column), np.int8)
        return cls(columns, account[rows], at[rows], cents[rows])

    @classmethod
    def joined(cls, parts: list[_Entries]) -> _Entries:
        """Put entries together; what has no moment counts nowhere."""
        arrays = [[getattr(part, field.name) for part in parts] for field in fields(cls)]
        whole = cls(*map(np.concatenate, arrays))
        return whole.take(~np.isnat(whole.at))

    def take(self, chosen: Any) -> _Entries:
        """Return those that a mask chooses."""
        return _Entries(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def at_accounts(self, wanted: Any) -> _Entries:
        """Return those of the wanted accounts (a mask), which are numbered anew."""
        numbers = np.cumsum(wanted) - 1
        chosen = self.take(wanted[self.account])
        return replace(chosen, account=numbers[chosen.account])


def _entries(settled: pd.DataFrame, inside: pd.DataFrame, boundary: str) -> _Entries:
    source = places_of(settled["source_id"], inside["id"])
    destination = places_of(settled["destination_id"], inside["id"])
    leaves = (source >= 0) & (destination < 0)
    enters = (destination >= 0) & (source < 0)
    stays = (source >= 0) & (destination >= 0)
    refund = (settled["source_party"] == Party.MERCHANT).to_numpy()
    cents = settled["amount_cents"].to_numpy(np.int64, na_value=0)
    arrived, created = utc(settled["effective_at"]), utc(settled["created_at"])
    undone = np.where(np.isnat(arrived), arrived, utc(settled["returned_at"]))
    waits = is_open(settled).to_numpy()
    parts = [
        _Entries.of("pending_in_cents", waits & enters, destination, created, cents),
        _Entries.of("pending_out_cents", waits & leaves, source, created, cents),
    ]
    for at, signed in ((arrived, cents), (undone, -cents)):
        happened = ~np.isnat(at)
        parts += [
            _Entries.of("money_in_cents", happened & enters & ~refund, destination, at, signed),
            _Entries.of("money_out_cents", happened & enters & refund, destination, at, -signed),
            _Entries.of("money_out_cents", happened & leaves, source, at, signed),
            _Entries.of("internal_cents", happened & stays, source, at, -signed),
            _Entries.of("internal_cents", happened & stays, destination, at, signed),
        ]
    if boundary == "sequence":
        moved = movements(settled, inside["id"])
        everything = np.ones(len(moved.at), bool)
        parts.append(_Entries.of("moved_cents", everything, moved.account, moved.at, moved.cents))
    return _Entries.joined(parts)


# -- summing -------------------------------------------------------------------------------------


def _summed(entries: _Entries, inside: pd.DataFrame, freq: str, zone: tzinfo) -> pd.DataFrame:
    """Sum the entries into a grid of periods and accounts, in whole cents."""
    periods = _periods(entries.at, freq, zone)
    starts = day_ends(periods - np.timedelta64(1, "D"), zone)
    places: Any = (
        np.searchsorted(starts, entries.at) - 1, entries.account, entries.column
    )  # fmt: skip
    grid: Any = np.zeros((len(periods), len(inside), len(_COLUMNS)), np.int64)
    np.add.at(grid, places, entries.cents)
    sums = dict(zip(_COLUMNS, grid.reshape(-1, len(_COLUMNS)).T, strict=True))
    moved = sums.pop("moved_cents")
    net = sums["money_in_cents"] - sums["money_out_cents"]
    account = np.tile(np.arange(len(inside)), len(periods))
    return pd.DataFrame(
        {
            "period": np.repeat(periods, len(inside)),
            "account_id": inside["id"].to_numpy()[account],
            "name": inside["name"].to_numpy()[account],
            "kind": inside["kind"].to_numpy()[account],
            "money_in_cents": sums["money_in_cents"],
            "money_out_cents": sums["money_out_cents"],
            "net_cents": net,
            "internal_cents": sums["internal_cents"],
            "in_transit_cents": net + sums["internal_cents"] - moved,
            "pending_in_cents": sums["pending_in_cents"],
            "pending_out_cents": sums["pending_out_cents"],
        }
    ).astype({"account_id": "str", "name": "category", "kind": "category"})


def _periods(at: Any, freq: str, zone: tzinfo) -> Any:
    if not len(at):
        return np.array([], "datetime64[us]")
    first, last = local_times(np.array([at.min(), at.max()]), zone)
    return period_range(first, last, freq)
