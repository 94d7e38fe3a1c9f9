"""What was spent: on what, with whom, from which pod, when.

Spending is settled money that leaves the accounts of the user: to merchants, to others, and to
what is owed (a card, a loan). A refund of a merchant and a reversal take away from it on the
day they settle. Money that goes to an own account outside of Sequence was moved, not spent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.filters import (
    Words,
    between,
    find_account,
    known_accounts,
    known_categories,
)
from seqdata.analysis.periods import FREQUENCIES, period_starts
from seqdata.analysis.spend.categories import MOVED, UNCATEGORIZED
from seqdata.core.moments import Moment
from seqdata.exceptions import InvalidFilter
from seqdata.sources.vocabulary import INSIDE, Party

By: TypeAlias = str | Sequence[str]

#: What spending can be asked by, apart from lengths of time.
SUBJECTS = ("category", "payee", "pod", "account")


@dataclass(frozen=True)
class Spent:
    """What adds to spending or takes away from it; arrays of equal length.

    ``row`` is a position in the transfers, ``at`` when it settled (tz-aware), ``cents`` signed
    int64. ``transfer`` is a number of the transfer that it is (a part of); NaN of a reversal, which
    is no transfer of its own.
    """

    row: Any
    at: pd.Series[Any]
    cents: Any
    transfer: Any

    def take(self, chosen: Any) -> Spent:
        """Return those that a mask chooses."""
        at = self.at[chosen].reset_index(drop=True)
        return Spent(self.row[chosen], at, self.cents[chosen], self.transfer[chosen])


def spending(
    rows: pd.DataFrame,
    by: By = "category",
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    account: str | None = None,
    category: Words | None = None,
    include_moves: bool = False,
    accounts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what was spent, by anything.

    Parameters
    ----------
    rows
        Transfers that were settled and categorized.
    by
        "category", "payee", "pod" (or port), "account" (which may also be one outside of
        Sequence), "day", "week", "month", "quarter", "year", or several of these.
    since, until
        Bounds of the day of settlement; `until` is exclusive.
    account
        Id or name of an account at either end.
    category
        One or several, in any case.
    include_moves
        Count what went to own accounts outside of Sequence too, as "Moved to own accounts".
        What came back from them takes nothing away.
    accounts
        The accounts table, so that one without transfers is known too.

    Returns
    -------
    DataFrame
        The columns of `by` (text; of a length of time its first day, naive ``datetime64[us]``),
        ``spent_cents`` (Int64) and ``spent``, below zero where more came back than went out,
        ``transfers`` (Int64: payments and refunds) and ``share`` of the total (float64; NaN
        where the total is zero). In the order of time, then the largest first.

    Raises
    ------
    InvalidFilter, InvalidMoment, UnknownAccount
        A word that cannot be used; the message lists the choices.
    """
    words = check_by(by, (*SUBJECTS, *FREQUENCIES))
    found = spent(rows, include_moves=include_moves)
    found = filter_spent(found, rows, since, until, account, category, accounts)
    summed = sum_by(found, rows, words)
    total = int(summed["spent_cents"].sum())
    summed["share"] = summed["spent_cents"].to_numpy(np.float64) / (total or np.nan)
    times = [word for word in words if word in FREQUENCIES]
    others = [word for word in words if word not in FREQUENCIES]
    ordered = summed.sort_values(
        [*times, "spent_cents", *others],
        ascending=[*(True for _ in times), False, *(True for _ in others)],
        ignore_index=True,
    )
    return with_dollars(ordered)


def uncategorized(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the payees that no rule and no annotation names, the largest first.

    Returns
    -------
    DataFrame
        ``payee``, ``spent_cents``, ``spent`` and ``transfers``, as :func:`spending` gives them.
    """
    return spending(rows, "payee", category=UNCATEGORIZED).drop(columns="share")


def spent(rows: pd.DataFrame, *, include_moves: bool = False) -> Spent:
    """Find what of the transfers is spending: payments, refunds and reversals."""
    is_payment = (rows["direction"] == "OUTGOING").to_numpy()
    is_refund = _refunds(rows).to_numpy()
    counts = is_payment | is_refund
    if not include_moves:
        counts &= (rows["category"] != MOVED).to_numpy()
    found = settled(rows, counts)
    return replace(found, cents=np.where(is_refund[found.row], -found.cents, found.cents))


def settled(rows: pd.DataFrame, wanted: Any) -> Spent:
    """Find what of the wanted transfers (a mask) settled, and take off what was reversed."""
    counts = wanted & (rows["effective_at"].notna() & rows["amount_cents"].notna()).to_numpy()
    paid = np.flatnonzero(counts)
    undone = np.flatnonzero(counts & rows["returned_at"].notna().to_numpy())
    at = pd.concat([rows["effective_at"].iloc[paid], rows["returned_at"].iloc[undone]])
    row = np.concatenate([paid, undone])
    sign = np.repeat([1, -1], [len(paid), len(undone)])
    cents = sign * rows["amount_cents"].to_numpy(np.int64, na_value=0)[row]
    numbers = pd.factorize(rows["id"])[0].astype(np.float64)
    transfer = np.concatenate([numbers[paid], np.full(len(undone), np.nan)])
    return Spent(row, at.reset_index(drop=True), cents, transfer)


def filter_spent(
    found: Spent,
    rows: pd.DataFrame,
    since: Moment | None = None,
    until: Moment | None = None,
    account: str | None = None,
    category: Words | None = None,
    accounts: pd.DataFrame | None = None,
) -> Spent:
    """Return what passes the filters of :func:`spending`."""
    keep = between(found.at, since, until).to_numpy()
    if account is not None:
        ids = find_account(account, known_accounts(rows, accounts))
        is_its = rows["source_id"].isin(ids) | rows["destination_id"].isin(ids)
        keep = keep & is_its.to_numpy()[found.row]
    if category is not None:
        chosen = known_categories(category, rows["category"])
        keep = keep & rows["category"].isin(chosen).to_numpy()[found.row]
    return found.take(keep)


def sum_by(found: Spent, rows: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Sum it by the words: their columns, ``spent_cents`` and ``transfers``, both Int64."""
    columns = {word: _column(word, found, rows) for word in words}
    summed = summed_by(columns, found, "spent_cents")
    types = {word: "str" for word in words if word in SUBJECTS}
    return summed.astype({**types, "spent_cents": "Int64", "transfers": "Int64"})


def summed_by(columns: Mapping[str, Any], found: Spent, name: str) -> pd.DataFrame:
    """Sum the cents by columns, as `name`, and count the transfers, of which parts are one."""
    rows = pd.DataFrame({**columns, name: found.cents, "transfers": found.transfer})
    grouped = rows.groupby(list(columns), observed=True, dropna=False, sort=False)
    return grouped.agg({name: "sum", "transfers": "nunique"}).reset_index()


def check_by(by: By, choices: Sequence[str]) -> list[str]:
    """Return the words of `by`, each once, or raise InvalidFilter with the choices."""
    words = list(dict.fromkeys([by] if isinstance(by, str) else by))
    if not words:
        raise InvalidFilter("by", by, choices)
    for word in words:
        if word not in choices:
            raise InvalidFilter("by", word, choices)
    return words


def _column(word: str, found: Spent, rows: pd.DataFrame) -> Any:
    if word in FREQUENCIES:
        return period_starts(found.at, word)
    if word not in ("pod", "account"):
        return rows[word].array.take(found.row)
    is_refund = _refunds(rows)
    ours = rows["destination_name"].where(is_refund, rows["source_name"])
    if word == "pod":
        inside = rows[["source_party", "destination_party"]].isin(INSIDE)
        ours = ours.where(inside["destination_party"].where(is_refund, inside["source_party"]))
    return ours.array.take(found.row)


def _refunds(rows: pd.DataFrame) -> pd.Series[Any]:
    return (rows["direction"] == "INCOMING") & (rows["source_party"] == Party.MERCHANT)
