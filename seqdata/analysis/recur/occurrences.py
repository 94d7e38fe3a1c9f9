"""Which transfers are occurrences of something that recurs, and of which series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from seqdata.analysis.recur import parts
from seqdata.analysis.recur.cadence import fit
from seqdata.analysis.recur.rule import NEWEST_FEW
from seqdata.analysis.recur.segments import Rows
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

#: Days until money that comes in arrives, where the series does not show it.
_USUAL_DELAY = 3

_DAY = np.timedelta64(1, "D")


def find_series(rows: pd.DataFrame, *, include_internal: bool = False) -> Any:
    """Return the number of the series that each transfer belongs to, as int64; -1: none.

    Parameters
    ----------
    rows
        As :func:`seqdata.analysis.recurring` takes them.
    """
    label = np.full(len(rows), -1)
    counted = np.flatnonzero(_counts(rows, include_internal))
    if not len(counted):
        return label
    group = _groups(rows)[counted]
    often = np.bincount(group)[group] > 1
    counted, group = counted[often], group[often]
    if not len(counted):
        return label
    facts = _Facts(rows, counted)
    label[counted] = _choose(group, facts)
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
        at[waits] += _delays(rows, waits, settled - created)
    zone = rows["created_at"].dt.tz
    local = moments(at, zone, rows.index).dt.tz_localize(None).to_numpy("datetime64[D]")
    return local.astype(np.int64)


def _delays(rows: pd.DataFrame, waits: Any, took: Any) -> Any:
    parties = other_parties(rows)
    awaited = parties[waits]
    similar = parties.isin(awaited.unique()).to_numpy() & ~np.isnat(took)
    similar &= (rows["direction"] == "INCOMING").to_numpy()
    usual = pd.Series(took[similar] / _DAY).groupby(parties[similar].to_numpy()).median()
    known = awaited.map(usual).fillna(_USUAL_DELAY).to_numpy(np.float64)
    return np.rint(known).astype(np.int64) * _DAY


def _counts(rows: pd.DataFrame, include_internal: bool) -> Any:
    known = rows["amount_cents"].notna() & rows["created_at"].notna()
    counts = known & ~rows["state"].isin(RETURNED) & (rows["amount_cents"] != 0).fillna(False)
    if "returned_at" in rows:
        counts &= rows["returned_at"].isna()
    words = ["INCOMING", "OUTGOING", *(["INTERNAL"] if include_internal else [])]
    return (counts & rows["direction"].isin(words)).to_numpy()


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
    other = np.where(_is_own(rows), payees.max(initial=0) + 1 + other, payees)
    width = max(other.max(initial=0), own.max(initial=0)) + 1
    return pd.factorize(((comes_in + 2 * is_inside) * width + own) * width + other)[0]


def other_parties(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the name of who is at the other end: the payee, of own accounts the account."""
    comes_in = rows["direction"] == "INCOMING"
    name = rows["source_name"].where(comes_in, rows["destination_name"])
    return rows["payee"].where(~_is_own(rows), name)


def _is_own(rows: pd.DataFrame) -> Any:
    comes_in = (rows["direction"] == "INCOMING").to_numpy()
    source, destination = (
        rows[f"{end}_party"].isin(OWN).to_numpy() for end in ("source", "destination")
    )
    return np.where(comes_in, source, destination)


class _Facts:
    """Days and amounts of the transfers that count, whether a shop was paid, and what came in."""

    def __init__(self, rows: pd.DataFrame, counted: Any) -> None:
        self.days = local_days(rows)[counted]
        self.cents = rows["amount_cents"].to_numpy(np.int64, na_value=0)[counted]
        self.at_shop = (rows["destination_party"] == Party.MERCHANT).to_numpy()[counted]
        self.comes_in = (rows["direction"] == "INCOMING").to_numpy()[counted]
        self.at_shop |= self.comes_in

    def only(self, chosen: Any) -> _Facts:
        part = object.__new__(_Facts)
        part.days, part.cents = self.days[chosen], self.cents[chosen]
        part.at_shop, part.comes_in = self.at_shop[chosen], self.comes_in[chosen]
        return part


def _choose(group: Any, facts: _Facts) -> Any:
    """Take the whole payee, its parts where they are told apart, or one price of it."""
    whole, is_pure, fitted = _regular(group, facts)
    part, is_split = parts.find(group, facts, whole, fitted, _regular)
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
    order = np.lexsort((facts.days, group))
    rows = Rows(facts.days[order], np.flatnonzero(np.diff(group[order], prepend=-1)))
    for length in NEWEST_FEW:
        is_new = np.empty(len(group), bool)
        is_new[order] = rows.is_newest(length)
        part = group * 2 + is_new
        regular, _, _ = _regular(part, facts, strict=True)
        often = np.bincount(group)[group] > length
        now = regular & is_new & often
        started = np.bincount(group, now)[group] > 0
        before = np.bincount(group, regular & ~is_new)[group] > 0
        label = np.where(started & before, group, label)
    return label


def _prices(group: Any, facts: _Facts) -> tuple[Any, Any]:
    """Give each amount of each payee a number, and tell which of them come back on time.

    An amount that comes twice on each of its days is two.
    """
    is_price = np.zeros(len(group), bool)
    if not len(group):
        return group, is_price
    price = parts.joined(group, facts.cents)
    often = np.flatnonzero(np.bincount(price)[price] >= 8)
    if len(often):
        twin = parts.twins(price[often], facts.only(often))
        price[often] = np.where(twin >= 0, twin + price.max() + 1, price[often])
    repeated = np.flatnonzero(np.bincount(price)[price] >= 4)
    is_price[repeated], _, _ = _regular(price[repeated], facts.only(repeated), strict=True)
    return price, is_price


def _regular(label: Any, facts: _Facts, *, strict: bool = False) -> tuple[Any, Any, Any]:
    """Tell which rows are of a label that is regular, of one that has little else, and its grid.

    Of a shop whose amounts are not similar, it takes six occurrences and hardly one that is
    missing or too many. Of what was paid twice only, a year apart, the amounts are the same.
    """
    result = np.zeros((2, len(label)), bool)
    grid = np.full(len(label), -1)
    if not len(label):
        return result[0], result[1], grid
    order = np.lexsort((facts.days, label))
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    series = Rows(facts.days[order], starts)
    found = fit(series.days, starts)
    cents = facts.cents[order]
    ratio = np.maximum.reduceat(cents, starts) / np.maximum(np.minimum.reduceat(cents, starts), 1)
    is_orderly = np.minimum(found.full, found.pure) >= _ORDERLY
    is_likely = ~facts.at_shop[order][starts] | (series.counts >= 6) & is_orderly
    is_anniversary = np.abs(np.diff(series.days, append=0)[starts] - 365) <= _ANNIVERSARY
    twice = (ratio <= _SAME) & is_anniversary
    agrees = np.where(series.counts == 2, twice, (ratio <= _SIMILAR) | is_likely)
    regular = found.is_regular(strict=strict) & agrees
    result[0, order] = regular[series.owner]
    result[1, order] = (regular & (found.pure >= _PURE))[series.owner]
    grid[order] = found.cadence[series.owner]
    return result[0], result[1], grid
