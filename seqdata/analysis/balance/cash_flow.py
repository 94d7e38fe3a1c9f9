"""Money in, money out and what is left, by the time it settled; each dollar once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.accounts import (
    BOUNDARIES,
    known_names,
    shown_names,
    with_keys,
    with_unlisted,
    without_keys,
)
from seqdata.analysis.balance.movements import movements
from seqdata.analysis.columns import check_choice, require, say, widened, with_dollars
from seqdata.analysis.filters import Words, between, find_account
from seqdata.analysis.periods import Periods, check_frequency
from seqdata.analysis.settlement import is_open, moments, places_of, settle, utc
from seqdata.analysis.spend.spending import spent
from seqdata.core.moments import Moment
from seqdata.sources.vocabulary import Party

_COLUMNS = (
    "money_in_cents", "money_out_cents", "internal_cents", "moved_cents", "pending_in_cents",
    "pending_out_cents", "spent_cents",
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
    account: Words | None = None,
    wide: bool = False,
) -> pd.DataFrame:
    """Return what came in, what went out and the difference, a row a period.

    Parameters
    ----------
    transfers, legs, accounts
        As a :class:`Ledger` gives them.
    freq
        "day", "week" (from Monday), "month", "quarter" or "year".
    by
        None for the whole; "account": a row a period and account; "category" (of categorized
        transfers): a row a period and category, with what spending says of it.
    boundary
        "sequence": in and out of pods and ports, so that a move to your own bank is money
        out. "own": in and out of all your accounts, so that it is none, and so is what you pay on
        your own cards and loans, which :func:`spending` counts.
    since, until
        Bounds of the settlement; `until` is exclusive.
    account
        Id or name, or several: these alone (by default as ``by="account"``).
    wide
        Return the periods as index; by account or category, ``net`` in dollars, a column each.

    Returns
    -------
    DataFrame
        ``period`` (naive datetime64[us], its first day), by account also ``account_id`` (NA of one
        that the service named without an id), ``name`` and ``kind``, by category ``category``; then
        cents (Int64) with dollars (float64) beside them:

        - ``money_in``, ``money_out``, ``net``: settled transfers that cross the boundary, by the
          day they settled. A refund of a merchant reduces ``money_out``; a completed reversal
          takes back what it reverses; a failed transfer counts nowhere. ``net`` is in less out.
        - ``internal`` (by account only): what came from, less what went to, the other accounts
          inside, closed ones too; it sums to zero over them but for what is under way.
        - ``in_transit`` (boundary "sequence"; else NA): money that left a pod in this period and
          had not settled by its end, less what of earlier periods settled or came back. So
          the balance changed by ``net + internal - in_transit``, to the cent.
        - ``pending_in``, ``pending_out``: transfers that are open now, or of which it is not known,
          by their creation.
        - ``spent`` (by category only): what ``spending(by_day="settled")`` says. Where it is not
          ``money_out``, the row is the difference: payments on cards and loans, and moves.

        Each period from the first to the last is there, with zeros where nothing moved; by
        category, those in which something did.

    Raises
    ------
    InvalidFilter, InvalidMoment, MissingColumns, UnknownAccount
        A value that cannot be used; the message lists the choices.
    """
    check_frequency(freq)
    check_choice("by", by, (None, "account", "category"))
    check_choice("boundary", boundary, BOUNDARIES)
    require(accounts, "accounts", ("id", "name", "kind"), "Ledger.accounts")
    if by == "category":
        require(transfers, "transfers", ("category", "payee"), "Ledger.categorized()")
    transfers = with_keys(transfers)
    known = with_unlisted(accounts, transfers)
    inside = known[known["kind"].isin(BOUNDARIES[boundary])].reset_index(drop=True)
    zone = transfers["created_at"].dt.tz
    settled = settle(transfers, legs)
    entries = _entries(settled, inside, boundary)
    if by == "category":
        entries = _Entries.joined([entries, _spent(settled)])
    if (since, until) != (None, None):
        entries = entries.take(between(moments(entries.at, zone), since, until).to_numpy())
    if account is not None:
        ids = find_account(account, known_names(None, inside))
        by, entries = by or "account", _of_accounts(entries, settled, inside, ids)
    keys = _keys(by, inside, known, settled)
    grid = _summed(entries, _groups(by, entries, settled), len(keys), freq, zone)
    table = _tidy(grid, keys, boundary)
    if account is not None and by == "account":
        table = table[table["account_id"].isin(ids)].reset_index(drop=True)
    if "account_id" in table:
        table["account_id"] = without_keys(table["account_id"])
    if by == "category":
        moved = table.filter(like="_cents").fillna(0).ne(0).any(axis=1)
        table = table[moved].reset_index(drop=True)
    made = say(with_dollars(table), by_day="settled", boundary=boundary, debts=_DEBTS[boundary])
    return widened(made, "period", names_by(by), "net") if wide else made


#: What a table says of payments on own cards and loans.
_DEBTS = {
    "own": "payments on cards and loans stay inside: spending counts them",
    "sequence": "payments on cards and loans from pods are money out, as in spending",
}


def names_by(by: str | None, account: Words | None = None) -> list[str]:
    """Return the columns of names that a cash flow has."""
    if by is None and account is None:
        return []
    return ["category"] if by == "category" else ["name"]


# -- one entry for each cent that counts ---------------------------------------------------------


@dataclass(frozen=True)
class _Entries:
    """What counts in which column (of _COLUMNS), for which account and transfer, when.

    Arrays of one length; ``account`` is -1 where it is none of those inside.
    """

    column: Any
    row: Any
    account: Any
    at: Any
    cents: Any

    @classmethod
    def of(cls, column: str, chosen: Any, account: Any, at: Any, cents: Any) -> _Entries:
        """Make the entries of the chosen transfers."""
        rows = np.flatnonzero(chosen)
        columns = np.full(len(rows), _COLUMNS.index(column), np.int8)
        return cls(columns, rows, account[rows], at[rows], cents[rows])

    @classmethod
    def joined(cls, parts: list[_Entries]) -> _Entries:
        """Put entries together; what has no moment counts nowhere."""
        arrays = [[getattr(part, field.name) for part in parts] for field in fields(cls)]
        whole = cls(*map(np.concatenate, arrays))
        return whole.take(~np.isnat(whole.at))

    def take(self, chosen: Any) -> _Entries:
        """Return those that a mask chooses."""
        return _Entries(*(getattr(self, field.name)[chosen] for field in fields(self)))


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
        column = np.full(len(moved.at), _COLUMNS.index("moved_cents"), np.int8)
        parts.append(_Entries(column, moved.row, moved.account, moved.at, moved.cents))
    return _Entries.joined(parts)


def _spent(settled: pd.DataFrame) -> _Entries:
    """Find what spending counts by the day of settlement; it is of no account."""
    found = spent(settled, by_day="settled")
    column = np.full(len(found.row), _COLUMNS.index("spent_cents"), np.int8)
    nowhere = np.full(len(found.row), -1)
    return _Entries(column, found.row, nowhere, utc(found.at), found.cents)


def _of_accounts(
    entries: _Entries, settled: pd.DataFrame, inside: pd.DataFrame, ids: list[str]
) -> _Entries:
    """Return those of some accounts, and of what is of none, those of which an end is one."""
    is_own = inside["id"].isin(ids).to_numpy()
    touches = (settled["source_id"].isin(ids) | settled["destination_id"].isin(ids)).to_numpy()
    keep = np.where(entries.account < 0, touches[entries.row], is_own[entries.account])
    return entries.take(keep)


# -- summing -------------------------------------------------------------------------------------


def _keys(
    by: str | None, inside: pd.DataFrame, known: pd.DataFrame, settled: pd.DataFrame
) -> pd.DataFrame:
    """Return what there is a row of in each period."""
    if by is None:
        return pd.DataFrame(index=[0])
    if by == "category":
        return pd.DataFrame({"category": settled["category"].cat.categories.astype("str")})
    names = inside["id"].map(shown_names(known_names(None, known), known))
    columns = {"account_id": inside["id"], "name": names, "kind": inside["kind"]}
    return pd.DataFrame(columns).astype(
        {"account_id": "str", "name": "category", "kind": "category"}
    )


def _groups(by: str | None, entries: _Entries, settled: pd.DataFrame) -> Any:
    """Return of which key each entry is."""
    if by is None:
        return np.zeros(len(entries.at), np.int64)
    return (
        entries.account
        if by == "account"
        else settled["category"].cat.codes.to_numpy()[entries.row]
    )


def _summed(entries: _Entries, group: Any, groups: int, freq: str, zone: tzinfo) -> tuple[Any, Any]:
    """Sum the entries into a grid of periods, groups and columns, in whole cents."""
    periods = Periods.of(entries.at, freq, zone)
    grid: Any = np.zeros((len(periods.first_days), groups, len(_COLUMNS)), np.int64)
    if len(entries.at):
        place = periods.places(entries.at) * groups + group
        np.add.at(grid.reshape(-1), place * len(_COLUMNS) + entries.column, entries.cents)
    return periods.first_days, grid


def _tidy(summed: tuple[Any, Any], keys: pd.DataFrame, boundary: str) -> pd.DataFrame:
    first_days, grid = summed
    sums = dict(zip(_COLUMNS, grid.reshape(-1, len(_COLUMNS)).T, strict=True))
    net = sums["money_in_cents"] - sums["money_out_cents"]
    key = keys.take(np.tile(np.arange(len(keys)), len(first_days))).reset_index(drop=True)
    in_transit = net + sums["internal_cents"] - sums["moved_cents"]
    table = pd.DataFrame({
        "period": np.repeat(first_days, len(keys)),
        **key,
        "money_in_cents": sums["money_in_cents"],
        "money_out_cents": sums["money_out_cents"],
        "net_cents": net,
        "internal_cents": sums["internal_cents"],
        "in_transit_cents": in_transit if boundary == "sequence" else pd.NA,
        "pending_in_cents": sums["pending_in_cents"],
        "pending_out_cents": sums["pending_out_cents"],
        "spent_cents": sums["spent_cents"],
    })  # fmt: skip
    left_out = {"account_id": ["spent_cents"], "category": ["internal_cents"]}
    whole = ["internal_cents", "spent_cents"]
    return table.drop(columns=left_out[keys.columns[0]] if len(keys.columns) else whole)
