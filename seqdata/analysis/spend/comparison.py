"""What changed: the spending of a period against another one."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.filters import Words
from seqdata.analysis.spend.spending import (
    SUBJECTS,
    By,
    Spent,
    check_by,
    filter_spent,
    spent,
    sum_by,
)
from seqdata.exceptions import InvalidFilter

#: How many periods before the mean is of, at most, and how many make a year; by pandas' letter.
_TRAILING = {"D": 30, "M": 12, "Q": 4, "Y": 3}
_YEAR = {"M": 12, "Q": 4, "Y": 1}

_PERIODS = {
    r"\d{4}": "Y",
    r"\d{4}-Q[1-4]": "Q",
    r"\d{4}-\d{2}": "M",
    r"\d{4}-\d{2}-\d{2}": "D",
}
_EXAMPLES = ("2026", "2026-Q3", "2026-10", "2026-10-05")


def compare(
    rows: pd.DataFrame,
    period: str | date,
    previous: str | date = "previous",
    by: By = "category",
    *,
    account: str | None = None,
    category: Words | None = None,
    include_moves: bool = False,
    accounts: pd.DataFrame | None = None,
    known_until: datetime | None = None,
) -> pd.DataFrame:
    """Return how the spending of a period differs from that of another one.

    A period that is not over yet is taken as far as it goes.

    Parameters
    ----------
    rows
        Transfers that were settled and categorized: all there are, since what is known begins
        and ends with them.
    period
        A year ("2026"), a quarter ("2026-Q3"), a month ("2026-10") or a day ("2026-10-05").
    previous
        "previous" (the period before), "year ago" (the same period of the year before), "mean"
        (of the periods before that are known from their first day: at most 30 days, 12 months,
        4 quarters or 3 years; rounded to a cent), or a period.
    by
        "category", "payee", "pod", "account", or several of these.
    account, category, include_moves, accounts
        See :func:`seqdata.analysis.spending`.
    known_until
        The moment of the last sync (tz-aware); by default that of the last transfer.

    Returns
    -------
    DataFrame
        The columns of `by`, ``spent_cents``, ``spent``, ``previous_cents``, ``previous``,
        ``change_cents``, ``change`` and ``change_share`` (float64: the change as a share of
        what it was; NaN where that was nothing). The largest change first.

    Raises
    ------
    InvalidFilter
        A word that cannot be used, or a period of which nothing is known; the message says
        which are.
    """
    words = check_by(by, SUBJECTS)
    asked = _period("period", period)
    span = _known_span(rows, known_until)
    _check_known("period", period, asked, span)
    others = _others(asked, previous, span)
    found = filter_spent(
        spent(rows, include_moves=include_moves), rows, None, None, account, category, accounts
    )
    now = _summed(found, rows, words, asked, asked)
    before = _summed(found, rows, words, others[0], others[-1])
    before = before.rename(columns={"spent_cents": "previous_cents"})
    before["previous_cents"] = _divided(before["previous_cents"], len(others))
    return _changes(now.merge(before, how="outer", on=words), words)


def _changes(merged: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    merged = merged.fillna({"spent_cents": 0, "previous_cents": 0})
    merged["change_cents"] = merged["spent_cents"] - merged["previous_cents"]
    was = merged["previous_cents"].abs().to_numpy(np.float64)
    was[was == 0] = np.nan
    merged["change_share"] = merged["change_cents"].to_numpy(np.float64) / was
    order = merged.assign(size=-merged["change_cents"].abs()).sort_values(["size", *words]).index
    return with_dollars(merged.loc[order].reset_index(drop=True))


def _summed(
    found: Spent, rows: pd.DataFrame, words: list[str], first: pd.Period, last: pd.Period
) -> pd.DataFrame:
    since, until = first.start_time.date(), (last + 1).start_time.date()
    chosen = filter_spent(found, rows, since, until)
    return sum_by(chosen, rows, words).drop(columns="transfers")


def _divided(cents: pd.Series[Any], parts: int) -> pd.Series[Any]:
    """Divide whole cents and round to the nearest, halves up."""
    return (2 * cents + parts) // (2 * parts)


def _period(name: str, value: str | date, choices: tuple[str, ...] = _EXAMPLES) -> pd.Period:
    text = value.isoformat()[:10] if isinstance(value, date) else str(value).strip()
    for pattern, freq in _PERIODS.items():
        if re.fullmatch(pattern, text, re.ASCII):
            try:
                return pd.Period(text, freq)
            except ValueError:
                break
    raise InvalidFilter(name, value, choices)


def _others(asked: pd.Period, previous: str | date, span: tuple[date, date]) -> list[pd.Period]:
    """Return the period or periods to compare with, oldest first."""
    if previous == "mean":
        return _trailing(asked, span)
    if previous == "previous":
        other = asked - 1
    elif previous == "year ago":
        other = _year_before(asked)
    else:
        other = _period("previous", previous, ("previous", "year ago", "mean", *_EXAMPLES))
    _check_known("previous", previous, other, span)
    return [other]


def _trailing(asked: pd.Period, span: tuple[date, date]) -> list[pd.Period]:
    count = _TRAILING[str(asked.freqstr)[0]]
    known = [
        other
        for other in (asked - back for back in range(count, 0, -1))
        if span[0] <= other.start_time.date() <= span[1]
    ]
    if not known:
        raise InvalidFilter("previous", "mean", _span_words(span))
    return known


def _year_before(asked: pd.Period) -> pd.Period:
    freq = str(asked.freqstr)[0]
    if freq == "D":
        return pd.Period(asked.start_time - pd.DateOffset(years=1), "D")
    return asked - _YEAR[freq]


def _known_span(rows: pd.DataFrame, known_until: datetime | None) -> tuple[date, date]:
    """Return the first and the last day of which something is known."""
    moments = [moment for name in ("created_at", "effective_at") for moment in _ends(rows[name])]
    if known_until is not None:
        moments.append(pd.Timestamp(known_until).tz_convert(rows["effective_at"].dt.tz))
    if not moments:
        raise InvalidFilter("period", "any", ["none: no transfer is known"])
    return min(moments).date(), max(moments).date()


def _ends(moments: pd.Series[Any]) -> list[Any]:
    return [] if moments.isna().all() else [moments.min(), moments.max()]


def _check_known(name: str, value: str | date, asked: pd.Period, span: tuple[date, date]) -> None:
    if asked.end_time.date() < span[0] or asked.start_time.date() > span[1]:
        raise InvalidFilter(name, str(value), _span_words(span))


def _span_words(span: tuple[date, date]) -> list[str]:
    return [f"periods from {span[0]} to {span[1]}"]
