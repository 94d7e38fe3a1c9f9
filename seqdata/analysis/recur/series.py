"""Which transfers are turns of something that comes back, and of which series.

A payee is a series as a whole, or in parts: what it is paid for several times a month is told
apart by day, then by amount, and equal ones by their place. A way to tell apart is taken where
all parts are regular and most of them at the same time; so what is bought irregularly is never
taken apart. In a payee of irregular purchases, one price that comes back on time is a series.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur import calendar_days as cal
from seqdata.analysis.recur.cadence import CADENCES, Fit, fit
from seqdata.analysis.recur.rows import Rows, order_by
from seqdata.analysis.recur.rule import NEWEST_FEW
from seqdata.analysis.settlement import moments, utc
from seqdata.sources.vocabulary import OWN, RETURNED, Party

#: How far amounts seen less than six times at a shop, or two a year apart, may differ; and by
#: how many days those two may miss the year.
_SIMILAR, _SAME, _ANNIVERSARY = 1.35, 1.05, 4

#: How full and pure the periods are of a shop whose amounts are not similar.
_ORDERLY = 0.9

#: A payee of which this share is regular has no other series; one price that is more than that
#: share of a payee is all that recurs of it.
_PURE, _MOST = 0.95, 0.6

#: Amounts further apart than this, in order of size, may be two series.
_CLEARLY_APART = 1.15

#: What comes within so many days is of one turn.
_SAME_TURN = 3

#: The most parts of a payee, the fewest rows of one, and the most rows that are of none.
_MOST_PARTS, _FEWEST_ROWS, _STRAY = 6, 3, 0.1

#: The days between two that are half a month apart, and how far off they may be.
_HALF_MONTH, _HALF_OFF = 15.2, 2.6

#: The newest rows whose gaps are those of a new rule, and how much others differ from them.
_FEW_GAPS, _OTHER_GAP = 7, 1.6

#: The share of neighbours that repeat an amount where it is fixed.
_FIXED = 0.6

_SEMIMONTHLY = CADENCES.index("semimonthly")

#: Days until money that comes in arrives, where the payee does not show it.
_USUAL_DELAY = 3

_DAY = np.timedelta64(1, "D")

_PARTIES = [
    "direction", "payee", "source_name", "source_party", "destination_name", "destination_party",
]  # fmt: skip


def find_labels(rows: pd.DataFrame, days: Any) -> Any:
    """Return the number of the series that each transfer belongs to, as int64; -1: none.

    Parameters
    ----------
    rows
        As :func:`seqdata.analysis.recurring` takes them.
    days
        As :func:`local_days` gives them.
    """
    label = np.full(len(rows), -1)
    counted = np.flatnonzero(_counts(rows))
    group = _groups(rows)[counted]
    often = np.bincount(group)[group] > 1
    counted, group = counted[often], group[often]
    if len(counted):
        order = order_by(group, days[counted])
        counted = counted[order]
        label[counted] = _choose(group[order], _Facts(rows, days, counted))
    return label


def local_days(rows: pd.DataFrame) -> Any:
    """Return the day on which each transfer moves our balance, counted from 1970-01-01.

    Of money that comes in: when it settled. What has not arrived yet is expected after the
    usual delay of its payee, else three days after its creation.
    """
    created, settled = utc(rows["created_at"]), utc(rows["effective_at"])
    comes_in = (rows["direction"] == "INCOMING").to_numpy()
    waits = comes_in & np.isnat(settled)
    at = np.where(comes_in & ~waits, settled, created)
    if waits.any():
        incoming = rows[_PARTIES][comes_in]
        at[waits] += _delays(incoming, waits[comes_in], (settled - created)[comes_in])
    local = moments(at, rows["created_at"].dt.tz).dt.tz_localize(None)
    return local.to_numpy("datetime64[D]").astype(np.int64)


def _delays(incoming: pd.DataFrame, waits: Any, took: Any) -> Any:
    parties = other_parties(incoming)
    awaited = parties[waits]
    similar = parties.isin(awaited.unique()).to_numpy() & ~np.isnat(took)
    usual = pd.Series(took[similar] / _DAY).groupby(parties[similar].to_numpy()).median()
    known = awaited.map(usual).fillna(_USUAL_DELAY).to_numpy(np.float64)
    return np.rint(known).astype(np.int64) * _DAY


def other_parties(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the name of who is at the other end: the payee, of own accounts the account."""
    comes_in = (rows["direction"] == "INCOMING").to_numpy()
    found = rows["payee"].copy()
    for end, mine in (("source", comes_in), ("destination", ~comes_in)):
        is_own = mine & rows[f"{end}_party"].isin(OWN).to_numpy()
        found[is_own] = rows[f"{end}_name"][is_own]
    return found


def _counts(rows: pd.DataFrame) -> Any:
    known = rows["amount_cents"].notna() & rows["created_at"].notna()
    counts = known & ~rows["state"].isin(RETURNED) & (rows["amount_cents"] != 0).fillna(False)
    if "returned_at" in rows:
        counts &= rows["returned_at"].isna()
    return (counts & rows["direction"].isin(["INCOMING", "OUTGOING", "INTERNAL"])).to_numpy()


def _groups(rows: pd.DataFrame) -> Any:
    """Return a number for each account, direction and payee; own accounts are told by their id."""
    ids = pd.concat([rows["source_id"], rows["destination_id"]])
    source, destination = pd.factorize(ids)[0].reshape(2, -1) + 1
    payees = pd.factorize(rows["payee"])[0] + 1
    comes_in = (rows["direction"] == "INCOMING").to_numpy()
    is_inside = (rows["direction"] == "INTERNAL").to_numpy()
    own, other = (
        np.where(comes_in, *ends) for ends in ((destination, source), (source, destination))
    )
    other = np.where(_is_own(rows, comes_in), payees.max(initial=0) + 1 + other, payees)
    width = max(other.max(initial=0), own.max(initial=0)) + 1
    return pd.factorize(((comes_in + 2 * is_inside) * width + own) * width + other)[0]


def _is_own(rows: pd.DataFrame, comes_in: Any) -> Any:
    source, destination = (
        rows[f"{end}_party"].isin(OWN).to_numpy() for end in ("source", "destination")
    )
    return np.where(comes_in, source, destination)


class _Facts:
    """Days and cents of transfers in order of their payees and days, and how they moved."""

    def __init__(self, rows: pd.DataFrame, days: Any, chosen: Any) -> None:
        self.days = days[chosen]
        self.cents = rows["amount_cents"].to_numpy(np.int64, na_value=0)[chosen]
        self.comes_in = (rows["direction"] == "INCOMING").to_numpy()[chosen]
        self.at_shop = (rows["destination_party"] == Party.MERCHANT).to_numpy()[chosen]
        self.at_shop |= self.comes_in

    def only(self, chosen: Any) -> _Facts:
        part = object.__new__(_Facts)
        vars(part).update({name: values[chosen] for name, values in vars(self).items()})
        return part


def _choose(group: Any, facts: _Facts) -> Any:
    """Take the whole payee, its parts where they are told apart, or one price of it."""
    whole, is_pure, cadence = _regular(group, facts)
    part, is_split = _parts(group, facts, whole, cadence)
    left = np.flatnonzero(~is_pure & ~is_split)
    price, is_price = _prices(group[left], facts.only(left))
    # A price takes the place of a whole that is regular too, where it is most of it.
    members = np.bincount(group[left], minlength=group.max() + 1)
    priced = np.bincount(group[left], weights=is_price, minlength=group.max() + 1)
    whole &= ~is_split & ~(priced > _MOST * members)[group]
    label = np.where(whole, group, -1)
    offset = group.max() + 1
    label[is_split & (part >= 0)] = part[is_split & (part >= 0)] + offset
    offset += part.max(initial=0) + 1
    alone = is_price & ~whole[left]
    label[left[alone]] = price[alone] + offset
    lost = np.bincount(group, label >= 0)[group] == 0
    label[lost] = _present(group[lost], facts.only(lost))
    return label


def _present(group: Any, facts: _Facts) -> Any:
    """Take the payee whose newest rows are regular, and those before too: it has a new rule."""
    label = np.full(len(group), -1)
    if not len(group):
        return label
    rows = Rows(facts.days, _starts(group))
    size = group.max() + 1
    for newest in _newest_parts(rows):
        started, _, _ = _regular(group[newest], facts.only(newest), strict=True)
        now = np.bincount(group[newest], started, minlength=size)[group] > 0
        before = now & ~newest
        regular, _, _ = _regular(group[before], facts.only(before), strict=True)
        both = np.bincount(group[before], regular, minlength=size)[group] > 0
        label = np.where(both, group, label)
    return label


def _newest_parts(rows: Rows) -> Iterator[Any]:
    """Yield which rows may be of a new rule: those since the gaps are what they are now, or few."""
    gap = np.diff(rows.days, prepend=0)
    usual = rows.newest(_FEW_GAPS).median_gaps()[rows.owner]
    is_other = ~rows.is_first & ((gap < usual / _OTHER_GAP) | (gap > usual * _OTHER_GAP))
    # One that is longer is a turn that was missed.
    changed = is_other & np.append(False, is_other[:-1])
    began = np.maximum.reduceat(np.where(changed, np.arange(len(gap)), -1), rows.starts)
    yield np.arange(len(gap)) >= np.where(began >= 0, began, len(gap))[rows.owner]
    for length in NEWEST_FEW:
        yield rows.is_newest(length) & (rows.counts > length)[rows.owner]


def _prices(group: Any, facts: _Facts) -> tuple[Any, Any]:
    """Give each amount of each payee a number, and tell which of them come back on time.

    An amount that comes twice on each of its days is two.
    """
    is_price = np.zeros(len(group), bool)
    if not len(group):
        return group, is_price
    price = _joined(group, facts.cents)
    often = np.flatnonzero(np.bincount(price)[price] >= 8)
    if len(often):
        twin = _twins(price[often], facts.only(often))
        price[often] = np.where(twin >= 0, twin + price.max() + 1, price[often])
    repeated = np.flatnonzero(np.bincount(price)[price] >= 4)
    is_price[repeated], _, _ = _regular(price[repeated], facts.only(repeated), strict=True)
    return price, is_price


def _regular(label: Any, facts: _Facts, *, strict: bool = False) -> tuple[Any, Any, Any]:
    """Tell which rows are of a label that is regular, of one that has little else, and its cadence.

    Of a shop whose amounts are not similar, it takes six turns and hardly one that is missing or
    too many. Of what was paid twice only, a year apart, the amounts are the same.
    """
    if not len(label):
        return np.zeros(0, bool), np.zeros(0, bool), label
    order = _by_label(label)
    if order is not None:
        label, facts = label[order], facts.only(order)
    series = Rows(facts.days, _starts(label))
    found = fit(series.days, series.starts)
    regular = found.is_regular(strict=strict) & _is_alike(series, found, facts)
    told = (regular, regular & (found.pure >= _PURE), found.cadence)
    by_row = [values[series.owner] for values in told]
    if order is None:
        return by_row[0], by_row[1], by_row[2]
    back = [np.empty_like(values) for values in by_row]
    for values, sorted_values in zip(back, by_row, strict=True):
        values[order] = sorted_values
    return back[0], back[1], back[2]


def _is_alike(series: Rows, found: Fit, facts: _Facts) -> Any:
    """Tell whose amounts, or else whose days, are so alike that they are no purchases by chance."""
    starts, cents = series.starts, facts.cents
    ratio = np.maximum.reduceat(cents, starts) / np.maximum(np.minimum.reduceat(cents, starts), 1)
    is_orderly = np.minimum(found.full, found.pure) >= _ORDERLY
    is_likely = ~facts.at_shop[starts] | (series.counts >= 6) & is_orderly
    is_anniversary = np.abs(np.diff(series.days, append=0)[starts] - 365) <= _ANNIVERSARY
    twice = (ratio <= _SAME) & is_anniversary
    return np.where(series.counts == 2, twice, (ratio <= _SIMILAR) | is_likely)


def _by_label(label: Any) -> Any:
    """Return the order of labels, rows of each as they are; None where they are in order."""
    if (label[1:] >= label[:-1]).all():
        return None
    return np.argsort(label, kind="stable")


def _starts(label: Any) -> Any:
    return np.flatnonzero(np.diff(label, prepend=-1))


# -- one payee that is paid for several things ------------------------------------------------


def _parts(group: Any, facts: _Facts, whole: Any, cadence: Any) -> tuple[Any, Any]:
    """Return the part of each row (-1: none), and which rows are of a payee that was taken apart.

    Parameters
    ----------
    group
        A number for each payee.
    facts
        Of the rows.
    whole, cadence
        Whether the payee is regular as it is, and the cadence it is closest to.
    """
    part, is_split = np.full(len(group), -1), np.zeros(len(group), bool)
    members = np.bincount(group)
    for rows, way in _ways(group, facts, whole, cadence, is_split):
        wanted = (way >= 0) & ~is_split[rows]
        tried, mine = rows[wanted], way[wanted]
        enough = _are_parts(group[tried], mine, members)
        tried, mine = tried[enough], mine[enough]
        if len(tried):
            good, _, _ = _regular(mine, facts.only(tried))
            apart = _together(group[tried], mine, facts.days[tried], good)
            part[tried[apart]] = mine[apart] + part.max(initial=-1) + 1
            done = np.zeros(len(members), bool)
            done[group[tried[apart]]] = True
            is_split |= done[group]
    return part, is_split


def _ways(
    group: Any, facts: _Facts, whole: Any, cadence: Any, is_split: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield some rows and their parts (-1: none): by day, by amount, by both, and by place."""
    cluster, clusters = _day_clusters(group, facts.days)
    rows = np.flatnonzero((clusters >= 2) & (clusters <= _MOST_PARTS))
    rows = rows[~whole[rows] | (cadence[rows] == _SEMIMONTHLY)]
    two = _is_two_by_day(group[rows], facts.only(rows), cluster[rows], clusters[rows])
    rows = rows[~whole[rows] | two]
    by_day = _joined(group[rows], cluster[rows])
    yield rows, by_day
    amount, price, prices = _amounts(group, facts.cents)
    yield np.arange(len(group)), amount
    few = np.flatnonzero(~whole & (prices <= _MOST_PARTS))
    yield few, price[few]
    yield rows, _joined(by_day, amount[rows])
    yield rows, _joined(by_day, price[rows])
    for some, label in ((np.flatnonzero(~whole & ~is_split), group), (rows, by_day)):
        if len(some):
            yield some, _twins(label[some] if label is group else label, facts.only(some))


def _joined(first: Any, second: Any) -> Any:
    """Return a number for each pair of numbers; -1 where one of them is."""
    codes = pd.factorize(second)[0].astype(np.int64)
    both = pd.factorize(first.astype(np.int64) * (codes.max(initial=0) + 1) + codes)[0]
    return np.where((first < 0) | (codes < 0), -1, both)


def _twins(label: Any, facts: _Facts) -> Any:
    """Return a number for each label and place in its turn, -1 where most turns have one row.

    A place is by amount, and of equal amounts by day.
    """
    number = np.full(len(label), -1)
    order = _by_label(label)
    if order is None:
        order = np.arange(len(label))
    is_new = np.diff(label[order], prepend=-1) != 0
    turn = np.cumsum(is_new | (np.diff(facts.days[order], prepend=0) > _SAME_TURN)) - 1
    size = np.bincount(turn)[turn]
    starts = np.flatnonzero(is_new)
    rows = np.diff(np.append(starts, len(order)))
    usual = np.rint(np.add.reduceat(size, starts) / rows).astype(np.int64)
    full = np.add.reduceat((size == np.repeat(usual, rows)).astype(np.int64), starts) / rows
    is_twin = np.repeat((usual >= 2) & (usual <= _MOST_PARTS) & (full >= _FIXED), rows)
    order, turn, usual = order[is_twin], turn[is_twin], np.repeat(usual, rows)[is_twin]
    if len(order):
        sorted_in = np.lexsort((facts.days[order], facts.cents[order], turn))
        first = np.flatnonzero(np.diff(turn[sorted_in], prepend=-1))
        counts = np.diff(np.append(first, len(turn)))
        place = np.arange(len(turn)) - np.repeat(first, counts)
        order = order[sorted_in]
        number[order] = np.where(place < usual[sorted_in], _joined(label[order], place), -1)
    return number


def _are_parts(group: Any, part: Any, members: Any) -> Any:
    """Tell which rows are of parts that are enough, of payees with several and few other rows."""
    counts = np.bincount(part, minlength=1)[part] >= _FEWEST_ROWS
    of_part = np.full(part.max(initial=-1) + 1, len(members))
    of_part[part[counts]] = group[counts]
    several = np.bincount(of_part, minlength=len(members) + 1)[:-1]
    kept = np.bincount(group[counts], minlength=len(members))
    is_whole = kept >= (1 - _STRAY) * members
    good = (several >= 2) & (several <= _MOST_PARTS) & is_whole
    return counts & good[group]


def _together(group: Any, part: Any, days: Any, regular: Any) -> Any:
    """Tell which rows are of payees all of whose parts are regular, and overlap in time."""
    span = _span(part, days)
    _, first = np.unique(part, return_index=True)
    length = np.bincount(group[first], span[part[first]], minlength=group.max() + 1)
    is_irregular = np.bincount(group, ~regular) > 0
    return (~is_irregular & (length >= 1.5 * _span(group, days)))[group]


def _span(label: Any, days: Any) -> Any:
    """Return the days from the first to the last of each label."""
    first, last = np.full((2, label.max() + 1), days[0])
    first[label], last[label] = days, days
    np.minimum.at(first, label, days)
    np.maximum.at(last, label, days)
    return last - first


def _amounts(group: Any, cents: Any) -> tuple[Any, Any, Any]:
    """Return a number for each amount that stands apart, one for each price, and their count."""
    order = order_by(group, cents)
    sizes, owners = cents[order], group[order]
    is_first = np.append(True, owners[1:] != owners[:-1])
    apart = np.append(True, sizes[1:] > sizes[:-1] * _CLEARLY_APART)
    other = np.append(True, sizes[1:] != sizes[:-1]) | is_first
    amount, price = np.empty_like(group), np.empty_like(group)
    amount[order] = np.cumsum(apart | is_first) - 1
    price[order] = np.cumsum(other) - 1
    return amount, price, np.bincount(owners, weights=other)[group]


def _day_clusters(group: Any, days: Any) -> tuple[Any, Any]:
    """Return the number, from 0, of each part of the month in which a group is paid, and how many.

    The month is a circle: what is before the first gap stands together with what is after the
    last one.
    """
    day = cal.day_of_month(days) - 1
    seen = np.bincount(group * 31 + day, minlength=31 * (group.max() + 1)) > 0
    seen = seen.reshape(-1, 31)
    begins = seen & ~np.any([np.roll(seen, way, axis=1) for way in (1, 2, 3)], axis=0)
    clusters = np.maximum(begins.sum(axis=1), 1)
    number = (begins.cumsum(axis=1) - 1) % clusters[:, None]
    return number[group, day], clusters[group]


def _is_two_by_day(group: Any, facts: _Facts, cluster: Any, clusters: Any) -> Any:
    """Tell which rows are of a payee whose two days a month are two things.

    They are not half a month apart; or each has a price of its own, of what is paid.
    """
    mine = clusters == 2
    group = pd.factorize(group)[0]
    half = group * 2 + np.where(mine, cluster, 0)
    size = 2 * (group.max(initial=-1) + 1)
    turns = 2 * np.pi * cal.in_months(facts.days)
    sine, cosine = (np.bincount(half, wave(turns), size) for wave in (np.sin, np.cos))
    angle = np.arctan2(sine, cosine).reshape(-1, 2)
    apart = np.abs(angle[:, 1] - angle[:, 0]) / (2 * np.pi) * cal.DAYS_A_MONTH
    is_uneven = np.abs(apart - _HALF_MONTH) > _HALF_OFF
    own = _share_repeated(half, facts, size) >= _FIXED
    other = _share_repeated(group, facts, size) <= 1 - _FIXED
    is_priced = own[half] & own[half ^ 1] & other[group] & ~facts.comes_in
    return mine & (is_uneven[group] | is_priced)


def _share_repeated(label: Any, facts: _Facts, size: int) -> Any:
    """Return the share of rows of each label that repeat the amount before, by label."""
    order = np.argsort(label, kind="stable")
    same = (np.diff(label[order], prepend=-1) == 0) & (np.diff(facts.cents[order], prepend=-1) == 0)
    repeated = np.bincount(label[order], same, size)
    return repeated / np.maximum(np.bincount(label, minlength=size) - 1, 1)
