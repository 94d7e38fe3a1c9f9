"""What was spent: on what, with whom, from which pod, when.

Spending is what leaves the accounts of the user: to merchants, to others, and to what is owed (a
card, a loan). It counts on the day on which it was paid, when the transfer was made, and a refund
of a merchant or a reversal takes away from it on the day it came. What is open stands beside it.
Money that goes to an own account outside of Sequence was moved, not spent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from seqdata.analysis.accounts import known_names, names_of, own_keys, shown_names
from seqdata.analysis.columns import require, say, widened, with_dollars
from seqdata.analysis.filters import Words, between, find_account, known_categories, words_of
from seqdata.analysis.periods import FREQUENCIES, check_frequency, period_starts
from seqdata.analysis.settlement import is_open
from seqdata.analysis.spend.categories import MOVED, UNCATEGORIZED
from seqdata.core.logs import logger
from seqdata.core.moments import Moment
from seqdata.exceptions import InvalidFilter
from seqdata.sources.vocabulary import INSIDE, Party

log = logger(__name__)

By: TypeAlias = str | Sequence[str]

#: What spending can be asked by; those of which there is an id beside the name.
SUBJECTS = ("category", "payee", "pod", "account")
_WITH_IDS = ("pod", "account")

#: On which day a payment counts: when it was made, or when its money had arrived.
DAYS = ("paid", "settled")

_FACTS = ("created_at", "effective_at", "returned_at", "state", "payee", "category")


@dataclass(frozen=True)
class Spent:
    """What adds to spending or takes away from it; arrays of equal length.

    ``row`` is a position in the transfers, ``at`` the moment it counts (tz-aware), ``cents`` signed
    int64, ``is_open`` whether it is on its way. ``transfer`` is a number of the transfer that it is
    (a part of); -1 of what is open, and of a reversal, which is no transfer of its own.
    """

    row: Any
    at: pd.Series[Any]
    cents: Any
    transfer: Any
    is_open: Any

    def take(self, chosen: Any) -> Spent:
        """Return those that a mask chooses."""
        if chosen.all():
            return self
        at = self.at[chosen].reset_index(drop=True)
        arrays = (self.cents, self.transfer, self.is_open)
        return Spent(self.row[chosen], at, *(values[chosen] for values in arrays))


def spending(
    rows: pd.DataFrame,
    by: By | None = "category",
    *,
    freq: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    account: Words | None = None,
    category: Words | None = None,
    include_moves: bool = False,
    by_day: str = "paid",
    wide: bool = False,
    accounts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what was spent, by anything.

    Payments on your own cards and loans are spent here; ``cash_flow(boundary="own")`` leaves them
    out, since they stay among your accounts, and ``cash_flow(by="category")`` shows both.

    Parameters
    ----------
    rows
        Transfers that were settled and categorized.
    by
        "category", "payee", "pod" (or port), "account" (which may also be one outside of
        Sequence), or several of these; None for the sum alone.
    freq
        "day", "week" (from Monday), "month", "quarter" or "year": by these periods too.
    since, until
        Bounds of the day; `until` is exclusive.
    account
        Id or name of an account at either end, or several.
    category
        One or several, in any case.
    include_moves
        Count what went to own accounts outside of Sequence too, as "Moved to own accounts".
        What came back from them takes nothing away.
    by_day
        "paid": a payment counts on the day on which it was made. "settled": on that on which its
        money had arrived. Refunds and reversals count on the day they came, whichever it is.
    wide
        Return dollars (``spent``) in a column for each name, with the periods as index.
    accounts
        The accounts table, so that one without transfers is known too, and by its newest name.

    Returns
    -------
    DataFrame
        ``period`` (naive ``datetime64[us]``, its first day; with `freq`), the columns of `by`
        (text; beside a pod or an account its id, by which it is grouped), ``spent_cents`` (Int64)
        and ``spent``: settled, below zero where more came back than went out. ``open_cents`` and
        ``open``: on its way, by the day it was paid (NA with ``by_day="settled"``: it has none);
        what fails leaves again. ``transfers`` (Int64: payments and refunds that settled),
        ``share`` of the total, and with `freq` ``period_share`` of the period's (float64, from 0
        to 1; NaN where it is no part: below zero, or more than a total that refunds lessen). In
        the order of time, then the largest first.

    Raises
    ------
    InvalidFilter, InvalidMoment, MissingColumns, UnknownAccount
        A value that cannot be used; the message lists the choices.
    """
    by, freq = _periods_of_before(by, freq)
    words = check_by(by)
    found = spent(rows, include_moves=include_moves, by_day=by_day)
    found = filter_spent(found, rows, since, until, account, category, accounts)
    times = {} if freq is None else {"period": period_starts(found.at, check_frequency(freq))}
    summed = sum_by(found, rows, words, times, accounts)
    if by_day == "settled":
        summed["open_cents"] = pd.NA
    shares = {"share": _share(summed["spent_cents"], summed["spent_cents"].sum())}
    if freq is not None:
        total = summed.groupby("period")["spent_cents"].transform("sum")
        shares["period_share"] = _share(summed["spent_cents"], total.to_numpy(np.float64))
    sums = ["spent_cents", "open_cents", "transfers"]
    keys = [str(name) for name in summed if name not in ("period", *sums)]
    ordered = summed.assign(**shares).sort_values(
        [*times, *sums[:2], *keys],
        ascending=[*(True for _ in times), False, False, *(True for _ in keys)],
        ignore_index=True,
    )
    made = say(with_dollars(ordered), by_day=by_day, debts="payments on cards and loans are spent")
    return widened(made, "period", words, "spent") if wide else made


def uncategorized(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the payees that no rule and no annotation names, the largest first.

    Returns
    -------
    DataFrame
        ``payee``, ``spent_cents``, ``spent``, ``open_cents``, ``open`` and ``transfers``, as
        :func:`spending` gives them.
    """
    return spending(rows, "payee", category=UNCATEGORIZED).drop(columns="share")


# -- what counts, and when -----------------------------------------------------------------------


def spent(rows: pd.DataFrame, *, include_moves: bool = False, by_day: str = "paid") -> Spent:
    """Find what of the transfers is spending: payments, refunds and reversals, and what is open."""
    require(rows, "rows", _FACTS, "Ledger.categorized()")
    if by_day not in DAYS:
        raise InvalidFilter("by_day", by_day, DAYS)
    is_refund = _refunds(rows)
    is_payment = (rows["direction"] == "OUTGOING").to_numpy()
    if not include_moves:
        is_payment = is_payment & (rows["category"] != MOVED).to_numpy()
        is_refund = is_refund & (rows["category"] != MOVED).to_numpy()
    paid_at = rows["created_at"] if by_day == "paid" else rows["effective_at"]
    at = paid_at.where(paid_at.notna() & ~is_refund, rows["effective_at"])
    signed = settled(rows, is_payment | is_refund, at, is_refund)
    if by_day == "settled":
        return signed
    waits = np.flatnonzero(is_payment & is_open(rows).to_numpy() & _has(rows, "created_at"))
    return _joined([signed, _made(rows, waits, rows["created_at"], 1, is_open=True)])


def settled(
    rows: pd.DataFrame, wanted: Any, at: pd.Series[Any] | None = None, is_refund: Any = None
) -> Spent:
    """Find what of the wanted transfers (a mask) settled, and take off what was reversed.

    `at` says when each counts, by default when it settled. A refund (a mask) takes away.
    """
    counts = wanted & _has(rows, "effective_at")
    paid, undone = np.flatnonzero(counts), np.flatnonzero(counts & rows["returned_at"].notna())
    moments = rows["effective_at"] if at is None else at
    found = _joined([
        _made(rows, paid, moments, 1, numbers=_numbers(rows)),
        _made(rows, undone, rows["returned_at"], -1),
    ])  # fmt: skip
    if is_refund is None:
        return found
    return Spent(
        **{**vars(found), "cents": np.where(is_refund[found.row], -found.cents, found.cents)}
    )


def _has(rows: pd.DataFrame, moment: str) -> Any:
    return (rows[moment].notna() & rows["amount_cents"].notna()).to_numpy()


def _made(
    rows: pd.DataFrame, places: Any, at: pd.Series[Any], sign: int, *, numbers: Any = None,
    is_open: bool = False,
) -> Spent:  # fmt: skip
    return Spent(
        places,
        at.iloc[places],
        sign * rows["amount_cents"].to_numpy(np.int64, na_value=0)[places],
        np.full(len(places), -1) if numbers is None else numbers[places],
        np.full(len(places), is_open),
    )


def _joined(parts: Sequence[Spent]) -> Spent:
    kept = [part for part in parts if len(part.row)] or list(parts[:1])
    at = pd.concat([part.at for part in kept]).reset_index(drop=True)
    names = ("row", "cents", "transfer", "is_open")
    row, *more = (np.concatenate([getattr(part, name) for part in kept]) for name in names)
    return Spent(row, at, *more)


def _numbers(rows: pd.DataFrame) -> Any:
    """Return a number for each transfer; the parts of one that was split have one number."""
    numbers = np.arange(len(rows))
    if "whole_cents" in rows:
        parts = np.flatnonzero(rows["whole_cents"].notna())
        numbers[parts] = len(rows) + pd.factorize(rows["id"].iloc[parts])[0]
    return numbers


def filter_spent(
    found: Spent,
    rows: pd.DataFrame,
    since: Moment | None = None,
    until: Moment | None = None,
    account: Words | None = None,
    category: Words | None = None,
    accounts: pd.DataFrame | None = None,
) -> Spent:
    """Return what passes the filters of :func:`spending`."""
    if (since, until) != (None, None):
        found = found.take(between(found.at, since, until).to_numpy())
    if account is not None:
        ids = find_account(account, known_names(rows, accounts))
        is_its = rows["source_id"].isin(ids) | rows["destination_id"].isin(ids)
        found = found.take(is_its.to_numpy()[found.row])
    if category is not None:
        chosen = known_categories(category, rows["category"])
        found = found.take(rows["category"].isin(chosen).to_numpy()[found.row])
    return found


# -- by what -------------------------------------------------------------------------------------


def _periods_of_before(by: By | None, freq: str | None) -> tuple[By | None, str | None]:
    """Read a period among the words of `by`, as scripts of before have it; a warning says so."""
    words = [by] if isinstance(by, str) else [] if by is None else list(by)
    periods = [word for word in words if word in FREQUENCIES]
    if len(periods) != 1 or freq is not None:
        return by, freq
    log.warning("by=%r is called freq=%r now, and its column period", periods[0], periods[0])
    return [word for word in words if word not in FREQUENCIES] or None, periods[0]


def check_by(by: By | None) -> list[str]:
    """Return the words of `by`, each once, or raise InvalidFilter with the choices."""
    words = [] if by is None else list(dict.fromkeys(words_of("by", by)))
    if not words and by is not None:
        raise InvalidFilter("by", by, SUBJECTS)
    for word in words:
        if word not in SUBJECTS:
            more = [f"or freq={word!r}"] if word in FREQUENCIES else []
            raise InvalidFilter("by", word, [*SUBJECTS, *more])
    return words


def sum_by(
    found: Spent,
    rows: pd.DataFrame,
    words: Sequence[str],
    times: Mapping[str, Any],
    accounts: pd.DataFrame | None,
) -> pd.DataFrame:
    """Sum it by periods and subjects: their columns, then ``spent_cents`` to ``transfers``."""
    keys = {word: _key(word, found, rows) for word in words}
    summed = summed_by({**times, **keys}, found, "spent_cents")
    ids = [word for word in words if word in _WITH_IDS]
    if not ids:
        return summed.astype(dict.fromkeys(words, "str"))
    shown = shown_names(known_names(rows, accounts), accounts)
    columns: dict[str, Any] = {}
    for name in map(str, summed):
        if name not in ids:
            columns[name] = summed[name].astype("str") if name in words else summed[name]
            continue
        columns[name], columns[f"{name}_id"] = names_of(summed[name], shown)
    return pd.DataFrame(columns)


def summed_by(columns: Mapping[str, Any], found: Spent, name: str) -> pd.DataFrame:
    """Sum the cents by columns, as `name`, and count the transfers, of which parts are one.

    What is open is summed apart, as ``open_cents``.
    """
    codes, keys = _grouped(columns, len(found.row))
    sums = {name: np.zeros(len(keys), np.int64), "open_cents": np.zeros(len(keys), np.int64)}
    for chosen, label in ((~found.is_open, name), (found.is_open, "open_cents")):
        np.add.at(sums[label], codes[chosen], found.cents[chosen])
    one = found.transfer >= 0
    pairs = pd.DataFrame({"key": codes[one], "transfer": found.transfer[one]})
    counts = np.bincount(pairs.drop_duplicates()["key"], minlength=len(keys))
    return keys.assign(**sums, transfers=counts).astype(
        dict.fromkeys((name, "open_cents", "transfers"), "Int64")
    )


def _grouped(columns: Mapping[str, Any], length: int) -> tuple[Any, pd.DataFrame]:
    """Return the number of each row's group, and what each group is of every column."""
    joint = np.zeros(length, np.int64)
    for values in columns.values():
        codes, known = pd.factorize(values)
        joint = joint * (len(known) + 1) + codes + 1
        joint = pd.factorize(joint)[0] if len(columns) > 1 else joint
    codes, _ = pd.factorize(joint)
    first = np.zeros(codes.max(initial=-1) + 1, np.int64)
    first[codes[::-1]] = np.arange(length)[::-1]
    made = {name: pd.Series(values).iloc[first].array for name, values in columns.items()}
    return codes, pd.DataFrame(made, index=pd.RangeIndex(len(first)))


def _share(cents: pd.Series[Any], total: Any) -> Any:
    """Return what part of the total it is; NaN where it is no part."""
    whole = np.asarray(total, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = cents.to_numpy(np.float64) / whole
    return np.where((share >= 0) & (share <= 1) & (whole > 0), share, np.nan)


def _key(word: str, found: Spent, rows: pd.DataFrame) -> Any:
    """Return what it is summed by: a name, or the id of an account."""
    if word not in _WITH_IDS:
        return rows[word].array.take(found.row)
    comes_back = _refunds(rows)[found.row]
    here, there = (
        rows[[f"{end}_id", f"{end}_name", f"{end}_party"]].iloc[found.row]
        for end in ("source", "destination")
    )
    keys = [own_keys(end.iloc[:, 0], end.iloc[:, 1]) for end in (here, there)]
    if word == "pod":
        is_inside = [end.iloc[:, 2].isin(INSIDE) for end in (here, there)]
        keys = [key.where(inside) for key, inside in zip(keys, is_inside, strict=True)]
    return keys[0].mask(comes_back, keys[1])


def _refunds(rows: pd.DataFrame) -> Any:
    comes_in = rows["direction"] == "INCOMING"
    return (comes_in & (rows["source_party"] == Party.MERCHANT)).to_numpy()
