"""What a chart says about its data: how old, how complete, and whether it is disguised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from seqdata.analysis.columns import require
from seqdata.analysis.periods import Period
from seqdata.exceptions import UsageError
from seqdata.plots.words import day_words, dollars_of, literal, span_words

#: How many names a note lists before it counts the rest.
_LISTED = 6

#: The filters that say of what a table is, beside since and until.
_SELECTING = ("account", "category", "direction", "state", "status", "text")


def facts_of(table: pd.DataFrame) -> Mapping[str, Any]:
    """Return what ``attrs["seqdata"]`` says about a table."""
    facts = table.attrs.get("seqdata")
    return facts if isinstance(facts, Mapping) else {}


def note_of(attrs: Mapping[str, Any] | None) -> str | None:
    """Make the sentence that a chart shows about its data.

    Parameters
    ----------
    attrs
        A table's ``attrs``, or what stands in them under "seqdata": ``share_safe``,
        ``is_sandbox``, ``is_complete``, ``gaps``, ``last_sync_at`` and ``timezone``.

    Returns
    -------
    str or None
        None if there is nothing to say. The day of the last sync is always said, and no clock
        is asked: the reader knows what day it is.
    """
    facts: Mapping[str, Any] = (attrs or {}).get("seqdata", attrs or {}) or {}
    said = [_disguise(facts), _sandbox(facts), _completeness(facts), _age(facts), _day(facts)]
    return " ".join(filter(None, said)) or None


def _disguise(facts: Mapping[str, Any]) -> str:
    return "Amounts and names disguised." if facts.get("share_safe") else ""


def _sandbox(facts: Mapping[str, Any]) -> str:
    return "Made-up data of a sandbox." if facts.get("is_sandbox") is True else ""


def _completeness(facts: Mapping[str, Any]) -> str:
    gaps = [literal(gap).rstrip(".") for gap in facts.get("gaps") or []]
    if facts.get("is_complete") is False or gaps:
        return f"Incomplete: {listed(gaps, '; ') or 'not everything was fetched yet'}."
    if "is_complete" in facts and facts["is_complete"] is None:
        return "It is not known whether this is complete."
    return ""


def _age(facts: Mapping[str, Any]) -> str:
    text = facts.get("last_sync_at")
    return f"As of {day_words(_local(text, facts))}." if text else ""


def _day(facts: Mapping[str, Any]) -> str:
    return {
        "paid": "Payments count on the day they were made.",
        "settled": "Payments count on the day they settled.",
        "moved": "Money leaves a balance the day it is paid, and joins it the day it settles.",
    }.get(str(facts.get("by_day")), "")


@dataclass(frozen=True)
class Partial:
    """Which of a table's periods are not whole: the first days of these, and what is said."""

    periods: frozenset[pd.Timestamp]
    said: tuple[str, ...]

    def among(self, periods: Iterable[Any]) -> list[bool]:
        """Say of each period whether it is not whole."""
        return [pd.Timestamp(one) in self.periods for one in periods]


def partial(table: pd.DataFrame, periods: pd.Series[Any], end: Any, label: str) -> Partial:
    """Find the first and the last period, which ends before `end`, if they are not whole."""
    found, said = [], []
    if not len(periods):
        return Partial(frozenset(), ())
    since, until = _edges(table)
    first, last = pd.Timestamp(periods.min()), pd.Timestamp(periods.max())
    if since is not None and first < since < pd.Timestamp(Period(label, first.date()).end):
        found.append(first)
        said.append(f"The first {label} is not whole: from {day_words(since)}.")
    if until is not None and last <= until < pd.Timestamp(end) - pd.Timedelta(1, "us"):
        found.append(last)
        said.append(f"The last {label} is not over: up to {day_words(until)}.")
    return Partial(frozenset(found), tuple(said))


def _edges(table: pd.DataFrame) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return from when and until when a table counts, as naive local times."""
    facts = facts_of(table)
    filters = facts.get("filters") or {}
    begins = [facts.get("since"), filters.get("since")]
    since = max((_naive(_local(one, facts)) for one in begins if one), default=None)
    ends = [filters.get("until"), facts.get("last_sync_at")]
    until = min((_naive(_local(one, facts)) for one in ends if one), default=None)
    return since, None if until is None else until - pd.Timedelta(1, "us")


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """List a few names, and count the rest."""
    rest = len(names) - _LISTED
    shown = names if rest <= 1 else names[:_LISTED]
    return separator.join(shown) + (f" and {rest} more" if rest > 1 else "")


def told_edges(table: pd.DataFrame) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return the first and the last moment that a table covers, as its attrs tell.

    That is ``span`` (two days), else what it was filtered by, and at the end the last sync.
    """
    facts = facts_of(table)
    filters = facts.get("filters") or {}
    first, last = facts.get("span") or (None, None)
    first = first or filters.get("since")
    if not last and filters.get("until"):
        last = pd.Timestamp(filters["until"]) - pd.Timedelta(1, "us")
    if not last and facts.get("last_sync_at"):
        last = _local(facts["last_sync_at"], facts)
    return _naive(first) if first else None, _naive(last) if last else None


def told_span(table: pd.DataFrame) -> str:
    """Say which days a table without dates covers."""
    first, last = told_edges(table)
    if first is not None and last is not None and first <= last:
        return span_words(first, last)
    if first is not None:
        return f"since {day_words(first)}"
    return f"up to {day_words(last)}" if last is not None else ""


def told_frequency(table: pd.DataFrame) -> Any:
    """Return the frequency that a table was asked for, if its attrs say so."""
    facts = facts_of(table)
    return facts.get("freq") or (facts.get("filters") or {}).get("freq")


def _naive(moment: Any) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_localize(None)


def _local(text: str, facts: Mapping[str, Any]) -> pd.Timestamp:
    moment = pd.Timestamp(text)
    if moment.tzinfo is not None and facts.get("timezone"):
        moment = moment.tz_convert(facts["timezone"])
    return moment


def nothing(what: str, table: pd.DataFrame) -> str:
    """Say that there is nothing to draw: "No spending between … and …."."""
    facts = facts_of(table)
    filters = facts.get("filters") or {}
    first, last = facts.get("span") or (filters.get("since"), filters.get("until"))
    others = [f"{name} {_value(filters[name])}" for name in _SELECTING if filters.get(name)]
    of = f" ({listed(others)})" if others else ""
    if first and last:
        return f"No {what} between {day_words(_naive(first))} and {day_words(_naive(last))}{of}."
    if first or last:
        side = "since" if first else "before"
        return f"No {what} {side} {day_words(_naive(first or last))}{of}."
    return f"No {what} in this table{of}."


def _value(value: Any) -> str:
    return listed([literal(str(one)) for one in value]) if isinstance(value, list) else str(value)


def check_table(table: Any, columns: Sequence[str], function: str, maker: str) -> None:
    """Refuse a table that lacks columns, and name the function that makes the right one."""
    if not isinstance(table, pd.DataFrame):
        raise UsageError(
            f"plots.{function} draws a DataFrame of {maker}, and got {type(table).__name__}."
        )
    require(table, f"of plots.{function}", columns, maker)


def told_by(drawn: pd.DataFrame) -> list[str]:
    """Say in a sentence what a drawn table says: sums, the largest part, the last balances."""
    if drawn.empty:
        return []
    if "moved_cents" in drawn:
        top = drawn.iloc[int(drawn["moved_cents"].to_numpy().argmax())]
        moved = dollars_of(top["moved_cents"] / 100)
        return [f"The widest stream is {moved} from {top['from_name']} to {top['to_name']}"]
    if "net_cents" in drawn:
        net = int(drawn["net_cents"].sum())
        word = "more came in than went out" if net >= 0 else "more went out than came in"
        return [f"{dollars_of(abs(net) / 100)} {word}"]
    if "balance_cents" in drawn:
        return [_told_balances(drawn)]
    if "spent_cents" in drawn:
        return [_told_spending(drawn)]
    return [f"{len(drawn)} are drawn"]


def _told_balances(drawn: pd.DataFrame) -> str:
    last = drawn.sort_values("date", kind="stable").drop_duplicates("account_id", keep="last")
    ranked = last.assign(size=-last["balance"].abs()).sort_values("size", kind="stable")
    rows: Any = ranked.itertuples()
    named = [f"{literal(row.name)} {dollars_of(row.balance)}" for row in rows]
    return f"On {day_words(last['date'].max())}: {listed(named)}"


def _told_spending(drawn: pd.DataFrame) -> str:
    by = next((name for name in ("label", "period") if name in drawn), None)
    total = dollars_of(drawn["spent_cents"].sum() / 100)
    if by is None:
        return f"{total} in all"
    sums = drawn.groupby(by, sort=False)["spent_cents"].sum()
    top = sums.idxmax()
    name = day_words(top) if isinstance(top, pd.Timestamp) else literal(top)
    return f"{total} in all, the largest part {name}: {dollars_of(sums.max() / 100)}"
