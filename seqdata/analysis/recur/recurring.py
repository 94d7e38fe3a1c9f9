"""Subscriptions, bills, paychecks and standing transfers, found in the transfers themselves.

A series is one payee on one account in one direction (between pods: one pair of them), or one of
the things that it is paid for: see :mod:`seqdata.analysis.recur.series`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seqdata.analysis.columns import with_dollars
from seqdata.analysis.recur.amounts import quantile, stable_levels
from seqdata.analysis.recur.cadence import CADENCES, GRACE, PAUSE, PERIOD_DAYS
from seqdata.analysis.recur.rows import Rows
from seqdata.analysis.recur.rule import Rule, find_rules
from seqdata.analysis.recur.series import find_labels, local_days, other_parties
from seqdata.analysis.spend.categories import DEBT
from seqdata.sources.vocabulary import OWN, Party

KINDS = ("subscription", "bill", "debt", "paycheck", "income", "transfer")

#: What is to be said of a series.
NOTES = ("not renewed", "stopped", "missed", "rose", "fell", "seasonal", "paused")

#: Days between two turns from which a series is rare: half-yearly, yearly.
_RARE = 180

#: The least usual amount of a paycheck, and the most of a subscription, in cents.
LEAST_PAYCHECK, MOST_SUBSCRIPTION = 250_00, 250_00

#: Cents a month are no subscription.
_LEAST_SUBSCRIPTION = 1_00

#: Who is at the other end, where nothing says so.
UNNAMED = "unnamed"

#: The most days, after one was due, until a series that is rare has stopped.
_PATIENCE = 45

#: Days that count for the usual amount: a year of seasons, and a little.
_MEMORY = 400

#: What :func:`find_series` reads of a transfer.
_READ = [
    "created_at", "effective_at", "returned_at", "amount_cents", "direction", "state", "payee",
    "category",
    *(f"{end}_{fact}" for end in ("source", "destination") for fact in ("id", "name", "party")),
]  # fmt: skip

_COLUMNS = [
    "payee", "direction", "account_id", "account", "category", "kind", "cadence", "rule",
    "usual_cents", "spread_cents", "times", "first_date", "last_date", "next_date",
    "previous_cents", "changed_on", "is_active", "note", "other_id",
]  # fmt: skip


@dataclass(frozen=True)
class Series:
    """The series of some transfers, found once for all that is asked of them.

    ``label`` is the number of the series of each transfer (-1: none) and ``day`` its local day.
    ``turns`` are the days of each series one after the other, ``cents`` and ``number`` (of the
    series) stand beside them. ``table`` is what :func:`recurring` shows, with ``number``.
    """

    label: Any
    day: Any
    turns: Rows
    cents: Any
    number: Any
    table: pd.DataFrame


def recurring(
    rows: pd.DataFrame,
    *,
    now: datetime,
    include_internal: bool = False,
    series: Series | None = None,
) -> pd.DataFrame:
    """List what recurs: how often, how much, when next, and what changed or stopped.

    Parameters
    ----------
    rows
        Transfers with ``payee``, ``category`` and ``effective_at``. Those that failed or were
        cancelled or came back (``returned_at``, if it is there) do not count, nor does what
        moved nothing; those on their way do. Money that comes in counts on the day
        it arrives, all other on the day it leaves.
    now
        The moment of the last sync, with a zone. Days are those of ``created_at``'s zone.
    include_internal
        Moves between pods and ports too.
    series
        What :func:`find_series` gave for these rows and this moment, where it was asked before.

    Returns
    -------
    DataFrame
        One row a series, those that go on first, and moves between own accounts last; the
        ``payee`` of a transfer from or to an own account is that account, of one that nothing
        names "unnamed". ``usual_cents`` is the median at the present
        price (of amounts that vary: over the last 400 days); ``spread_cents`` is half the way
        from their 10th to their 90th percentile. ``rule`` says when it is due, in the words of
        iCalendar (RFC 5545), which :func:`dateutil.rrule.rrulestr` reads:
        ``DTSTART:20260130 RRULE:FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1`` is the 30th, or the
        last day of February. A word of ours may follow: ``ROLL:FOLLOWING`` moves what falls on a
        weekend or a holiday of the Federal Reserve to the next banking day, ``ROLL:PRECEDING`` to
        the one before. ``next_date`` is the day it is due, at most 4 days ago if it has not been
        seen yet, NaT if it stopped: nothing came for a period and half of one (at most 45 days),
        and 4 days. ``previous_cents`` and ``changed_on`` tell of the last change of price: a new
        amount where it is always the same, else three occurrences in a row clearly apart from all
        before. ``other_id`` is the other account of an internal move
        or of a transfer to an own account, NA else. A bill is a payment whose amount varies,
        or that the payee pulls; a debt is paid to what is owed, as a card or a loan (its category
        says so); a paycheck comes to a port, $250 or more. Where the newest turns keep to another
        rule than those before, ``rule`` is theirs; what rests each year for months has these
        left out of it (``BYMONTH``), and goes on. What comes once or twice a year costs what
        it did the last time. Equal payments half a month apart are one series, twice a month:
        nothing tells two subscriptions of one price from one that comes twice, and both are due
        on the same days; if one of them ends, the other goes on as monthly. ``note`` (category)
        is what is to be said of a series, NA if nothing: "not renewed" (rare, and stopped),
        "stopped", "missed" (its last turn did not come, and it is not given up), "rose" or
        "fell" (its price), "seasonal" (it rests for months each year) or "paused" (three or
        more turns of the last 400 days were left out); the first of these that holds.
    """
    found = (series or find_series(rows, now)).table
    if not include_internal:
        found = found[(found["direction"] != "INTERNAL").to_numpy()]
    return found.drop(columns="number").reset_index(drop=True)


def find_series(rows: pd.DataFrame, now: datetime) -> Series:
    """Find the series of some transfers, those of moves between pods too; see :func:`recurring`."""
    day = local_days(rows)
    label = find_labels(rows, day)
    taken = np.flatnonzero(label >= 0)
    cents = rows["amount_cents"].to_numpy(np.int64, na_value=0)[taken]
    order = np.lexsort((cents, day[taken], label[taken]))
    taken, cents = taken[order], cents[order]
    starts = np.flatnonzero(np.diff(label[taken], prepend=-1))
    turns, number = Rows(day[taken], starts), label[taken][starts]
    newest = rows.iloc[taken[turns.last]]
    facts = _facts(turns, cents, local_day(now, rows)) if len(starts) else {}
    return Series(label, day, turns, cents, number, _table(newest, number, facts))


class LastSeries:
    """The series that were asked for last: found anew only where something they rest on differs."""

    def __init__(self) -> None:
        self._last: tuple[bytes, Series] | None = None

    def of(self, rows: pd.DataFrame, now: datetime) -> Series:
        """Return the series of some transfers, as :func:`find_series` does."""
        made_of, last = _digest(rows, now), self._last
        if last is None or last[0] != made_of:
            last = self._last = made_of, find_series(rows, now)
        return last[1]


def _digest(rows: pd.DataFrame, now: datetime) -> bytes:
    """Return a digest of all that :func:`find_series` reads."""
    table = pa.Table.from_pandas(rows[[one for one in _READ if one in rows]], preserve_index=False)
    found = blake2b(f"{now.isoformat()} {table.schema.to_string()}".encode())
    chunks: list[Any] = [chunk for column in table.columns for chunk in column.chunks]
    for chunk in chunks:
        found.update(f"{chunk.offset} {len(chunk)}".encode())
        values = chunk.dictionary.to_pylist() if pa.types.is_dictionary(chunk.type) else []
        found.update(repr(values).encode())
        for buffer in filter(None, chunk.buffers()):
            found.update(buffer)
    return found.digest()


def local_day(now: datetime, rows: pd.DataFrame) -> int:
    """Return the day of a moment in the zone of the rows, counted from 1970-01-01."""
    zone = rows["created_at"].dt.tz
    return int(np.datetime64(now.astimezone(zone).date()).astype(np.int64))


def _facts(turns: Rows, cents: Any, today: int) -> dict[str, Any]:
    rule = find_rules(turns)
    last = turns.days[turns.last]
    due, is_active, is_missed = _next_days(rule, last, today)
    is_rare = PERIOD_DAYS[rule.cadence] > _RARE
    usual, spread, previous, changed = _prices(cents, turns, is_rare)
    has_changed = previous >= 0
    # What is true now comes before what was.
    notes = {
        "not renewed": ~is_active & is_rare,
        "stopped": ~is_active,
        "missed": is_missed,
        "rose": has_changed & (usual > previous),
        "fell": has_changed & (usual < previous),
        "seasonal": rule.is_seasonal,
        "paused": _has_paused(rule, turns),
    }
    return {
        "note": np.select(list(notes.values()), range(len(NOTES)), -1),
        "cadence": rule.cadence,
        "rule": rule.texts(),
        "usual_cents": usual,
        "spread_cents": spread,
        "times": turns.counts,
        "first_date": turns.days[turns.starts],
        "last_date": last,
        "next_date": np.where(is_active, due, -1),
        "previous_cents": previous,
        "changed_on": np.where(changed >= 0, turns.days[changed], -1),
        "is_active": is_active,
    }


def _next_days(rule: Rule, last: Any, today: int) -> tuple[Any, Any, Any]:
    """Return the next day each series is due, whether it goes on, and whether a turn was missed."""
    following = rule.next_turn(rule.nearest(last) + 1, 0)
    patience = np.minimum(PERIOD_DAYS[rule.cadence] / 2, _PATIENCE) + GRACE
    is_active = today - rule.day(following) <= patience
    is_missed = rule.day(following) < today - GRACE
    return rule.day(rule.next_turn(following, today - GRACE)), is_active, is_missed


def _has_paused(rule: Rule, turns: Rows) -> Any:
    """Tell which series left out some turns, one after the other, and came back lately."""
    rest = np.diff(turns.days, prepend=0) > (PAUSE + 0.5) * PERIOD_DAYS[rule.cadence][turns.owner]
    lately = turns.days > (turns.days[turns.last] - _MEMORY)[turns.owner]
    return turns.sum(rest & ~turns.is_first & lately) > 0


def _prices(cents: Any, series: Rows, is_rare: Any) -> tuple[Any, Any, Any, Any]:
    """Return usual amount, spread, the price before (-1: none) and the row it changed at (-1).

    What is rare costs what it did the last time, give or take what that differs from before.
    """
    begin, previous = stable_levels(cents, series)
    last, before = cents[series.last], cents[np.maximum(series.last - 1, series.starts)]
    is_new = is_rare & (last != before)
    begin, previous = np.where(is_new, series.last, begin), np.where(is_new, before, previous)
    recent = series.days > (series.days[series.last] - _MEMORY)[series.owner]
    places = np.arange(len(cents))
    current = places >= begin[series.owner]
    now = series.where(current & recent)
    present = cents[series.kept(current & recent)]
    low, middle, high = (quantile(present, now, share) for share in (0.1, 0.5, 0.9))
    usual = np.rint(middle).astype(np.int64)
    spread = np.where(is_new, np.abs(last - before), np.rint((high - low) / 2)).astype(np.int64)
    return usual, spread, previous, np.where(previous >= 0, begin, -1)


def _ends(last: pd.DataFrame) -> pd.DataFrame:
    """Tell who takes part, from the last occurrence of each series."""
    is_incoming = last["direction"] == "INCOMING"
    other_party = last["source_party"].astype("str").where(is_incoming, last["destination_party"])
    other_id = last["source_id"].where(is_incoming, last["destination_id"])
    return pd.DataFrame(
        {
            "payee": other_parties(last).fillna(UNNAMED),
            "direction": last["direction"],
            "account_id": last["destination_id"].where(is_incoming, last["source_id"]),
            "account": last["destination_name"].where(is_incoming, last["source_name"]),
            "category": last["category"],
            "other_id": other_id.where(other_party.isin(OWN)),
            "other_party": other_party,
            "own_party": last["destination_party"]
            .astype("str")
            .where(is_incoming, last["source_party"]),
        }
    ).reset_index(drop=True)


def _table(newest: pd.DataFrame, number: Any, facts: dict[str, Any]) -> pd.DataFrame:
    ends = _ends(newest)
    columns = dict(ends)
    for name in ("usual_cents", "spread_cents", "times", "previous_cents"):
        columns[name] = pd.Series(facts.get(name, []), dtype="Int64")
    columns["previous_cents"] = columns["previous_cents"].where(columns["previous_cents"] >= 0)
    for name in ("first_date", "last_date", "next_date", "changed_on"):
        columns[name] = as_dates(np.asarray(facts.get(name, []), np.int64))
    columns["is_active"] = pd.Series(facts.get("is_active", []), dtype="bool")
    codes = np.asarray(facts.get("cadence", []), np.int64)
    columns["cadence"] = pd.Series(
        pd.Categorical.from_codes(codes, pd.Index(CADENCES), ordered=True)
    )
    notes = np.asarray(facts.get("note", []), np.int64)
    columns["note"] = pd.Series(pd.Categorical.from_codes(notes, pd.Index(NOTES)))
    columns["rule"] = pd.Series(facts.get("rule", []), dtype="str")
    columns["kind"] = _kinds(ends, columns)
    frame = with_dollars(pd.DataFrame(columns)[_COLUMNS]).assign(number=number)
    order = ["next_date", "payee", "account_id", "usual_cents", "last_date", "times"]
    ranked = frame.sort_values(order, kind="stable").reset_index(drop=True)
    own = (ranked["kind"] == "transfer").to_numpy()
    last = np.lexsort((~ranked["is_active"].to_numpy(), own))
    return ranked.iloc[last].reset_index(drop=True)


def as_dates(days: Any) -> pd.Series[Any]:
    """Return days from 1970-01-01 as naive ``datetime64[us]``; a negative one is NaT."""
    dates = days.astype("datetime64[D]").astype("datetime64[us]")
    return pd.Series(np.where(days >= 0, dates, np.datetime64("NaT", "us")))


def _kinds(ends: pd.DataFrame, columns: dict[str, Any]) -> pd.Series[Any]:
    usual = columns["usual_cents"].to_numpy(np.int64)
    is_fixed = columns["spread_cents"].to_numpy(np.int64) <= 0.02 * usual
    comes_in = (ends["direction"] == "INCOMING").to_numpy()
    is_own = (ends["direction"] == "INTERNAL").to_numpy() | ends["other_id"].notna().to_numpy()
    is_merchant = (ends["other_party"] == Party.MERCHANT).to_numpy()
    to_port = (ends["own_party"] == Party.PORT).to_numpy()
    often = columns["cadence"].cat.codes.to_numpy() <= CADENCES.index("monthly")
    is_pay = comes_in & to_port & often & (usual >= LEAST_PAYCHECK)
    is_debt = (ends["category"] == DEBT).to_numpy() & ~comes_in
    is_small = (usual >= _LEAST_SUBSCRIPTION) & (usual <= MOST_SUBSCRIPTION)
    conditions = [is_debt, is_own, is_pay, comes_in, is_merchant & is_fixed & is_small]
    names = ["debt", "transfer", "paycheck", "income", "subscription"]
    codes = np.select(conditions, [KINDS.index(name) for name in names], KINDS.index("bill"))
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(KINDS)))
