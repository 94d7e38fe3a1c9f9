"""What changed: the spending of a period against another one, over the same days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.columns import say, with_dollars
from seqdata.analysis.filters import Words, between
from seqdata.analysis.periods import EXAMPLES, Period
from seqdata.analysis.spend.spending import By, Spent, check_by, filter_spent, spent, sum_by
from seqdata.exceptions import InvalidFilter

#: How many periods before the mean is of, at most.
_TRAILING = {"day": 30, "week": 13, "month": 12, "quarter": 4, "year": 3}


def compare(
    rows: pd.DataFrame,
    period: str | date,
    previous: str | date = "previous",
    by: By | None = "category",
    *,
    whole: bool = False,
    account: Words | None = None,
    category: Words | None = None,
    include_moves: bool = False,
    by_day: str = "paid",
    accounts: pd.DataFrame | None = None,
    known_since: datetime | None = None,
    known_until: datetime | None = None,
) -> pd.DataFrame:
    """Return how the spending of a period differs from that of another one.

    Like is compared with like: of a period that is not over yet, or whose beginning is not known,
    the other one is taken over the same days from its beginning, up to the same time of day.

    Parameters
    ----------
    rows
        Transfers that were settled and categorized: all there are, since what is known begins
        and ends with them.
    period
        A year ("2026"), a quarter ("2026-Q3"), a month ("2026-10"), a week ("2026-W40") or a day
        ("2026-10-05").
    previous
        "previous" (the period before), "year ago" (the same period of the year before), "mean"
        (of the periods before that are known from their first day: at most 30 days, 13 weeks, 12
        months, 4 quarters or 3 years; rounded to a cent), or a period.
    by
        "category", "payee", "pod", "account", or several of these; None for the sum alone.
    whole
        Compare all that is known of both periods, though one may be longer.
    account, category, include_moves, by_day, accounts
        See :func:`seqdata.analysis.spending`.
    known_since, known_until
        From when on all transfers are here, and the moment of the last sync (tz-aware); by default
        those of the first and the last transfer.

    Returns
    -------
    DataFrame
        The columns of `by`, ``spent_cents``, ``spent``, ``before_cents``, ``before``,
        ``change_cents``, ``change`` and ``change_share`` (float64: the change as a share of
        what it was; NaN where that was nothing); ``days`` and ``before_days`` (Int64: how many
        days each was counted over, the running one included; of a mean, those of all its periods)
        and ``before_periods`` (Int64: of how many periods it is a mean). The largest change first.
        ``attrs["seqdata"]`` says which days were compared (``compared``), in words too
        (``in_words``).

    Raises
    ------
    InvalidFilter
        A word that cannot be used, or a period of which nothing is known; the message says
        which are.
    """
    words = check_by(by)
    asked, zone = Period.read("period", period), rows["created_at"].dt.tz
    known = _Known.of(rows, known_since, known_until, zone)
    known.check("period", period, asked)
    others = _others(asked, previous, known)
    spans = _spans(asked, others, known, whole=whole)
    found = spent(rows, include_moves=include_moves, by_day=by_day)
    found = filter_spent(found, rows, None, None, account, category, accounts)
    now, before = (_summed(found, rows, words, part, accounts) for part in (spans[:1], spans[1:]))
    changes = _changes(now, before, len(others))
    counts = {
        "days": spans[0].days, "before_days": sum(span.days for span in spans[1:]),
        "before_periods": len(others),
    }  # fmt: skip
    for name, count in counts.items():
        changes[name] = pd.array([count] * len(changes), dtype="Int64")
    facts = {"of": spans[0].facts(), "before": [span.facts() for span in spans[1:]]}
    said = _in_words(asked, spans, is_mean=previous == "mean", whole=whole)
    return say(changes, by_day=by_day, compared=facts, in_words=said)


# -- which periods ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Known:
    """From when to when transfers are known, as local times."""

    since: datetime
    until: datetime

    @classmethod
    def of(
        cls, rows: pd.DataFrame, since: datetime | None, until: datetime | None, zone: tzinfo
    ) -> _Known:
        ends = [end for name in ("created_at", "effective_at") for end in _ends(rows[name])]
        ends += [pd.Timestamp(until)] if until is not None else []
        if not ends:
            raise InvalidFilter("period", "any", ["none: no transfer is known"])
        first = min(ends) if since is None else pd.Timestamp(since)
        begin, end = (one.tz_convert(zone).tz_localize(None) for one in (first, max(ends)))
        return cls(begin.to_pydatetime(), end.to_pydatetime())

    def check(self, name: str, value: str | date, period: Period) -> None:
        """Refuse a period of which nothing is known."""
        if not (period.first <= self.until.date() and self.since.date() < period.end):
            raise InvalidFilter(name, value, self.words())

    def words(self) -> list[str]:
        return [f"from {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}, which is what is known"]


def _ends(moments: pd.Series[Any]) -> list[Any]:
    return [] if moments.isna().all() else [moments.min(), moments.max()]


def _others(asked: Period, previous: str | date, known: _Known) -> list[Period]:
    """Return the period or periods to compare with, oldest first."""
    if previous == "mean":
        before = [asked.shifted(-back) for back in range(_TRAILING[asked.freq], 0, -1)]
        found = [one for one in before if known.since.date() <= one.first <= known.until.date()]
        if not found:
            raise InvalidFilter("previous", "mean", known.words())
        return found
    if previous in ("previous", "year ago"):
        other = asked.shifted(-1) if previous == "previous" else asked.year_before()
    else:
        other = Period.read("previous", previous, ("previous", "year ago", "mean", *EXAMPLES))
    known.check("previous", previous, other)
    return [other]


@dataclass(frozen=True)
class _Span:
    """What is counted of a period: local times, the end exclusive."""

    since: datetime
    until: datetime

    @property
    def last(self) -> date:
        return (self.until - timedelta(microseconds=1)).date()

    @property
    def days(self) -> int:
        return (self.last - self.since.date()).days + 1

    def facts(self) -> list[str]:
        return [self.since.date().isoformat(), self.last.isoformat()]


def _spans(asked: Period, others: list[Period], known: _Known, *, whole: bool) -> list[_Span]:
    """Return what is counted of each period; the same stretch of all, unless the whole is asked."""
    first_of_all = datetime.combine(known.since.date(), time())
    firsts = [datetime.combine(one.first, time()) for one in (asked, *others)]
    ends = [datetime.combine(one.end, time()) for one in (asked, *others)]
    known_until = known.until + timedelta(microseconds=1)
    if whole:
        return [
            _Span(max(first, first_of_all), min(end, known_until))
            for first, end in zip(firsts, ends, strict=True)
        ]
    skipped = max(timedelta(), *(first_of_all - first for first in firsts))
    gone = [
        known_until - first for first, end in zip(firsts, ends, strict=True) if known_until < end
    ]
    taken = min(gone, default=None)
    spans = [
        _Span(first + skipped, end if taken is None else min(end, first + taken))
        for first, end in zip(firsts, ends, strict=True)
    ]
    if any(span.since >= span.until for span in spans):
        raise InvalidFilter(
            "period", str(asked), ["whole=True: no day of both is known", *known.words()]
        )
    return spans


def _in_words(asked: Period, spans: Sequence[_Span], *, is_mean: bool, whole: bool) -> str:
    now, first = spans[0], spans[1]
    other = f"{first.since:%Y-%m-%d} to {first.last}"
    if is_mean:
        over = "whole" if whole else "over the same days"
        other = f"the mean of {len(spans) - 1} {asked.freq}s before, {over}"
    return f"{now.since:%Y-%m-%d} to {now.last} against {other}"


# -- sums ------------------------------------------------------------------------------------


def _summed(
    found: Spent,
    rows: pd.DataFrame,
    words: list[str],
    spans: Sequence[_Span],
    accounts: pd.DataFrame | None,
) -> pd.DataFrame:
    each = [between(found.at, span.since, span.until).to_numpy() for span in spans]
    summed = sum_by(found.take(np.logical_or.reduce(each)), rows, words, {}, accounts)
    # The sum of nothing is a row too.
    return summed.drop(columns=["open_cents", "transfers"]).assign(
        **({} if words else {"all": "all"})
    )


def _changes(now: pd.DataFrame, before: pd.DataFrame, periods: int) -> pd.DataFrame:
    keys = [name for name in now.columns if name != "spent_cents"]
    before = before.rename(columns={"spent_cents": "before_cents"})
    merged = now.merge(before, how="outer", on=keys).fillna({"spent_cents": 0, "before_cents": 0})
    # Whole cents, rounded to the nearest, halves up.
    merged["before_cents"] = (2 * merged["before_cents"] + periods) // (2 * periods)
    merged["change_cents"] = merged["spent_cents"] - merged["before_cents"]
    was = merged["before_cents"].abs().to_numpy(np.float64)
    was[was == 0] = np.nan
    merged["change_share"] = merged["change_cents"].to_numpy(np.float64) / was
    order = merged.assign(size=-merged["change_cents"].abs()).sort_values(["size", *keys]).index
    sums = ["spent_cents", "before_cents", "change_cents", "change_share"]
    shown = merged[[*(key for key in keys if key != "all"), *sums]]
    return with_dollars(shown.loc[order].reset_index(drop=True))
